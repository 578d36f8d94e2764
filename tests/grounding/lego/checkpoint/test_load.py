import gc
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from grounding.errors import CheckpointError
from grounding.lego.checkpoint.load import load_model, place, published_state, to_published
from grounding.lego.checkpoint.shards import Shards
from grounding.lego.grounder import load_grounder
from grounding.lego.model.config import EvaDims, published_config, read_config
from grounding.lego.model.lego_model import LegoModel
from grounding.lego.model.registry import MODALITIES


@pytest.fixture
def folder(tiny, tmp_path):
    """A checkpoint that may be changed, with the sizes and the CLIP tower beside it."""
    for name in ("checkpoint", "clip_tower"):
        shutil.copytree(tiny / name, tmp_path / name)
    shutil.copyfile(tiny / "module_dims.json", tmp_path / "module_dims.json")
    return tmp_path / "checkpoint"


@pytest.fixture(scope="module")
def full_size_model():
    with torch.device("meta"):
        return LegoModel(published_config())


def change_weights(folder, change):
    file = folder / "model.safetensors"
    weights = load_file(file)
    change(weights)
    save_file(weights, file, metadata={"format": "pt"})


def test_every_published_tensor_is_placed_or_declared_unused(full_size_model, full_size_shapes):
    placement = place(full_size_shapes, full_size_model)
    assert len(full_size_shapes) == 2493
    assert set(placement.placed) | set(placement.unused) == set(full_size_shapes)
    assert len(set(placement.placed.values())) == len(placement.placed)
    assert all(
        "audio_encoder" in name or name.endswith("position_ids") for name in placement.unused
    )
    assert not any(".audio." in name for name in placement.unused)


def test_full_size_holds_what_is_used_and_no_more(full_size_model, full_size_shapes):
    placement = place(full_size_shapes, full_size_model)
    used = sum(torch.Size(full_size_shapes[name]).numel() for name in placement.placed)
    clip = sum(p.numel() for p in full_size_model.modality("image").encoder.parameters())
    ours = sum(tensor.numel() for tensor in full_size_model.state_dict().values())
    assert ours == used + clip
    assert 7.9e9 < used < 8.1e9


def test_names_go_there_and_back(full_size_model, full_size_shapes):
    placement = place(full_size_shapes, full_size_model)
    assert {to_published(full_size_model, own): own for own in placement.placed.values()} == dict(
        placement.placed
    )


@pytest.mark.parametrize(
    "name",
    [
        "model.query_tokens",
        "model.layers.31.mlp.up_proj.weight",
        "model.visual_encoder.blocks.38.attn.q_bias",
    ],
)
def test_missing_full_size_tensor_is_named(full_size_model, full_size_shapes, name):
    shapes = {key: shape for key, shape in full_size_shapes.items() if key != name}
    with pytest.raises(CheckpointError, match=f"{name} is missing"):
        place(shapes, full_size_model)


@pytest.mark.parametrize(
    "name",
    [
        "model.visual_encoder.blocks.39.attn.q_bias",
        "model.Qformer.bert.embeddings.word_embeddings.weight",
        "x",
    ],
)
def test_unexplained_tensor_is_named(full_size_model, full_size_shapes, name):
    with pytest.raises(CheckpointError, match=f"{name} is not a tensor of LEGO"):
        place({**full_size_shapes, name: (1408,)}, full_size_model)


def test_rotary_table_of_older_transformers_is_explained(full_size_model, full_size_shapes):
    extra = "model.layers.0.self_attn.rotary_emb.inv_freq"
    assert extra in place({**full_size_shapes, extra: (64,)}, full_size_model).unused


def test_wrong_shape_is_named(folder):
    change_weights(folder, lambda weights: weights.update({"model.norm.weight": torch.ones(65)}))
    with pytest.raises(
        CheckpointError, match=r"model.norm.weight has the shape \[65\], the model expects \[64\]"
    ):
        load_model(folder)


def test_missing_and_unknown_tensors_are_named_together(folder):
    change_weights(
        folder, lambda weights: weights.update({"model.wrong": weights.pop("model.norm.weight")})
    )
    with pytest.raises(
        CheckpointError,
        match=r"model\.wrong is not a tensor of LEGO; model\.norm\.weight is missing",
    ):
        load_model(folder)


@pytest.mark.parametrize("model_type", ["llama", "llava", None])
def test_checkpoint_of_another_model(folder, model_type):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": model_type}))
    with pytest.raises(CheckpointError, match="model_type"):
        load_model(folder)


def test_config_that_lacks_a_size(folder):
    config = json.loads((folder / "config.json").read_text())
    del config["video_token_len"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="video_token_len"):
        load_model(folder)


