"""What people said of answers is a ground truth like any other."""

import json

import pytest
from typer.testing import CliRunner

from grounding.spans import Span
from indexer.catalog import accounts
from indexer.catalog.people import feedback
from indexer.cli import app
from indexer.errors import UsageError
from indexer.evaluation.feedback import feedback_rows
from tests.support import colour_video, demo_environment, demo_library


def test_thumbs_become_rows_that_evaluate_reads(tmp_path, monkeypatch):
    library = demo_library(tmp_path / "home")
    colour_video(tmp_path / "a" / "light.mp4", [("red", 2), ("green", 3), ("blue", 2)])
    library.ingest([tmp_path / "a"])
    with pytest.raises(UsageError, match="nobody has said yet"):
        feedback_rows(library.context, ["default"])
    with library.catalog.begin() as s:
        vera = accounts.add_account(s, "vera", "viewer", None, password_hash="hash")
        feedback.add_feedback(s, "green", 1, Span(2, 5), True)
        feedback.add_feedback(s, "green", 1, Span(0, 2), False)
        feedback.add_feedback(s, "blue", 1, Span(0, 2), True)
        feedback.add_feedback(s, "blue", 1, Span(0, 2), False, account_id=vera)
    (row,) = feedback_rows(library.context, ["default"])
    assert (row.video, row.query, row.windows) == ("light.mp4", "green", (Span(2, 5),))
    for name, value in demo_environment(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    run = CliRunner().invoke(app, ["evaluate", "--feedback", "--json"])
    report = json.loads(run.stdout)
    assert report["all"]["grounding_r1_iou70"] == 1.0
    assert [row["query"] for row in report["rows"]] == ["green"]
    for wrong in (["evaluate"], ["evaluate", "rows.jsonl", "--feedback"]):
        assert isinstance(CliRunner().invoke(app, wrong).exception, UsageError)
