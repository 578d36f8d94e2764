"""The numbers of the public code: all hold, and one that is changed is found."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from grounding.lego.parity import compare
from grounding.lego.parity.__main__ import main
from grounding.lego.parity.fixture import Fixture


@pytest.fixture
def copy(tiny, tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(tiny, folder)
    return folder


@pytest.fixture(scope="module")
def quantities(tiny):
    return list(compare.compare(tiny))


def test_everything_equals_the_public_code(quantities):
    assert [str(quantity) for quantity in quantities if not quantity.holds] == []
    assert len({quantity.name for quantity in quantities}) == len(quantities) > 100


def test_all_expected_arrays_are_compared_but_the_quirk(tiny, quantities):
    named = {quantity.name for quantity in quantities}
    stored = np.load(tiny / "expected.npz").files
    assert {name for name in stored if name not in named} == {
        name for name in stored if "quirk_two_images" in name
    }


def test_command_exits_0_and_prints_a_line_a_quantity(tiny, capsys):
    assert main([str(tiny)]) == 0
    printed = capsys.readouterr().out
    assert "greedy24.video" in printed
    assert "FAIL" not in printed


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
        compare.stages,
        "video.ln_vision",
    ),
    "logit": (
        lambda folder: _change_array(folder, "expected.npz", "logits_last16.sound", 2e-3),
        compare.answers,
        "logits_last16.sound",
    ),
    "greedy id": (
        lambda folder: _change_array(folder, "expected.npz", "greedy24.image", 1),
        compare.answers,
        "greedy24.image",
    ),
    "loss": (
        lambda folder: _change_array(folder, "expected.npz", "train1.loss", 1e-3),
        compare.losses,
        "train1.loss",
    ),
    "not a number": (
        lambda folder: _change_array(folder, "expected.npz", "batch.loss", np.nan),
        compare.losses,
        "batch.loss",
    ),
    "weight": (_change_weight, compare.stages, "video.visual_encoder"),
    "prompt id": (
        lambda folder: _change_json(folder, "prompts.json", _change_id),
        compare.token_ids,
        "prompts: ids of strings (checkpoint)",
    ),
    "box": (lambda folder: _change_json(folder, "boxes.json", _change_box), compare.boxes, "boxes"),
    "frame index": (
        lambda folder: _change_json(folder, "frame_indices.json", _change_index),
        compare.clips,
        "video: 100 of 250 frames",
    ),
    "clip position": (
        lambda folder: _change_json(folder, "audio.json", _change_clip),
        compare.sounds,
        "audio: clips of main",
    ),
    "mel": (
        lambda folder: _change_array(folder, "preprocess/audio.npz", "mel_short_clip0", 1e-3),
        compare.sounds,
        "audio: mel of short",
    ),
    "pixel": (
        lambda folder: _change_array(folder, "preprocess/video.npz", "out_sharp_full", 1e-2),
        compare.clips,
        "video: out_sharp_full",
    ),
}


@pytest.mark.parametrize("case", PERTURBATIONS)
def test_one_changed_number_is_found(copy, case):
    perturb, part, name = PERTURBATIONS[case]
    perturb(copy)
    with torch.inference_mode():
        failed = [quantity.name for quantity in part(Fixture.open(copy)) if not quantity.holds]
    assert any(name in quantity for quantity in failed)


def test_one_changed_number_fails_the_command(copy, capsys):
    _change_json(copy, "boxes.json", _change_box)
    assert main([str(copy)]) == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert [line.split()[1] for line in failed] == ["boxes"]


def test_bin_that_differs_from_safetensors_fails(copy, capsys):
    weights = load_file(copy / "checkpoint" / "model.safetensors")
    weights["lm_head.weight"][0, 0] += 1
    torch.save(weights, copy / "checkpoint" / "pytorch_model.bin")
    assert main([str(copy)]) == 1
    assert "FAIL checkpoint: pytorch_model.bin" in capsys.readouterr().out


def test_array_that_nothing_is_compared_with_fails(copy, capsys):
    stored = dict(np.load(copy / "expected.npz"))
    np.savez(copy / "expected.npz", **stored, **{"video.unheard_of": np.zeros(3)})
    assert main([str(copy)]) == 1
    assert "video.unheard_of" in capsys.readouterr().out


def test_folder_without_numbers_fails(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
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
    fixture = Fixture.open(copy)
    assert [missing for missing in compare.absent(fixture) if name in missing]


def test_a_whole_folder_lacks_nothing(tiny):
    assert list(compare.absent(Fixture.open(tiny))) == []


def test_of_an_odd_number_of_frames_the_last_is_in_neither_half(copy):
    stored = dict(np.load(copy / "inputs.npz"))
    odd = stored["video"][:, :, :5]
    np.savez(copy / "inputs.npz", **{**stored, "video": odd})
    fixture = Fixture.open(copy)
    halves = [fixture.inputs.tensor("video")[:, :, first : first + 2] for first in (0, 2)]
    modality = fixture.model.modality("video")
    with torch.inference_mode():
        alone = torch.cat([modality(half) for half in halves])
    stored = dict(np.load(copy / "expected.npz"))
    np.savez(copy / "expected.npz", **{**stored, "video_batch2.llama_proj": alone.numpy()})
    with torch.inference_mode():
        quantities = {q.name: q for q in compare.other_inputs(Fixture.open(copy))}
    assert quantities["video_batch2.llama_proj"].holds
    assert quantities["video_full.llama_proj"].holds


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("at [.25, .5, .75, 1]", "at [0.25, 0.5, 0.75, 1.0]"),
        ("at [0.25, .5, 0.75, .9]", "at [0.25, 0.5, 0.75, 0.9]"),
        ("at [., .5, .75, 1]", "at [., .5, .75, 1]"),
        ("at [.1.2, .5, .75, 1]", "at [.1.2, .5, .75, 1]"),
    ],
)
def test_boxes_without_a_zero_are_rewritten_as_by_the_public_code(text, rewritten):
    assert compare.rewrite_as_published(text, 100, 100) == rewritten


def test_a_file_that_is_damaged_fails(copy, capsys):
    (copy / "inputs.npz").write_bytes(b"PK")
    assert main([str(copy)]) == 1
    assert "FAIL" in capsys.readouterr().err