def test_folder_without_weights(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="neither"):
        load_model(folder)


def test_published_sizes_hold_where_no_dims_are_given(folder):
    (folder.parent / "module_dims.json").unlink()
    config = read_config(folder, folder.parent / "clip_tower")
    assert config.eva == EvaDims()
    with pytest.raises(CheckpointError, match=r"the model expects \[768\]"):
        load_model(folder)


def test_bin_shards_equal_safetensors(folder, model):
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(weights)
    halves = {
        "pytorch_model-00001-of-00002.bin": names[::2],
        "pytorch_model-00002-of-00002.bin": names[1::2],
    }
    for file, own in halves.items():
        torch.save({name: weights[name] for name in own}, folder / file)
    index = {"weight_map": {name: file for file, own in halves.items() for name in own}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    loaded = load_model(folder, dtype=torch.float32).state_dict()
    assert all(torch.equal(tensor, loaded[name]) for name, tensor in model.state_dict().items())
    (folder / "pytorch_model-00002-of-00002.bin").unlink()
    with pytest.raises(CheckpointError, match=r"lacks pytorch_model-00002-of-00002.bin"):
        load_model(folder)


class Unsafe:
    def __reduce__(self):
        return print, ("code in a checkpoint",)


def test_bin_with_code_is_refused(folder, capsys):
    (folder / "model.safetensors").unlink()
    torch.save({"lm_head.weight": Unsafe()}, folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="cannot be read as tensors"):
        load_model(folder)
    assert capsys.readouterr().out == ""


def test_tensor_in_two_shards(folder):
    shutil.copyfile(folder / "model.safetensors", folder / "model-00002-of-00002.safetensors")
    with pytest.raises(CheckpointError, match=r"is in .* and again in"):
        Shards(folder)


def test_clip_is_missing(folder):
    shutil.rmtree(folder.parent / "clip_tower")
    with pytest.raises(CheckpointError, match="clip-vit-large-patch14-336"):
        load_model(folder)
    assert "image" not in load_model(folder, without=("image",)).modalities


def test_clip_folder_of_another_model(folder):
    file = folder.parent / "clip_tower" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "model_type": "siglip"}))
    with pytest.raises(CheckpointError, match="not a CLIP model"):
        load_model(folder)


def test_absent_modality_must_be_switched_off(folder):
    change_weights(
        folder, lambda weights: [weights.pop(name) for name in list(weights) if "audio" in name]
    )
    with pytest.raises(CheckpointError, match="audio"):
        load_model(folder)
    model = load_model(folder, without=("sound",))
    assert list(model.modalities) == ["image", "video"]
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "without_modalities": ["sound"]}))
    assert list(load_model(folder).modalities) == ["image", "video"]


def test_switched_off_modality_stays_in_the_file(checkpoint):
    model = load_model(checkpoint, without=("video", "sound"))
    assert list(model.modalities) == ["image"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_all_parameters_are_of_the_wanted_dtype(checkpoint, dtype):
    model = load_model(checkpoint, dtype=dtype)
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
    assert not any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))


def test_audio_position_rows_follow_the_file(folder):
    rows = torch.cat(
        [load_file(folder / "model.safetensors")["model.audio_position_embedding.weight"]] * 2
    )
    change_weights(
        folder, lambda weights: weights.update({"model.audio_position_embedding.weight": rows})
    )
    assert load_model(folder).config.audio_positions == 8


def test_published_state_is_the_published_layout(model, checkpoint):
    stored = load_file(checkpoint / "model.safetensors")
    state = published_state(model)
    assert all(torch.equal(tensor, stored[name]) for name, tensor in state.items())
    assert {name for name in stored if name not in state} == {
        n for n in stored if "position_ids" in n or (".modality_" in n and ".audio." not in n)
    }


def test_a_model_of_other_sizes_is_built_from_its_configuration():
    config = replace(
        published_config(),
        clip={
            "hidden_size": 8,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 28,
            "patch_size": 14,
        },
    )
    with torch.device("meta"):
        model = LegoModel(config, MODALITIES[:1])
    assert model.modality("image").adapter[0].weight.shape == (4096, 8)


