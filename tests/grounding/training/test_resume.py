"""A run that was killed goes on with the losses of one that was not."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from grounding.errors import TrainingError
from grounding.training.checkpoints import _digest
from grounding.training.plot import read_losses
from grounding.training.settings import RENAMED, Source
from grounding.training.stage import run_stage
from tests.grounding.training.conftest import START
from tests.support import free_port

PROGRAM = """
import sys, time
from grounding.training.trainer import LegoTrainer
step = LegoTrainer.training_step
def slow(self, *args, **named):
    time.sleep(0.3)
    return step(self, *args, **named)
LegoTrainer.training_step = slow
from grounding.training.__main__ import app
app()
"""
STEPS = 7


def test_killed_run_goes_on_to_the_same_losses(planned, drawn, tmp_path):
    settings = {
        "max_steps": STEPS,
        "save_steps": 2,
        "batch_size": 4,
        "seed": 3,
        "dropout": 0.1,
    }  # more steps than an epoch has
    whole = run_stage(planned(1, output="whole", epochs=9.0, **settings))
    config = tmp_path / "settings.json"
    fixed = {
        "epochs": 9.0,
        "gradient_accumulation_steps": 1,
        "precision": "float32",
        "workers": 0,
        "log_steps": 1,
        "device": "cpu",
        "learning_rate": 1e-2,
    }
    config.write_text(json.dumps({**settings, **fixed}))
    output = tmp_path / "killed"
    command = [
        sys.executable,
        "-c",
        PROGRAM,
        "stage1",
        "--from",
        str(START),
        "--output",
        str(output),
    ]
    command += ["--data", str(drawn / "stage1.jsonl"), "--config", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (output / "checkpoint-4" / "trainer_state.json").exists():
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (output / "model").exists()
    run_stage(planned(1, output="killed", epochs=9.0, **settings))
    assert read_losses(output / "log.jsonl") == pytest.approx(
        read_losses(whole.parent / "log.jsonl"), rel=1e-6
    )
    assert set(read_losses(output / "log.jsonl")) == set(range(1, STEPS + 1))
    left = json.loads((output / "checkpoint-6" / "trainer_state.json").read_text())
    assert left["global_step"] == 6


def test_a_run_with_other_settings_does_not_go_on(planned, finished):
    (finished / "model").rename(finished / "elsewhere")
    with pytest.raises(
        TrainingError, match=r"belongs to another run: learning_rate was 0.01 and is 0.02"
    ):
        run_stage(planned(1, learning_rate=0.02))


@pytest.mark.parametrize(
    "file",
    [
        "model.safetensors",
        "optimizer.pt",
        "rng_state.pth",
        "trainer_state.json",
        "run_fingerprint.json",
    ],
)
def test_a_checkpoint_that_is_not_whole_gives_its_place_to_the_one_before(
    planned, finished, caplog, file
):
    output = finished
    expected = read_losses(output / "log.jsonl")[3]
    (output / "model").rename(output / "elsewhere")
    part = output / "checkpoint-3" / file
    part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])
    with (output / "log.jsonl").open("a") as log:
        log.write('{"step": 3, "lo')
    run_stage(planned(1))
    assert '{"step": 3, "lo' in (output / "log.jsonl").read_text().splitlines()
    assert read_losses(output / "log.jsonl")[3] == pytest.approx(expected, rel=1e-6)
    assert "checkpoint-3 cannot be read" in caplog.text
    (output / "model").rename(output / "elsewhere too")
    for checkpoint in output.glob("checkpoint-*"):
        (checkpoint / file).unlink()
    with pytest.raises(TrainingError, match=r"cannot be read.*remove it to begin again"):
        run_stage(planned(1))


def test_a_checkpoint_of_an_earlier_version_goes_on(planned, finished):
    output = finished
    (output / "model").rename(output / "elsewhere")
    for checkpoint in output.glob("checkpoint-*"):
        fingerprint = json.loads((checkpoint / "run_fingerprint.json").read_text())
        settings = fingerprint["settings"]
        for old, new in RENAMED.items():
            if new in settings:
                settings[old] = settings.pop(new)
        (checkpoint / "passport.json").write_text(json.dumps(fingerprint))
        (checkpoint / "run_fingerprint.json").unlink()
    assert run_stage(planned(1, save_steps=2)).is_dir()
    (output / "model").rename(output / "elsewhere too")
    with pytest.raises(TrainingError, match=r"belongs to another run: max_grad_norm was 1.0"):
        run_stage(planned(1, max_grad_norm=0.5))


def test_a_run_that_was_stopped_before_its_model_is_published_trains_no_further(planned, finished):
    folder = finished / "model"
    model = (folder / "training.json").parent
    before = {file.name: file.read_bytes() for file in model.glob("*.safetensors")}
    folder.rename(folder.with_name("elsewhere"))
    log = folder.parent / "log.jsonl"
    log.write_bytes(log.read_bytes() + b'{"step": 3, "lo')  # a full disk
    run_stage(planned(1, save_steps=2))
    assert not (folder.parent / "checkpoint-4").exists()
    assert {file.name: file.read_bytes() for file in folder.glob("*.safetensors")} == before
    assert sorted(read_losses(log)) == [1, 2, 3]


def test_a_run_does_not_go_on_with_other_records(planned, records_of, drawn):
    rows = (drawn / "stage1.jsonl").read_text().splitlines()
    sources = [Source(records_of(rows), media=drawn)]
    run_stage(planned(1, sources=sources, save_steps=2))
    output = planned(1).output
    (output / "model").rename(output / "elsewhere")
    _digest.cache_clear()  # another process
    records_of(rows[:-1])
    with pytest.raises(TrainingError, match="belongs to another run: records was"):
        run_stage(planned(1, sources=sources))


def test_lora_begins_with_the_same_numbers_each_time(planned):
    runs = [run_stage(planned(2, output=name, lora_rank=4, dropout=0.1)) for name in ("one", "two")]
    one, two = (read_losses(folder.parent / "log.jsonl") for folder in runs)
    assert one == two


def test_two_processes_take_the_steps_of_one_with_all_their_rows(planned, drawn, tmp_path):
    """By the documented command, so that its options get past the launcher."""
    fixed = {
        "gradient_accumulation_steps": 1,
        "precision": "float32",
        "workers": 0,
        "log_steps": 1,
        "device": "cpu",
        "dropout": 0.0,
        "max_steps": 1,
    }
    fixed |= {"group_by_length": False, "gradient_checkpointing": False}
    config = tmp_path / "settings.json"
    config.write_text(json.dumps(fixed))
    run_stage(planned(1, output="of-1", batch_size=8, **fixed))
    output = tmp_path / "of-2"
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", 2]
    command += ["--master-port", free_port(), "-m", "grounding.training", "stage1"]
    command += ["--from", START, "--output", output, "--data", drawn / "stage1.jsonl"]
    command += ["--config", config, "--set", "batch_size=4"]
    done = subprocess.run(
        [*map(str, command)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = (
        json.loads((tmp_path / name / "log.jsonl").read_text().splitlines()[0])
        for name in ("of-1", "of-2")
    )
    assert two["loss"] == pytest.approx(one["loss"], rel=1e-4)
    assert two["grad_norm"] == pytest.approx(one["grad_norm"], rel=1e-3)
