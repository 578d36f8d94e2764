import json
import math

import numpy as np
import pytest
import torch

from grounding.errors import LegoError, MediaError, PromptError
from grounding.lego.model.lego_model import Encoded
from grounding.lego.preprocess.prompts import expand_markers


@pytest.fixture
def ids(model, tokenizer):
    """Texts with markers -> padded ids `(B, T)`."""

    def build(*texts):
        rows = [
            torch.tensor(tokenizer.encode(expand_markers(text, dict(model.modalities.items()))))
            for text in texts
        ]
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)

    return build


def clip(frames=6, seed=0):
    return torch.randn(3, frames, 56, 56, generator=torch.Generator().manual_seed(seed))


def image(seed=0):
    return torch.randn(3, 56, 56, generator=torch.Generator().manual_seed(seed))


def sound(clips=3, seed=0):
    return torch.randn(clips, 1, 128, 204, generator=torch.Generator().manual_seed(seed))


WRONG_ITEMS = {
    "too many frames": ("video", clip(17), "17 frames; this model reads at most 16"),
    "no frames": ("video", torch.zeros(3, 0, 56, 56), r"expected \(3, any, 56, 56\)"),
    "frame size": ("video", torch.zeros(3, 6, 56, 64), r"the shape \(3, 6, 56, 64\)"),
    "frames first": ("video", torch.zeros(6, 3, 56, 56), "a clip"),
    "a batch": ("video", torch.zeros(1, 3, 6, 56, 56), "a clip"),
    "image size": ("image", torch.zeros(3, 336, 336), "an image"),
    "grey image": ("image", torch.zeros(1, 56, 56), "an image"),
    "sound clips": ("sound", sound(5), "5 clips; this model reads at most 4"),
    "mel bands": ("sound", torch.zeros(3, 1, 64, 204), "a sound"),
    "no such modality": ("smell", torch.zeros(3), "no modality 'smell'"),
}


@pytest.mark.parametrize("case", WRONG_ITEMS)
def test_item_of_a_wrong_kind(model, case):
    name, item, message = WRONG_ITEMS[case]
    with pytest.raises(MediaError, match=message):
        model.encode(name, [item])


def test_items_come_back_in_order_whatever_their_length(model):
    items = [clip(6, 1), clip(16, 2), clip(6, 3)]
    with torch.inference_mode():
        together = model.encode("video", items)
        alone = [model.encode("video", [item])[0] for item in items]
    for one, other in zip(together, alone):
        torch.testing.assert_close(one.tokens, other.tokens, atol=2e-5, rtol=0)
    assert not torch.allclose(together[0].tokens, together[2].tokens)
    assert repr(together[0]) == "Encoded(video, (8, 64))"


WRONG_PROMPTS = {
    "no placeholder": (
        ["what?"],
        [{"video": [clip()]}],
        "prompt 0 has 0 placeholders for video, but 1 items",
    ),
    "no item": (["<video> what?"], [{}], "prompt 0 has 1 placeholders for video, but 0 items"),
    "no media at all": (["<video> what?"], None, "1 placeholders for video, but 0 items"),
    "one item too many": (["<image> what?"], [{"image": [image(), image()]}], "but 2 items"),
    "other row": (["<image> a", "b"], [{}, {"image": [image()]}], "prompt 0 has 1 placeholders"),
    "rows": (["<image> a"], [{"image": [image()]}, {}], "1 prompts, but media for 2"),
    "cut placeholder": (
        ["<vi_start><vi_patch><vi_patch><vi_end>"],
        [{"video": [clip()]}],
        "holds 2 patches and not 8",
    ),
    "too long": (
        ["<vi_start>" + "<vi_patch>" * 9 + "<vi_end>"],
        [{"video": [clip()]}],
        "holds 9 patches and not 8",
    ),
    "never closed": (
        ["<vi_start>" + "<vi_patch>" * 8],
        [{"video": [clip()]}],
        "the placeholder at token",
    ),
    "stray patch": (["<video> <vi_patch>"], [{"video": [clip()]}], "1 patch tokens"),
    "unknown modality": (["a"], [{"smell": [image()]}], "no modality 'smell'"),
}


@pytest.mark.parametrize("case", WRONG_PROMPTS)
def test_prompt_and_media_that_do_not_belong_together(model, ids, case):
    texts, media, message = WRONG_PROMPTS[case]
    with pytest.raises(LegoError, match=message):
        model.embed(ids(*texts), media)


