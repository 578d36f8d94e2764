"""Floors of how well real videos are answered, through the product, on the shortest videos of both
sets: a change that breaks search fails soon. `make quality` measures all of them.
"""

import json
from pathlib import Path

import pytest

from benchmarks.support.real_videos import TRUTHS, absent_questions
from indexer.evaluation.report import Report
from indexer.library import Library
from indexer.settings import Settings

pytestmark = pytest.mark.timeout(240)  # the videos are read in the first test
QUESTIONS_ZH = Path(__file__).with_name("questions_zh.jsonl")
MORE_ZH = "ground_truth_more_chinese.jsonl"
LONGEST_S = {"natural": 9.7, "more": 8.6}  # 8 and 13 videos, two and a half minutes


@pytest.fixture(scope="module")
def rows(test_data) -> dict[str, list[dict]]:
    """Of each collection: those about the videos that are read."""
    return {
        name: [row for row in _read(test_data / TRUTHS[name]) if row["duration"] <= longest_s]
        for name, longest_s in LONGEST_S.items()
    }


@pytest.fixture(scope="module")
def library(test_data, rows, tmp_path_factory) -> Library:
    home = tmp_path_factory.mktemp("quality")
    library = Library(Settings(home=home, speech=False, screen_text=False, sound=False))
    for name in LONGEST_S:
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
        "video_r1": 0.65,
        "video_r5": 0.76,
        "grounding_miou": 0.15,
        "no_match_auroc": 0.75,
    },
    "more": {
        "video_r1": 0.73,
        "video_r5": 0.90,
        "grounding_miou": 0.25,
        "no_match_auroc": 0.70,
    },
}


@pytest.mark.parametrize(("collection", "floors"), FLOORS.items())
def test_real_videos_are_found_and_moments_placed(library, rows, tmp_path, collection, floors):
    found = measured(library, tmp_path, rows[collection], collection).all
    assert {name: round(found[name], 3) for name in floors if found[name] < floors[name]} == {}


@pytest.mark.parametrize("collection", LONGEST_S)
def test_real_videos_are_found_in_chinese(library, rows, test_data, tmp_path, collection):
    file = QUESTIONS_ZH if collection == "natural" else test_data / MORE_ZH
    chinese = {row["id"]: row["query"] for row in _read(file)}
    asked = [
        row | {"query": chinese[row["id"]]} for row in rows[collection] if row["id"] in chinese
    ]
    assert measured(library, tmp_path, asked, collection).all["video_r1"] >= 0.7


def test_most_of_what_no_video_shows_has_no_answer(library):
    held_out = absent_questions("held_out")
    assert sum(library.search(text).matched for text in held_out) <= 0.3 * len(held_out)


def test_what_means_nothing_has_hardly_an_answer(library):
    """None in the whole sets; among as few videos as these a string may come near by chance."""
    assert sum(library.search(text).matched for text in absent_questions("gibberish")) <= 1
