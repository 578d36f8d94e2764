"""The benchmarks run, at small sizes; what they measure is in docs/experiments/lego.md."""

import json

import pytest

from benchmarks.lego import full_size, generation


def test_generation(capsys):
    result = generation.measure(
        tokens=4, questions=3, repeats=1, size=generation.Size(64, 2, 6, 28)
    )
    assert result["times_faster"] > 0
    assert result["questions_s"] > 0


def test_full_size_at_small_size(checkpoint, tmp_path, test_data, capsys):
    pytest.importorskip("sentencepiece")
    full_size.main(
        [
            str(tmp_path / "new"),
            str(test_data / "natural" / "bbb_wakeup.mp4"),
            "--like",
            str(checkpoint),
            "--tokens",
            "3",
        ]
    )
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["tokens"] == 3
    assert report["parameters"] > 400_000
    assert not (tmp_path / "new").exists()


def test_full_size_keeps_what_is_there(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(SystemExit, match="not empty"):
        full_size.main([str(tmp_path), "video.mp4"])
    assert (tmp_path / "mine").exists()


def test_published_plan_is_the_published_model(full_size_shapes):
    plan = full_size.published_plan()
    assert plan.shapes == full_size_shapes
    assert plan.pieces + 9 == plan.config["vocab_size"] == 32_009
    assert plan.config["sound_end_token"] == 32_008
    assert len(plan.clip_shapes) == 24 * 16 + 7
