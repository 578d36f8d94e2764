"""`python -m benchmarks.gpu` at tiny sizes on the CPU: that every part runs, and what has to be the
same on every device.
"""

import torch

from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu.lego import Compiled, make_model, write
from benchmarks.gpu.report import Table


def test_every_part_runs_and_the_table_says_that_no_gpu_was_used(capsys):
    gpu.main(["--device", "cpu", "--only", "search", "lego"])
    out = capsys.readouterr().out
    for what in ("FAISS, 2,000 rows", "LEGO, a window of", "stage 2, LoRA", "stage 3, whole"):
        assert what in out
    assert "NOT within" not in out
    assert "No GPU was used" in out


def test_memory_of_a_fixed_size_writes_the_same_tokens():
    with torch.inference_mode():
        model = make_model(True, torch.device("cpu"), torch.float32)
        side = model.config.eva.image_size
        encoded = model.encode("video", [torch.randn(3, model.config.max_frames, side, side)])
        plain = write(model, encoded, 12)
        assert Compiled(model, encoded, 12, compiled=lambda step: step).write() == plain
    assert len(set(plain)) > 1


def test_nothing_is_begun_when_the_time_is_over(capsys):
    table = Table(torch.device("cpu"), deadline=0.0)
    table.part("late", lambda: table.row("late", "1 s"))
    assert table.not_run == ["late"]
    assert not capsys.readouterr().out


def test_what_does_not_fit_costs_its_own_row_alone(capsys):
    def too_large() -> None:
        raise torch.OutOfMemoryError("no memory")

    table = Table(torch.device("cpu"), deadline=float("inf"))
    table.part("large", too_large)
    table.part("small", lambda: table.row("small", "1 s"))
    assert "| large | not measured: no memory |" in capsys.readouterr().out
