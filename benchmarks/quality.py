"""The quality of search through the product: `python -m benchmarks.quality [--home FOLDER]`.

Both sets of real videos (natural/ and more/, under neutral file names), the compilations, and the
questions in Chinese, from the folder that SEEKPOINT_TEST_DATA names. Each collection is asked by
pictures alone, and a mixed one with words too. Intervals are over whole videos (cluster bootstrap).
The table becomes a page of its own among the experiments, quality.md, with its figures beside it as
JSON. Nothing links to the page before there is one: whoever keeps it names it in docs/index.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.evaluation.report import Report
from indexer.library import Library
from indexer.settings import Settings

OUTPUT = Path(__file__).parents[1] / "docs" / "experiments" / "quality.md"
METRICS = (
    "video_r1",
    "video_r5",
    "moment_r1_iou50",
    "grounding_r1_iou50",
    "grounding_miou",
    "no_match_auroc",
    "no_match_false_alarms",
)
ABSENT = (
    "a giraffe eats leaves",
    "someone plays the harp",
    "a hot-air balloon rises",
    "a surgeon operates",
    "penguins on the ice",
    "a violinist on a stage",
    "a submarine dives",
    "an elephant sprays water",
    "someone rides a camel",
    "a judge in a courtroom",
    "a volcano erupts",
    "a chess game",
    "a knight in armour",
    "a wind turbine turns",
    "children in a swimming lesson",
    "a fencing match",
    "a blacksmith at the anvil",
    "a tram in a city",
    "a bullfight",
    "an astronaut floats in a station",
    "a lighthouse in a storm",
    "someone shears a sheep",
    "a hedgehog in the grass",
    "a ballet dancer on her toes",
    "a rocket on its launch pad",
)
"""Things that no video of either set shows: how many of them match is counted."""


@dataclass(frozen=True, slots=True)
class Part:
    """A line of the table: the questions of a ground truth to a collection."""

    name: str
    collection: str
    truth: str
    only: tuple[str, ...] | None = ("picture",)


PARTS = (
    Part("natural", "natural", "ground_truth.jsonl"),
    Part("more", "more", "ground_truth_more.jsonl"),
    Part("more, in Chinese", "more", "ground_truth_more_chinese.jsonl"),
    Part("compilations", "compilations", "ground_truth_compilations.jsonl"),
    Part("natural, words too", "natural", "ground_truth.jsonl", None),
    Part("more, words too", "more", "ground_truth_more.jsonl", None),
)
FOLDERS = {"natural": "natural", "more": "more", "compilations": "compilations"}


def main() -> None:
    options = parse_options()
    data = os.environ.get("SEEKPOINT_TEST_DATA")
    if not data:
        print("not measured: SEEKPOINT_TEST_DATA, the folder of real videos, is not set")
        return
    with tempfile.TemporaryDirectory() as temporary:
        home = options.home or Path(temporary) / "home"
        library = Library(Settings(home=home))
        names = {
            collection: ingest_renamed(library, Path(data) / folder, collection)
            for collection, folder in FOLDERS.items()
        }
        reports = {
            part.name: evaluate(library, Path(data), part, names[part.collection]) for part in PARTS
        }
        matched = absent_matches(library, tuple(FOLDERS))
    write(reports, matched, library)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--home", type=Path, help="a home to keep: what it holds is not read again")
    return parser.parse_args()


def ingest_renamed(library: Library, folder: Path, collection: str) -> dict[str, str]:
    """Makes the videos of a folder searchable under names that say nothing; their names by the
    old ones.
    """
    files = sorted(file for file in folder.iterdir() if file.suffix in (".mp4", ".webm", ".mkv"))
    links = library.settings.home_path / "videos" / collection
    links.mkdir(parents=True, exist_ok=True)
    names = {file.name: f"{number:03d}{file.suffix}" for number, file in enumerate(files)}
    for file in files:
        link = links / names[file.name]
        if not link.is_symlink():
            link.symlink_to(file.resolve())
    report = library.ingest([links], collection)
    if report.failures:
        raise SystemExit(f"{report.failures[0].path}: {report.failures[0].error}")
    return names


def evaluate(library: Library, data: Path, part: Part, names: dict[str, str]) -> Report:
    print(f"asking: {part.name}", file=sys.stderr, flush=True)
    rows = [json.loads(line) for line in (data / part.truth).read_text("utf-8").splitlines()]
    renamed = [row | {"video": names.get(row["video"], row["video"])} for row in rows]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in renamed)
        file.flush()
        return library.evaluate(Path(file.name), part.collection, only=part.only)


def absent_matches(library: Library, collections: Sequence[str]) -> int:
    """How many questions about things that no video shows have an answer, with words on."""
    answers = (library.search(text, collections=collections) for text in ABSENT)
    return sum(answer.matched for answer in answers)


def write(reports: dict[str, Report], matched: int, library: Library) -> None:
    figures: dict[str, Any] = {
        name: {
            "rows": report.all["rows"],
            **{
                metric: {"value": report.all[metric], "interval": report.intervals["all"][metric]}
                for metric in METRICS
                if report.all[metric] == report.all[metric]
            },
        }
        for name, report in reports.items()
    }
    figures["absent"] = {"asked": len(ABSENT), "matched": matched}
    OUTPUT.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n")
    OUTPUT.write_text("\n".join(lines(figures, library)) + "\n")
    print(OUTPUT.read_text())
    print(f"written to {OUTPUT}; docs/index.md links to it if it is kept", file=sys.stderr)


def lines(figures: dict[str, Any], library: Library) -> Iterable[str]:
    yield "# Quality of search"
    yield ""
    yield (
        "Written by `make quality` (benchmarks/quality.py), which asks the product itself about"
        " real videos under neutral file names. In brackets the 95 % interval over whole videos."
        f" The embedder is {library.embedder.key}; {platform.machine()}, Python"
        f" {platform.python_version()}."
    )
    yield ""
    yield "| set | rows | " + " | ".join(METRICS) + " |"
    yield "|---" * (len(METRICS) + 2) + "|"
    for name, part in figures.items():
        if name == "absent":
            continue
        cells = [cell(part[metric]) if metric in part else "" for metric in METRICS]
        yield f"| {name} | {part['rows']} | " + " | ".join(cells) + " |"
    absent = figures["absent"]
    yield ""
    yield (
        f"Of {absent['asked']} questions about things that no video of the sets shows,"
        f" {absent['matched']} have an answer (all collections, words too)."
    )


def cell(figure: dict[str, Any]) -> str:
    low, high = figure["interval"]
    return f"{figure['value']:.2f} [{low:.2f}, {high:.2f}]"


if __name__ == "__main__":
    main()
