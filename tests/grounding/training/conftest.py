import json
from pathlib import Path

import pytest

from grounding.synthetic.make import Amounts, make_data
from grounding.training.settings import Source, stage_settings

START = Path(__file__).parents[1] / "lego" / "fixtures" / "tiny" / "checkpoint"
"""A random model of the published layout; read only."""


@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> Path:
    """A little data of all kinds, in the record format."""
    folder = tmp_path_factory.mktemp("drawn")
    make_data(folder, Amounts(clips=6, pictures=6, sources=6, test=2))
    return folder


@pytest.fixture
def planned(drawn, tmp_path):
    """Settings of a short run of a stage, with changes."""

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
            stage, Path(start), tmp_path / output, tuple(sources), **{**short, **changes}
        )

    return plan


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
