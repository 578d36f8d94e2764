import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from grounding.errors import CheckpointError
from grounding.lego.checkpoint.convert import convert, main
from grounding.lego.checkpoint.load import load_model
from grounding.lego.grounder import load_grounder


@pytest.fixture
def published(tiny, tmp_path):
    """the folder as it is published: `.bin`, with the CLIP tower elsewhere."""
    source = tmp_path / "published"
    shutil.copytree(tiny / "checkpoint", source)
    torch.save(load_file(source / "model.safetensors"), source / "pytorch_model.bin")
    (source / "model.safetensors").unlink()
    shutil.copyfile(tiny / "module_dims.json", source / "module_dims.json")
    return source


def stored(folder):
    return {
        name: tensor
        for file in sorted(folder.glob("model*.safetensors"))
        for name, tensor in load_file(file).items()
    }


def test_converted_folder_keeps_everything_and_stands_alone(published, tiny, tmp_path, model):
    target = convert(
        published, tmp_path / "converted", clip_folder=tiny / "clip_full", shard_bytes=400_000
    )
    shutil.rmtree(published)
    assert len(list(target.glob("model-*.safetensors"))) > 3
    assert not list(target.glob("*.bin"))
    original = load_file(tiny / "checkpoint" / "model.safetensors")
    kept = stored(target)
    assert kept.keys() == original.keys()
    assert all(torch.equal(tensor, original[name]) for name, tensor in kept.items())
    assert kept["model.audio_encoder.modality_preprocessors.text.mask"].isinf().any()
    index = json.loads((target / "model.safetensors.index.json").read_text())
    assert index["weight_map"].keys() == original.keys()
    again = load_model(target, dtype=torch.float32).state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in model.state_dict().items())
    assert load_grounder(target, dtype="float32").image_transform.size == 56


def test_another_dtype(published, tiny, tmp_path):
    target = convert(
        published, tmp_path / "half", clip_folder=tiny / "clip_tower", dtype=torch.bfloat16
    )
    dtypes = {tensor.dtype for tensor in stored(target).values()}
    assert dtypes == {torch.bfloat16, torch.int64}


def test_without_a_modality(published, tmp_path):
    weights = torch.load(published / "pytorch_model.bin", weights_only=True)
    torch.save(
        {name: tensor for name, tensor in weights.items() if "audio" not in name},
        published / "pytorch_model.bin",
    )
    with pytest.raises(CheckpointError, match="audio"):
        convert(published, tmp_path / "out", without=["image"])
    assert not (tmp_path / "out").exists()
    target = convert(published, tmp_path / "out", without=["image", "sound"])
    assert list(load_model(target).modalities) == ["video"]


def test_existing_target_is_left_alone(published, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(CheckpointError, match="exists already"):
        convert(published, tmp_path / "there")


def test_command(published, tiny, tmp_path, capsys):
    arguments = [
        str(published),
        str(tmp_path / "out"),
        "--clip",
        str(tiny / "clip_tower"),
        "--dtype",
        "bfloat16",
    ]
    assert main(arguments) == 0
    assert (tmp_path / "out" / "clip_tower" / "model.safetensors").is_file()
    assert main(arguments) == 1
    assert "exists already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