def _peak_bytes() -> int:
    """The most that this process held since the mark was set anew, anonymous and file pages."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(("suffix", "dtype"), [("safetensors", "float32"), ("bin", "bfloat16")])
def test_memory_while_loading(tiny, checkpoint, tmp_path, suffix, dtype):
    """At most 1.1 times the weights, whatever the dtype of the file; many layers make the rest
    small.
    """
    layers, width = 40, 12_000
    shutil.copytree(
        checkpoint, tmp_path / "big", ignore=shutil.ignore_patterns("model.safetensors")
    )
    shutil.copyfile(tiny / "module_dims.json", tmp_path / "big" / "module_dims.json")
    config = json.loads((checkpoint / "config.json").read_text())
    (tmp_path / "big" / "config.json").write_text(
        json.dumps({**config, "num_hidden_layers": layers, "intermediate_size": width})
    )
    weights = load_file(checkpoint / "model.safetensors")
    for layer in range(layers):
        for name in [name for name in weights if name.startswith("model.layers.0.")]:
            wide = [width if size == 112 else size for size in weights[name].shape]
            weights[name.replace(".0.", f".{layer}.", 1)] = torch.zeros(wide)
    if suffix == "bin":
        torch.save(weights, tmp_path / "big" / "pytorch_model.bin")
    else:
        save_file(weights, tmp_path / "big" / "model.safetensors", metadata={"format": "pt"})
    del weights
    load_model(checkpoint, dtype=torch.float32)  # what a process loads but once
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    before = _peak_bytes()
    model = load_model(tmp_path / "big", without=("image", "sound"), dtype=getattr(torch, dtype))
    total = sum(parameter.nbytes for parameter in model.parameters())
    assert all(parameter.isfinite().all() for parameter in model.parameters())  # reads each page
    assert total > 1.5e8
    assert (_peak_bytes() - before) / total <= 1.1


def _cut(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


def _pointer(folder):
    (folder / "model.safetensors").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 1\n"
    )


def _nested(folder):
    torch.save(
        {"state_dict": load_file(folder / "model.safetensors")}, folder / "pytorch_model.bin"
    )
    (folder / "model.safetensors").unlink()


def _change_config(folder, **changes):
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


DAMAGES = {
    "cut off while copying": (_cut, "not all of it is there"),
    "a pointer of git-lfs": (_pointer, "not a safetensors file"),
    "a dictionary of dictionaries": (_nested, "tensors by name"),
    "an index without its map": (
        lambda folder: (folder / "model.safetensors.index.json").write_text("{}"),
        "index",
    ),
    "a list": (lambda folder: (folder / "config.json").write_text("[]"), "not an object"),
    "not text": (lambda folder: (folder / "config.json").write_bytes(b"\xff"), "not JSON"),
    "a word for a size": (
        lambda folder: _change_config(folder, hidden_size="wide"),
        "do not make a model",
    ),
    "nothing for a size": (lambda folder: _change_config(folder, max_frame=None), "wrong kind"),
    "no heads": (
        lambda folder: _change_config(folder, num_attention_heads=0),
        "do not make a model",
    ),
    "heads that do not divide": (
        lambda folder: _change_config(folder, num_attention_heads=3),
        "do not make a model",
    ),
    "another number of patches": (
        lambda folder: _change_config(folder, image_token_len=15),
        "16 tokens",
    ),
    "an unknown modality to be without": (
        lambda folder: _change_config(folder, without_modalities=["smell"]),
        "smell",
    ),
    "a tokenizer cut off": (
        lambda folder: (folder / "tokenizer.model").write_bytes(b"abc"),
        "tokenizer",
    ),
    "a tower for other pictures": (
        lambda folder: (folder.parent / "clip_tower" / "preprocessor_config.json").write_text(
            json.dumps({"crop_size": 336, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]})
        ),
        "336",
    ),
    "a tower that does not say": (
        lambda folder: (folder.parent / "clip_tower" / "preprocessor_config.json").write_text("{}"),
        "prepared",
    ),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_a_damaged_folder_is_an_error_of_ours_that_names_it(folder, case):
    damage, words = DAMAGES[case]
    damage(folder)
    with pytest.raises(CheckpointError, match=words):
        load_grounder(folder, dtype="float32")


def test_published_numbers_that_no_shape_shows():
    """A published folder has no module_dims.json: a wrong default would load without a word."""
    config = published_config()
    assert (config.eva.heads, config.eva.norm_eps) == (16, 1e-6)
    assert (config.qformer.heads, config.qformer.norm_eps, config.qformer.activation) == (
        12,
        1e-12,
        "gelu",
    )
    assert (config.qformer.cross_every, config.qformer.small_cross_every) == (2, 1)
    assert (
        config.audio.heads,
        config.audio.stem_eps,
        config.audio.norm_eps,
        config.audio.stride,
    ) == (12, 1e-5, 1e-6, 10)
    assert (config.image_layer, config.image_class_token) == (-2, False)
    assert (
        config.language["num_attention_heads"],
        config.language["rms_norm_eps"],
        config.language["rope_theta"],
    ) == (32, 1e-5, 10_000.0)
    assert config.clip["num_attention_heads"] == 16
