"""The real classes of siglip2 and clip on tiny random checkpoints that the tests write."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.embedders.base import Embedder
from indexer.embedders.contrastive import CLIP, SIGLIP2, ContrastiveEmbedder
from indexer.embedders.registry import MODELS, load_embedder
from indexer.errors import ModelError
from indexer.settings import Settings, load_settings

LAYERS = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
SPECIAL = ["<unk>", "<s>", "</s>", "<pad>"]


def save_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    words = [*SPECIAL, "a", "dog", "cat", "red", "blue", "car"]
    tokenizer = Tokenizer(
        WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
    ).save_pretrained(folder)


def save_processor(folder: Path, kind: str, side: int) -> None:
    size = {"shortest_edge": side} if kind == "clip" else {"height": side, "width": side}
    config = {
        "image_processor_type": "CLIPImageProcessor" if kind == "clip" else "SiglipImageProcessor",
        "size": size,
        "crop_size": {"height": side, "width": side},
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(config))


def save_checkpoint(folder: Path, kind: str, seed: int = 0) -> Path:
    import torch
    from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

    torch.manual_seed(seed)
    text = {**LAYERS, "vocab_size": 10, "max_position_embeddings": 77 if kind == "clip" else 64}
    text |= {"eos_token_id": 2, "bos_token_id": 1, "pad_token_id": 3}
    vision = {**LAYERS, "image_size": 32, "patch_size": 8}
    if kind == "clip":
        model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24))
    else:
        model = SiglipModel(SiglipConfig(text_config=text, vision_config=vision))
    model.save_pretrained(folder)
    save_tokenizer(folder)
    save_processor(folder, kind, 32)
    return folder


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    return {
        kind: save_checkpoint(tmp_path_factory.mktemp(kind), kind) for kind in ("clip", "siglip2")
    }


@pytest.fixture(params=["clip", "siglip2"])
def kind(request) -> str:
    return request.param


def settings_for(folder: Path, **others: object) -> Settings:
    return load_settings(embedder_path=str(folder), device="cpu", dtype="float32", **others)


@pytest.fixture
def embedder(checkpoints, kind) -> ContrastiveEmbedder:
    return ContrastiveEmbedder(
        settings_for(checkpoints[kind], batch_size=3), CLIP if kind == "clip" else SIGLIP2
    )


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (7, 40, 60, 3), dtype=np.uint8)


def test_it_is_an_embedder_with_what_the_files_say(embedder, kind):
    assert isinstance(embedder, Embedder)
    assert embedder.dimension == (24 if kind == "clip" else 32)
    assert embedder.short_side == 32


def test_frames_are_unit_and_do_not_depend_on_the_batch(embedder, images):
    together = embedder.embed_frames(images)
    assert together.shape == (7, embedder.dimension)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(
        together,
        np.concatenate([embedder.embed_frames(image[None]) for image in images]),
        atol=1e-5,
    )


def test_frames_equal_the_model_asked_directly(embedder, images, kind):
    import torch
    from transformers import AutoImageProcessor, AutoModel

    model = AutoModel.from_pretrained(embedder.folder).eval()
    processor = AutoImageProcessor.from_pretrained(embedder.folder, backend="pil")
    pictures = [Image.fromarray(image) for image in images]
    with torch.no_grad():
        expected = model.get_image_features(
            **processor(images=pictures, return_tensors="pt")
        ).pooler_output
    expected = torch.nn.functional.normalize(expected, dim=1).numpy()
    np.testing.assert_allclose(embedder.embed_frames(images), expected, atol=1e-5)


def test_texts_are_unit_differ_and_do_not_depend_on_the_batch(embedder):
    texts = ["a dog", "a red car", "a cat"]
    together = embedder.embed_texts(texts)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(
        together, np.concatenate([embedder.embed_texts([text]) for text in texts]), atol=1e-4
    )
    assert np.abs(together[0] - together[1]).max() > 1e-3


def test_a_long_text_is_cut_to_what_the_model_takes(embedder):
    assert np.isfinite(embedder.embed_texts(["a dog " * 200])).all()


def test_nothing_gives_no_rows(embedder):
    assert embedder.embed_frames(np.zeros((0, 8, 8, 3), np.uint8)).shape == (0, embedder.dimension)
    assert embedder.embed_texts([]).shape == (0, embedder.dimension)


def test_bfloat16_agrees_with_float32(checkpoints, kind, embedder, images):
    half = load_settings(embedder_path=str(checkpoints[kind]), device="cpu", dtype="bfloat16")
    other = ContrastiveEmbedder(half, embedder.family)
    assert other.key == embedder.key
    assert ((other.embed_frames(images) * embedder.embed_frames(images)).sum(1) > 0.99).all()


def test_the_key_follows_the_weights(tmp_path, checkpoints, kind, embedder):
    family = embedder.family
    copy = tmp_path / "copy"
    shutil.copytree(checkpoints[kind], copy)
    assert ContrastiveEmbedder(settings_for(copy), family).key == embedder.key
    other = save_checkpoint(tmp_path / "other", kind, seed=1)
    assert ContrastiveEmbedder(settings_for(other), family).key != embedder.key


def test_scripts(checkpoints):
    clip = ContrastiveEmbedder(settings_for(checkpoints["clip"]), CLIP)
    siglip = ContrastiveEmbedder(settings_for(checkpoints["siglip2"]), SIGLIP2)
    assert clip.reads("a dog")
    assert not clip.reads("一只狗")
    assert siglip.reads("一只狗")


def test_the_other_kind_of_model_is_refused(checkpoints):
    with pytest.raises(ModelError, match="type 'clip', not siglip") as caught:
        load_embedder(settings_for(checkpoints["clip"]), "siglip2")
    assert "SEEKPOINT_EMBEDDER_PATH" in str(caught.value)


@pytest.mark.parametrize("path", ["/nowhere/at/all", "./missing", "a/b/c"])
def test_a_missing_folder_says_where_the_model_goes(path):
    with pytest.raises(ModelError, match="SEEKPOINT_EMBEDDER_PATH"):
        load_embedder(load_settings(embedder_path=path), "clip")


def test_a_hub_id_that_is_not_cached_says_so_when_offline(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="not in the local cache"):
        load_embedder(load_settings(embedder_path="nobody/no-such-model"), "siglip2")


@pytest.mark.parametrize(
    ("missing", "message"), [("config.json", "config.json"), ("model.safetensors", "weights")]
)
def test_a_folder_without_a_needed_file(tmp_path, checkpoints, missing, message):
    copy = tmp_path / "copy"
    shutil.copytree(checkpoints["clip"], copy)
    (copy / missing).unlink()
    with pytest.raises(ModelError, match=message):
        load_embedder(settings_for(copy), "clip")


def test_damaged_weights_are_a_model_error(tmp_path, checkpoints):
    copy = tmp_path / "copy"
    shutil.copytree(checkpoints["clip"], copy)
    (copy / "model.safetensors").write_bytes(b"not weights at all")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_embedder(settings_for(copy), "clip").embed_texts(["a dog"])


def test_cards_tell_what_is_installed(checkpoints):
    clip = next(card for card in MODELS if card.name == "clip")
    assert clip.is_installed(settings_for(checkpoints["clip"]))
    assert not clip.is_installed(settings_for(checkpoints["siglip2"]))
