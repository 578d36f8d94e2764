"""The real videos of SEEKPOINT_TEST_DATA as collections of a library, under names that say nothing,
and the questions about them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from indexer.library import Library
from indexer.media.formats import VIDEO_SUFFIXES

FOLDERS = ("natural", "more", "compilations")
TRUTHS = {
    "natural": "ground_truth.jsonl",
    "more": "ground_truth_more.jsonl",
    "compilations": "ground_truth_compilations.jsonl",
}
ABSENT_FILE = Path(__file__).parents[1] / "absent_questions.json"


def data_folder() -> Path | None:
    """The folder of real videos; None, which is said, where none is set."""
    folder = os.environ.get("SEEKPOINT_TEST_DATA")
    if not folder:
        print("not measured: SEEKPOINT_TEST_DATA, the folder of real videos, is not set")
        return None
    return Path(folder)


def ingest_renamed(library: Library, folder: Path, collection: str) -> dict[str, str]:
    """Makes the videos of a folder searchable under names that say nothing; their names by the
    old ones.
    """
    files = sorted(file for file in folder.iterdir() if file.suffix in VIDEO_SUFFIXES)
    links = library.settings.home_path / "videos" / collection
    links.mkdir(parents=True, exist_ok=True)
    first = 100 * FOLDERS.index(collection)  # no two collections have a name in common
    names = {file.name: f"{first + n:03d}{file.suffix}" for n, file in enumerate(files)}
    for file in files:
        link = links / names[file.name]
        if not link.is_symlink():
            link.symlink_to(file.resolve())
    report = library.ingest([links], collection)
    if report.failures:
        raise SystemExit(f"{report.failures[0].path}: {report.failures[0].error}")
    return names


def read_rows(file: Path, names: dict[str, str]) -> list[dict[str, Any]]:
    """Rows of a ground truth, their videos under the names that `ingest_renamed` gave."""
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [row | {"video": names.get(row["video"], row["video"])} for row in rows]


def absent_questions(part: str) -> list[str]:
    """Questions about things that none of the videos shows. `part`: those that probabilities are
    fitted on (`fit`), others that judge (`held_out`), or what means nothing (`gibberish`).
    """
    return json.loads(ABSENT_FILE.read_text("utf-8"))[part]
