"""A run that was killed goes on with the losses of one that was not."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from grounding.training.errors import TrainingError
from grounding.training.stage import run_stage
from tests.grounding.training.conftest import START

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


def losses(log):
    return {row["step"]: row["loss"] for row in map(json.loads, log.read_text().splitlines()) if "loss" in row}


def test_killed_run_goes_on_to_the_same_losses(planned, drawn, tmp_path):
    settings = {"max_steps": STEPS, "save_steps": 2, "batch_size": 4, "seed": 3, "dropout": 0.1}  # more steps than an epoch has
    whole = run_stage(planned(1, output="whole", epochs=9.0, **settings))
    config = tmp_path / "settings.json"
    fixed = {"epochs": 9.0, "accumulation": 1, "precision": "float32", "workers": 0, "log_steps": 1, "device": "cpu", "learning_rate": 1e-2}
    config.write_text(json.dumps({**settings, **fixed}))
    output = tmp_path / "killed"
    command = [sys.executable, "-c", PROGRAM, "stage1", "--start", str(START), "--output", str(output)]
    command += ["--data", str(drawn / "stage1.jsonl"), "--config", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (output / "checkpoint-4" / "trainer_state.json").exists():
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (output / "model").exists()
    subprocess.run(command, check=True, capture_output=True)
    assert losses(output / "log.jsonl") == pytest.approx(losses(whole.parent / "log.jsonl"), rel=1e-6)
    assert set(losses(output / "log.jsonl")) == set(range(1, STEPS + 1))
    left = json.loads((output / "checkpoint-6" / "trainer_state.json").read_text())
    assert left["global_step"] == 6


def test_a_run_with_other_settings_does_not_go_on(planned):
    run_stage(planned(1, save_steps=2))
    output = planned(1).output
    (output / "model").rename(output / "elsewhere")
    with pytest.raises(TrainingError, match=r"belongs to another run: learning_rate was 0.01 and is 0.02"):
        run_stage(planned(1, learning_rate=0.02))


def test_a_damaged_checkpoint_is_named(planned):
    run_stage(planned(1, save_steps=2))
    output = planned(1).output
    (output / "model").rename(output / "elsewhere")
    weights = output / "checkpoint-3" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(TrainingError, match="checkpoint-3 cannot be read"):
        run_stage(planned(1))
