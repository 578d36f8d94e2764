"""Settings that make no sense are refused before anything is loaded."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grounding.errors import TrainingError
from grounding.training.__main__ import app
from grounding.training.settings import Source, read_changes, stage_settings

HERE = Path("start"), Path("output"), (Source(Path("rows.jsonl")),)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", "abc"),
        ("batch_size", 2.5),
        ("batch_size", 0),
        ("learning_rate", "fast"),
        ("learning_rate", float("inf")),
        ("learning_rate", 0),
        ("schedule", "foo"),
        ("precision", "float64"),
        ("warmup", -1),
        ("dropout", 2),
        ("workers", -1),
        ("seed", -1),
        ("save_steps", None),
        ("max_steps", -3),
        ("max_steps", "x"),
        ("weight_decay", "x"),
        ("device", "cuda"),
        ("group_by_length", "perhaps"),
    ],
)
def test_a_value_of_another_kind(name, value):
    with pytest.raises(TrainingError, match=name):
        stage_settings(1, *HERE, **{name: value})


def test_names_that_there_are_not():
    with pytest.raises(TrainingError, match="no setting sources; there are learning_rate"):
        stage_settings(1, *HERE, sources="x")


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("accumulation", "gradient_accumulation_steps", 7),
        ("clip_norm", "max_grad_norm", 0.5),
        ("engine", "distributed_config", Path("zero2.json")),
        ("any_start", "any_base_checkpoint", True),
    ],
)
def test_names_of_earlier_versions_count_with_a_warning(old, new, value, tmp_path, caplog):
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({old: value}, default=str))
    settings = stage_settings(2, *HERE, **read_changes(file))
    assert getattr(settings, new) == value
    assert f"the setting {old} is called {new} now" in caplog.text


def test_a_setting_under_both_of_its_names_is_refused():
    both = {"accumulation": 4, "gradient_accumulation_steps": 2}
    with pytest.raises(TrainingError, match="gradient_accumulation_steps is set twice"):
        stage_settings(2, *HERE, **both)
    with pytest.raises(TrainingError, match="set twice, once as accumulation"):
        stage_settings(2, *HERE, **dict(reversed(both.items())))


def test_values_are_read_as_what_they_are():
    settings = stage_settings(
        2, *HERE, group_by_length="no", features="kept", max_steps=None, learning_rate="1e-3"
    )
    assert (settings.group_by_length, settings.features, settings.learning_rate) == (
        False,
        Path("kept"),
        1e-3,
    )


@pytest.mark.parametrize("weight", ["0", "-1", "nan", "inf", "1e9"])
def test_weights_that_are_none(weight, tmp_path):
    (tmp_path / "rows.jsonl").write_text("")
    done = CliRunner().invoke(
        app,
        [
            "stage1",
            "--from",
            "x",
            "--output",
            str(tmp_path / "o"),
            "--data",
            f"{tmp_path}/rows.jsonl:{weight}",
        ],
    )
    assert done.exit_code == 1
    assert "the weight of" in done.output


def test_an_output_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(
        app,
        [
            "stage1",
            "--from",
            str(tmp_path),
            "--output",
            str(tmp_path / "file"),
            "--data",
            "rows.jsonl",
        ],
    )
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
