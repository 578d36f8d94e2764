import json

import pytest

from indexer.errors import UsageError
from indexer.evaluation.compare import Change, compare, load_report
from indexer.evaluation.report import Report


def row(query: str, **figures) -> dict:
    return {"id": "", "video": "a.mp4", "query": query, **figures}


def report(*rows: dict) -> Report:
    return Report({}, {}, list(rows))


def test_changes_are_named_row_by_row_the_largest_first():
    before = [row("x", rank=2, moment_iou=0.1), row("y", rank=None), row("z", rank=1)]
    after = report(row("x", rank=1, moment_iou=0.6), row("y", rank=4), row("z", rank=1))
    comparison = compare(before, after)
    assert comparison.changes == (
        Change("", "a.mp4", "x", "rank", 2, 1),
        Change("", "a.mp4", "y", "rank", None, 4),
        Change("", "a.mp4", "x", "moment_iou", 0.1, 0.6),
    )
    assert comparison.as_dict()["better"] == 3


@pytest.mark.parametrize(
    ("figure", "before", "after", "better"),
    [
        ("rank", 1, None, False),
        ("rank", None, 50, True),
        ("grounding_iou", 0.6, 0.4, False),
        ("grounding_iou", 0.0, 0.5, True),
    ],
)
def test_a_lower_rank_and_a_larger_overlap_are_better(figure, before, after, better):
    [change] = compare([row("x", **{figure: before})], report(row("x", **{figure: after}))).changes
    assert change.better is better


def test_small_changes_of_an_overlap_are_not_named():
    assert compare([row("x", moment_iou=0.50)], report(row("x", moment_iou=0.52))).changes == ()


def test_a_row_without_an_answer_is_better_with_less_confidence():
    def absent(confidence: float) -> dict:
        return row("x", windows=[], confidence=confidence) | {"video": ""}

    [change] = compare([absent(0.5)], report(absent(0.1))).changes
    assert (change.figure, change.before, change.after, change.better) == (
        "confidence", 0.5, 0.1, True,
    )  # fmt: skip
    assert compare([absent(0.5)], report(absent(0.53))).changes == ()


def test_rows_that_only_one_has_are_named():
    comparison = compare([row("x"), row("gone")], report(row("x"), row("new")))
    assert (comparison.gone, comparison.new) == (("gone",), ("new",))


def test_a_report_is_read_back(tmp_path):
    path = tmp_path / "before.json"
    path.write_text(json.dumps(report(row("x", rank=3)).as_dict()))
    assert load_report(path) == [row("x", rank=3)]


@pytest.mark.parametrize("content", ["", "[]", '{"rows": [1]}', '{"rows": [{"id": 1}]}', "{}"])
def test_what_is_not_a_report_is_refused(tmp_path, content):
    path = tmp_path / "before.json"
    path.write_text(content)
    with pytest.raises(UsageError, match="not a report") as refused:
        load_report(path)
    assert "--json" in refused.value.hint


def test_a_missing_report_is_refused(tmp_path):
    with pytest.raises(UsageError, match="not a report"):
        load_report(tmp_path / "none.json")
