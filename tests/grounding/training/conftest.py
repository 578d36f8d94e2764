import json
import shutil
from pathlib import Path

import pytest

from grounding.synthetic.make import Amounts, make_data
from grounding.training.settings import Source, stage_settings
from grounding.training.stage import run_stage

START = Path(__file__).parents[1] / "lego" / "fixtures" / "tiny" / "checkpoint"
"""A random model of the published layout; read only."""


@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> Path:
    """A little data of all kinds, in the record format."""
    folder = tmp_path_factory.mktemp("drawn")
    make_data(folder, Amounts(clips=6, pictures=6, sources=6, test=2))
    return folder


def plan_in(folder: Path, drawn: Path):
    """Settings of a short run of a stage below `folder`, with changes."""

    def plan(stage, *, start=START, output="run", sources=None, **changes):
        sources = (Source(drawn / f"stage{stage}.jsonl"),) if sources is None else sources
        short = {
            "max_steps": 3,
            "batch_size": 4,
            "gradient_accumulation_steps": 1,
            "precision": "float32",
            "workers": 0,
            "log_steps": 1,
            "device": "cpu",
            "learning_rate": 1e-2,
            "any_base_checkpoint": start == START and stage > 1,
        }
        return stage_settings(
            stage, Path(start), folder / output, tuple(sources), **{**short, **changes}
        )

    return plan


@pytest.fixture
def planned(drawn, tmp_path):
    return plan_in(tmp_path, drawn)


@pytest.fixture(scope="session")
def _finished(drawn, tmp_path_factory) -> Path:
    plan = plan_in(tmp_path_factory.mktemp("finished"), drawn)
    return run_stage(plan(1, save_steps=2)).parent


@pytest.fixture
def finished(_finished, planned) -> Path:
    """The folder of a run that is done, where `planned(1)` has its own."""
    return Path(shutil.copytree(_finished, planned(1).output))


@pytest.fixture
def records_of(tmp_path):
    """Writes rows as a file of records."""

    def write(rows, name="rows.jsonl"):
        file = tmp_path / name
        file.write_text(
            "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows),
            encoding="utf-8",
        )
        return file

    return write