def test_encoded_item_of_another_modality(model, ids):
    with pytest.raises(MediaError, match="an encoded image stands among the items of video"):
        model.embed(ids("<video> a"), [{"video": [Encoded("image", torch.zeros(8, 64))]}])


def test_several_items_of_one_modality_fill_their_own_placeholders(model, ids):
    """The public code fills only the last one."""
    first, second = image(1), image(2)
    row = ids("<image> and <image> differ")
    with torch.inference_mode():
        embeds = model.embed(row, [{"image": [first, second]}])[0]
        features = [one.tokens for one in model.encode("image", [first, second])]
    starts = (row[0] == model.placeholder_ids("image")[1]).nonzero()[:, 0] + 1
    for start, own in zip(starts.tolist(), features):
        torch.testing.assert_close(embeds[start : start + 16], own)


def test_mixed_batch_equals_its_rows(model, ids):
    texts = ["<video> a", "no media here at all", "<sound>\n<image> b", "<video> c"]
    media = [
        {"video": [clip(6)]},
        {},
        {"image": [image()], "sound": [sound()]},
        {"video": [clip(16)]},
    ]
    with torch.inference_mode():
        batch = ids(*texts)
        logits = model(batch, media, attention_mask=batch != 0).logits
        for row, (text, own) in enumerate(zip(texts, media)):
            alone = model(ids(text), [own]).logits[0]
            torch.testing.assert_close(logits[row, : len(alone)], alone, atol=2e-4, rtol=0)


def test_encoded_and_raw_items_are_the_same(model, ids):
    with torch.inference_mode():
        encoded = model.encode("video", [clip()])
        row = ids("<video> a")
        assert torch.equal(
            model.embed(row, [{"video": encoded}]), model.embed(row, [{"video": [clip()]}])
        )


def test_gradients_equal_the_public_code(model, tiny):
    inputs = np.load(tiny / "inputs.npz")
    ids, labels = (torch.from_numpy(inputs[f"labelled.{key}"]) for key in ("input_ids", "labels"))
    model(ids, [{"video": [torch.from_numpy(inputs["video"])[0]]}], labels=labels).loss.backward()
    names = {
        "lm_head.weight": "language.lm_head.weight",
        "model.embed_tokens.weight": "language.model.embed_tokens.weight",
        "model.layers.0.self_attn.q_proj.weight": "language.model.layers.0.self_attn.q_proj.weight",
        "model.llama_proj.weight": "modalities.video.adapter.projection.weight",
        "model.video_query_tokens": "modalities.video.adapter.qformer.queries",
        "model.query_tokens": "modalities.video.encoder.qformer.queries",
        "model.video_frame_position_embedding.weight": (
            "modalities.video.adapter.positions.table.weight"
        ),
        "model.visual_encoder.pos_embed": "modalities.video.encoder.eva.pos_embed",
        "model.ln_vision.weight": "modalities.video.encoder.norm.weight",
    }
    norms = json.loads((tiny / "labelled_grad_norms.json").read_text())
    for published, own in names.items():
        assert math.isclose(
            float(model.get_parameter(own).grad.norm()), norms[published], rel_tol=1e-3
        ), published
    assert model.modality("image").adapter[0].weight.grad is None  # the public code has zeros here


def test_bfloat16_stays_near_float32(checkpoint, tiny):
    from grounding.lego.checkpoint.load import load_model

    inputs = np.load(tiny / "inputs.npz")
    half = load_model(checkpoint, dtype=torch.bfloat16)
    with torch.inference_mode():
        tokens = half.encode("video", [torch.from_numpy(inputs["video"])[0]])[0].tokens
    expected = np.load(tiny / "expected.npz")["video.llama_proj"][0]
    assert tokens.dtype == torch.bfloat16
    assert np.abs(tokens.float().numpy() - expected).max() < 0.05 * np.abs(expected).max()


def test_new_rows_of_the_vocabulary_are_the_mean(model):
    before = model.language.lm_head.weight.detach().clone()
    model.grow_vocabulary({"points": (449, 450, 451)})
    assert model.language.lm_head.weight.shape == (452, 64)
    assert torch.equal(model.language.lm_head.weight[:449], before)
    torch.testing.assert_close(
        model.language.model.embed_tokens.weight[450],
        model.language.model.embed_tokens.weight[:449].mean(dim=0),
    )
    assert model.config.vocab_size == 452
    assert model.placeholder_ids("points") == (449, 450, 451)
    with pytest.raises(PromptError, match="'speech'"):
        model.placeholder_ids("speech")
