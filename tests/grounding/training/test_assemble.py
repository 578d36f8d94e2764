"""The public parts, at tiny sizes, become a folder that loads; a wrong part is named."""

import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from grounding.errors import CheckpointError
from grounding.lego.checkpoint.load import load_model
from grounding.lego.model.config import read_config
from grounding.training.assemble import Parts, assemble
from tests.grounding.training.conftest import START

CLIP = START.parent / "clip_tower"
BASE = START.parent / "tokenizer_base"


@pytest.fixture
def parts(tmp_path) -> Parts:
    """The tiny checkpoint, taken apart as its parts are published."""
    stored = load_file(START / "model.safetensors")
    language = tmp_path / "vicuna"
    shutil.copytree(BASE, language)
    own = {
        name: t
        for name, t in stored.items()
        if name.startswith(("model.layers.", "model.norm.", "model.embed_tokens.", "lm_head."))
    }
    tables = {
        name: t[:-9].clone()
        for name, t in own.items()
        if name in ("model.embed_tokens.weight", "lm_head.weight")
    }
    save_file({**own, **tables}, language / "model.safetensors")

    def torn(name, prefix, nested=False, starts=()):
        found = {
            key.removeprefix(prefix): t
            for key, t in stored.items()
            if key.startswith(starts or prefix)
        }
        torch.save({"model": found} if nested else found, tmp_path / name)
        return tmp_path / name

    eva = torn("eva.pth", "model.visual_encoder.")
    qformer = torn(
        "blip2.pth", "model.", True, ("model.Qformer.", "model.query_tokens", "model.ln_vision.")
    )
    return Parts(language, eva, qformer, torn("imagebind.pth", "model.audio_encoder."), CLIP)


@pytest.fixture
def config():
    return read_config(START, CLIP).with_changes(audio_positions=4)


def test_parts_become_a_checkpoint(parts, config, tmp_path):
    assemble(parts, tmp_path / "start", config=config, dtype=torch.float32)
    made, before = (
        load_model(tmp_path / "start", dtype=torch.float32),
        load_model(START, dtype=torch.float32, clip_folder=CLIP),
    )
    ours, theirs = made.state_dict(), before.state_dict()
    for name in ours:
        same = torch.equal(ours[name], theirs[name])
        assert same == (
            ".adapter." not in name
            and name not in ("language.model.embed_tokens.weight", "language.lm_head.weight")
        ), name
    table = ours["language.model.embed_tokens.weight"]
    assert torch.equal(table[:-9], theirs["language.model.embed_tokens.weight"][:-9])
    assert torch.allclose(table[-9:], table[:-9].mean(dim=0).expand(9, -1), atol=1e-6)
    assert all(torch.isfinite(tensor).all() for tensor in ours.values())


def test_a_wrong_part_is_named(parts, config, tmp_path):
    with pytest.raises(CheckpointError, match="the part qformer lacks"):
        assemble(
            Parts(parts.language, parts.eva, parts.eva, parts.imagebind, parts.clip),
            tmp_path / "start",
            config=config,
        )
    assert not (tmp_path / "start").exists()
