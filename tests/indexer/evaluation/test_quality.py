"""Floors of how well real videos are answered, through the product: a change that costs more than
chance fails. `make quality` measures all of it.
"""

import json
from pathlib import Path

import pytest

from benchmarks.support.real_videos import absent_questions
from indexer.evaluation.report import Report
from indexer.library import Library
from indexer.settings import Settings

pytestmark = pytest.mark.timeout(1500)  # the videos are read in the first test
QUESTIONS_ZH = Path(__file__).with_name("questions_zh.jsonl")
LONGEST_S = 16.1  # of the videos of `more`: 50 of 68, a minute of CPU time
ROWS = {"natural": "ground_truth.jsonl", "more": "ground_truth_more.jsonl"}


@pytest.fixture(scope="module")
def rows(test_data) -> dict[str, list[dict]]:
    """Of each collection: those about the videos that are read."""
    read = {name: _read(test_data / file) for name, file in ROWS.items()}
    read["more"] = [row for row in read["more"] if row["duration"] <= LONGEST_S]
    return read


@pytest.fixture(scope="module")
def library(test_data, rows, tmp_path_factory) -> Library:
    home = tmp_path_factory.mktemp("quality")
    library = Library(Settings(home=home, speech=False, screen_text=False, sound=False))
    for name in ROWS:
        report = library.ingest(
            [test_data / name / video for video in sorted({row["video"] for row in rows[name]})],
            name,
        )
        assert not report.failures
    return library


def _read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def measured(library: Library, folder: Path, rows: list[dict], collection: str) -> Report:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return library.evaluate(path, collection, only=["picture"])


FLOORS = {
    "natural": {
        "video_r1": 0.70,
        "video_r5": 0.88,
        "moment_r1_iou50": 0.20,
        "grounding_r1_iou50": 0.34,
        "no_match_auroc": 0.75,
    },
    "more": {
        "video_r1": 0.40,
        "video_r5": 0.70,
        "moment_r1_iou50": 0.12,
        "grounding_r1_iou50": 0.34,
        "no_match_auroc": 0.58,
    },
}


@pytest.mark.parametrize(("collection", "floors"), FLOORS.items())
def test_real_videos_are_found_and_moments_placed(library, rows, tmp_path, collection, floors):
    found = measured(library, tmp_path, rows[collection], collection).all
    assert {name: round(found[name], 3) for name in floors if found[name] < floors[name]} == {}


def test_real_videos_are_found_in_chinese(library, rows, tmp_path):
    chinese = {row["id"]: row["query"] for row in _read(QUESTIONS_ZH)}
    asked = [row | {"query": chinese[row["id"]]} for row in rows["natural"] if row["id"] in chinese]
    assert len(asked) == 30
    assert measured(library, tmp_path, asked, "natural").all["video_r5"] >= 0.75


def test_most_of_what_no_video_shows_has_no_answer(library):
    held_out = absent_questions("held_out")
    assert sum(library.search(text).matched for text in held_out) <= 0.3 * len(held_out)


def test_what_means_nothing_has_no_answer(library):
    assert [t for t in absent_questions("gibberish") if library.search(t).matched] == []
