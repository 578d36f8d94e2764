import numpy as np
import pytest
import torch

from grounding.errors import CheckpointError
from grounding.lego.checkpoint.load import load_model
from grounding.lego.checkpoint.save import save_model
from grounding.lego.grounder import load_grounder
from tests.grounding.lego.model.test_modality import WITH_POINTS, setup  # noqa: F401 (a fixture)


def test_saved_model_comes_back(grounder, tmp_path):
    save_model(
        grounder.model,
        tmp_path / "saved",
        tokenizer=grounder.tokenizer,
        image_transform=grounder.image_transform,
    )
    again = load_grounder(tmp_path / "saved", dtype="float32", max_new_tokens=12)
    state = again.model.state_dict()
    assert all(
        torch.equal(tensor, state[name]) for name, tensor in grounder.model.state_dict().items()
    )
    assert again.model.config == grounder.model.config
    assert again.image_transform == grounder.image_transform
    image = np.zeros((40, 60, 3), np.uint8)
    assert again.describe(image=image) == grounder.describe(image=image)


def test_saved_model_with_another_modality_comes_back(setup, tmp_path):  # noqa: F811
    model, tokenizer = setup
    save_model(model, tmp_path / "saved", tokenizer=tokenizer)
    again = load_model(tmp_path / "saved", dtype=torch.float32, modalities=WITH_POINTS)
    assert again.placeholder_ids("points") == model.placeholder_ids("points")
    with torch.inference_mode():
        cloud = torch.randn(9, 3)
        assert torch.equal(
            again.encode("points", [cloud])[0].tokens, model.encode("points", [cloud])[0].tokens
        )


def test_model_without_a_modality_is_saved_without_it(checkpoint, tokenizer, tmp_path):
    save_model(
        load_model(checkpoint, without=["image", "sound"]), tmp_path / "saved", tokenizer=tokenizer
    )
    assert list(load_model(tmp_path / "saved").modalities) == ["video"]


def test_folder_that_is_not_empty(model, tokenizer, tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(CheckpointError, match="not empty"):
        save_model(model, tmp_path, tokenizer=tokenizer)
