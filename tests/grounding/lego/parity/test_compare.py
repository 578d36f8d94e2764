"""The numbers of the public code: all hold, and one that is changed is found."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from grounding.lego.parity import compare


@pytest.fixture
def copy(tiny, tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(tiny, folder)
    return folder


def test_everything_equals_the_public_code(tiny):
    quantities = list(compare.compare(tiny))
    assert [str(quantity) for quantity in quantities if not quantity.holds] == []
    assert len({quantity.name for quantity in quantities}) == len(quantities) > 100


def test_all_expected_arrays_are_compared_but_the_quirk(tiny):
    named = {quantity.name for quantity in compare.compare(tiny)}
    stored = np.load(tiny / "expected.npz").files
    assert {name for name in stored if name not in named} == {
        name for name in stored if "quirk_two_images" in name
    }


def test_command_exits_0_and_prints_a_line_a_quantity(tiny):
    run = subprocess.run(
        [sys.executable, "-m", "grounding.lego.parity", str(tiny)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "greedy24.video" in run.stdout
    assert "FAIL" not in run.stdout


def _change_array(folder, file, key, amount):
    stored = dict(np.load(folder / file))
    changed = stored[key].copy()
    changed.reshape(-1)[-1] += amount
    np.savez(folder / file, **{**stored, key: changed})


def _change_weight(folder):
    file = folder / "checkpoint" / "model.safetensors"
    weights = load_file(file)
    weights["model.visual_encoder.blocks.1.attn.q_bias"][3] += 0.1
    save_file(weights, file, metadata={"format": "pt"})


def _change_json(folder, name, change):
    file = folder / "preprocess" / name
    stored = json.loads(file.read_text())
    change(stored)
    file.write_text(json.dumps(stored))


def _change_id(stored):
    stored["strings"][7]["ids"][2] += 1


def _change_box(stored):
    stored[0]["output"] = stored[0]["output"].replace("0.267", "0.268")


def _change_index(stored):
    stored["cases"][-1]["indices"][-1] -= 1


def _change_clip(stored):
    stored["main"]["clips"][1]["start_sample"] += 1


PERTURBATIONS = {
    "stage": (
        lambda folder: _change_array(folder, "expected.npz", "video.ln_vision", 1e-3),
        "video.ln_vision",
    ),
    "logit": (
        lambda folder: _change_array(folder, "expected.npz", "logits_last16.sound", 2e-3),
        "logits_last16.sound",
    ),
    "greedy id": (
        lambda folder: _change_array(folder, "expected.npz", "greedy24.image", 1),
        "greedy24.image",
    ),
    "loss": (
        lambda folder: _change_array(folder, "expected.npz", "train1.loss", 1e-3),
        "train1.loss",
    ),
    "not a number": (
        lambda folder: _change_array(folder, "expected.npz", "batch.loss", np.nan),
        "batch.loss",
    ),
    "weight": (_change_weight, "video.visual_encoder"),
    "prompt id": (
        lambda folder: _change_json(folder, "prompts.json", _change_id),
        "prompts: ids of strings (checkpoint)",
    ),
    "box": (lambda folder: _change_json(folder, "boxes.json", _change_box), "boxes"),
    "frame index": (
        lambda folder: _change_json(folder, "frame_indices.json", _change_index),
        "video: 100 of 250 frames",
    ),
    "clip position": (
        lambda folder: _change_json(folder, "audio.json", _change_clip),
        "audio: clips of main",
    ),
    "mel": (
        lambda folder: _change_array(folder, "preprocess/audio.npz", "mel_short_clip0", 1e-3),
        "audio: mel of short",
    ),
    "pixel": (
        lambda folder: _change_array(folder, "preprocess/video.npz", "out_sharp_full", 1e-2),
        "video: out_sharp_full",
    ),
}


@pytest.mark.parametrize("case", PERTURBATIONS)
def test_one_changed_number_fails(copy, capsys, case):
    perturb, name = PERTURBATIONS[case]
    perturb(copy)
    assert compare.main([str(copy)]) == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert any(name in line for line in failed)


def test_bin_that_differs_from_safetensors_fails(copy, capsys):
    import torch

    weights = load_file(copy / "checkpoint" / "model.safetensors")
    weights["lm_head.weight"][0, 0] += 1
    torch.save(weights, copy / "checkpoint" / "pytorch_model.bin")
    assert compare.main([str(copy)]) == 1
    assert "FAIL checkpoint: pytorch_model.bin" in capsys.readouterr().out


def test_array_that_nothing_is_compared_with_fails(copy, capsys):
    stored = dict(np.load(copy / "expected.npz"))
    np.savez(copy / "expected.npz", **stored, **{"video.unheard_of": np.zeros(3)})
    assert compare.main([str(copy)]) == 1
    assert "video.unheard_of" in capsys.readouterr().out


def test_folder_without_numbers_fails(tmp_path, capsys):
    assert compare.main([str(tmp_path)]) == 1
    assert "config.json" in capsys.readouterr().err


def _without(file, key):
    def remove(folder):
        stored = dict(np.load(folder / file))
        np.savez(folder / file, **{name: value for name, value in stored.items() if name != key})

    return remove


def _emptied(name, key):
    return lambda folder: _change_json(
        folder, name, lambda stored: stored[key].clear() if key else stored.clear()
    )


ABSENT = {
    "stage": (_without("expected.npz", "video.ln_vision"), "video\\.ln_vision"),
    "hidden state": (
        _without("expected.npz", "image.clip_hidden_states.3"),
        "image\\.clip_hidden_states\\.3",
    ),
    "batch": (_without("expected.npz", "video_batch2.llama_proj"), "video_batch2"),
    "logits": (_without("expected.npz", "logits_last16.sound"), "logits_last\\d+\\.sound"),
    "greedy ids": (_without("expected.npz", "greedy24.image_sound"), "greedy\\d+\\.image_sound"),
    "loss": (_without("expected.npz", "labelled.loss"), "labelled\\.loss"),
    "prompts": (_emptied("prompts.json", "strings"), "prompts.json:strings"),
    "boxes": (_emptied("boxes.json", None), "boxes.json"),
    "frame indices": (_emptied("frame_indices.json", "cases"), "frame_indices.json:cases"),
}


@pytest.mark.parametrize("case", ABSENT)
def test_what_is_not_there_does_not_pass(copy, case):
    remove, name = ABSENT[case]
    remove(copy)
    fixture = compare.Fixture.open(copy)
    assert [missing for missing in compare.absent(fixture) if name in missing]


def test_a_whole_folder_lacks_nothing(tiny):
    assert list(compare.absent(compare.Fixture.open(tiny))) == []


def test_a_file_that_is_damaged_fails(copy, capsys):
    (copy / "inputs.npz").write_bytes(b"PK")
    assert compare.main([str(copy)]) == 1
    assert "FAIL" in capsys.readouterr().err
