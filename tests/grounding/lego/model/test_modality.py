"""Adding a modality is one class and one line: here point clouds, `(N, 3)` coordinates."""

import pytest
import torch
from torch import nn

from grounding.lego.checkpoint.load import load_model, published_state
from grounding.lego.generate.generator import GenerationConfig, Generator, Prompt
from grounding.lego.model.modality import Modality, Placeholder, check_shape
from grounding.lego.model.registry import MODALITIES
from grounding.lego.preprocess.prompts import Turn, encode_with_labels, media_question, render
from grounding.lego.preprocess.tokenizer import LegoTokenizer


class PointEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.lift = nn.Linear(3, 12)

    def forward(self, clouds):
        return self.lift(clouds).relu().mean(dim=1, keepdim=True).expand(-1, 2, -1)


class PointModality(Modality):
    name = "points"
    marker = "<points>"
    placeholder = Placeholder("<pc_patch>", "<pc_start>", "<pc_end>")
    tokens = 2

    def __init__(self, config):
        super().__init__(config)
        self.encoder = PointEncoder()
        self.adapter = nn.Linear(12, config.hidden_size)

    def check(self, item):
        check_shape("a point cloud", item, (None, 3))


WITH_POINTS = (*MODALITIES, PointModality)  # the one line


@pytest.fixture
def setup(checkpoint):
    torch.manual_seed(0)
    model = load_model(checkpoint, dtype=torch.float32, modalities=WITH_POINTS, fresh=["points"])
    tokenizer = LegoTokenizer(checkpoint, WITH_POINTS)
    model.grow_vocabulary(tokenizer.placeholder_ids())
    return model, tokenizer


def test_published_tokens_keep_their_ids(setup, tokenizer):
    _, grown = setup
    assert len(grown) == len(tokenizer) + 3
    assert grown.encode("<vi_start><vi_patch><vi_end> hi") == tokenizer.encode(
        "<vi_start><vi_patch><vi_end> hi"
    )


def test_a_step_of_training_lowers_the_loss(setup):
    model, tokenizer = setup
    cloud = torch.randn(20, 3)
    question = media_question("What is it?", ["points"], dict(model.modalities.items()))
    ids, labels = encode_with_labels(
        [Turn("Human", question), Turn("Assistant", "A chair.")], tokenizer
    )
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    adapter = model.modality("points").adapter.requires_grad_(True)
    optimizer = torch.optim.AdamW(adapter.parameters(), lr=1e-2)
    losses = []
    for _ in range(3):
        loss = model(torch.tensor([ids]), [{"points": [cloud]}], labels=torch.tensor([labels])).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > losses[1] > losses[2]
    assert all(
        p.grad is None
        for name, p in model.named_parameters()
        if not name.startswith("modalities.points.adapter")
    )


def test_dropout_of_encoders_stays_off_while_training(setup):
    model, _ = setup
    model.train()
    assert model.language.training
    assert all(
        modality.adapter.training and not modality.encoder.training
        for modality in model.modalities.values()
    )


def test_it_generates_alone_and_beside_others(setup):
    model, tokenizer = setup
    with torch.inference_mode():
        media = {
            "points": model.encode("points", [torch.randn(7, 3)]),
            "image": model.encode("image", [torch.randn(3, 56, 56)]),
        }
    generator = Generator(model, tokenizer, GenerationConfig(6, stop="never"))
    for names in (["points"], ["points", "image"]):
        text = media_question("What is it?", names, dict(model.modalities.items()))
        ids = tuple(tokenizer.encode(render([Turn("Human", text), Turn("Assistant", None)])))
        (reply,) = generator.generate([Prompt(ids, {name: media[name] for name in names})])
        assert len(reply.ids) == 6


def test_the_item_decides_the_answer(setup):
    model, tokenizer = setup
    text = media_question("What is it?", ["points"], dict(model.modalities.items()))
    ids = torch.tensor([tokenizer.encode(text)])
    with torch.inference_mode():
        one, other = (
            model(ids, [{"points": [torch.full((4, 3), value)]}]).logits for value in (0.0, 5.0)
        )
    assert not torch.allclose(one[0, -1], other[0, -1])


def test_its_tensors_are_saved_beside_the_published_ones(setup):
    model, _ = setup
    assert "modalities.points.adapter.weight" in published_state(model)


def test_without_fresh_its_weights_are_missed(checkpoint):
    with pytest.raises(ValueError, match=r"modalities\.points\.adapter\.weight is missing"):
        load_model(checkpoint, modalities=WITH_POINTS)
