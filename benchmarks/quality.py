"""The quality of search through the product: `python -m benchmarks.quality [--home FOLDER]`.

Both sets of real videos (natural/ and more/, under neutral file names), the compilations, questions
in Chinese and questions about what is heard, from the folder that SEEKPOINT_TEST_DATA names. Each
collection is asked by pictures alone, and both sets together with words and sounds too. Intervals
are over whole videos (cluster bootstrap).

The table becomes a page of its own among the experiments, quality.md, with its figures beside it as
JSON.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.support.observations import SHARED
from benchmarks.support.real_videos import (
    FOLDERS,
    TRUTHS,
    absent_questions,
    data_folder,
    ingest_renamed,
    read_rows,
)
from grounding.metrics.reliability import calibration_error, calibration_error_by_chance
from grounding.spans import Span
from indexer.evaluation.report import Report
from indexer.library import Library
from indexer.settings import Settings
from indexer.vocabulary import EvidenceKind

OUTPUT = Path(__file__).parents[1] / "docs" / "experiments" / "quality.md"
HERE = Path(__file__).parent
QUESTIONS_ZH = HERE.parent / "tests" / "indexer" / "evaluation" / "questions_zh.jsonl"
METRICS = {
    "video_r1": "right video first",
    "video_r5": "in the first five",
    "moment_r1_iou50": "first moment, IoU .5",
    "grounding_r1_iou50": "place in the right video, IoU .5",
    "grounding_miou": "mean IoU",
    "no_match_auroc": "no match, AUROC",
    "no_match_false_alarms": "false alarms at 90 % recall",
}
PICTURE = (EvidenceKind.PICTURE,)
BOTH = ("natural", "more")
ABSENT = ("fit", "held_out", "gibberish")


@dataclass(frozen=True, slots=True)
class Part:
    """A line of the table: rows that are asked of collections. `only`: kinds of evidence."""

    name: str
    collections: tuple[str, ...]
    rows: Sequence[dict[str, Any]]
    only: tuple[str, ...] | None = PICTURE


def main() -> None:
    options = parse_options()
    data = data_folder()
    if data is None:
        return
    with tempfile.TemporaryDirectory() as temporary:
        library = Library(Settings(home=options.home or Path(temporary) / "home"))
        names: dict[str, str] = {}
        for folder in FOLDERS:
            names |= ingest_renamed(library, data / folder, folder)
        figures = {part.name: figures_of(ask(library, part)) for part in parts(data, names)}
        figures["absent"] = {which: matches(library, which) for which in ABSENT}
    write(figures, library)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--home", type=Path, help="a home to keep: what it holds is not read again")
    return parser.parse_args()


def parts(data: Path, names: dict[str, str]) -> Iterator[Part]:
    """The lines of the table."""
    truth = {name: read_rows(data / file, names) for name, file in TRUTHS.items()}
    chinese = {
        "natural": in_chinese(truth["natural"], QUESTIONS_ZH),
        "more": in_chinese(truth["more"], data / "ground_truth_more_chinese.jsonl"),
    }
    for name in FOLDERS:
        yield Part(name, (name,), truth[name])
    for name, rows in chinese.items():
        yield Part(f"{name}, in Chinese", (name,), rows)
    for name in BOTH:
        yield Part(f"{name}, among both sets", BOTH, truth[name])
        yield Part(f"{name}, among both sets, words and sounds too", BOTH, truth[name], None)
    rows = read_rows(HERE / "heard_and_said.jsonl", names)
    for kind in ("heard", "said"):
        yield Part(f"what is {kind}", BOTH, [row for row in rows if row["kind"] == kind], None)


def in_chinese(rows: Iterable[dict[str, Any]], file: Path) -> list[dict[str, Any]]:
    """Those of the rows that a file asks in Chinese, by their ids."""
    asked = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    queries = {one["id"]: one["query"] for one in asked}
    return [row | {"query": queries[row["id"]]} for row in rows if row["id"] in queries]


def ask(library: Library, part: Part) -> Report:
    """What the product answers."""
    started = time.monotonic()
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in part.rows)
        file.flush()
        report = library.evaluate(Path(file.name), part.collections, only=part.only)
    print(f"{part.name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return report


def figures_of(report: Report) -> dict[str, Any]:
    """Those of the table, with their intervals."""
    found: dict[str, Any] = {
        metric: {"value": report.all[metric], "interval": report.intervals["all"][metric]}
        for metric in METRICS
        if report.all[metric] == report.all[metric]
    }
    promised, held = first_moments(report)
    return found | {
        "rows": report.all["rows"],
        "calibration_error": calibration_error(promised, held),
        "by_chance": calibration_error_by_chance(promised),
    }


def first_moments(report: Report) -> tuple[list[float], list[bool]]:
    """The probability of the first moment of each answer, and whether it shows what was asked; each
    row with its video, and without where no other video is a fair answer.
    """
    rows = [row for row in report.rows if "masked_confidence" in row and row["first"]]
    promised = [row["first"][3] for row in rows] + [row["masked_confidence"] for row in rows]
    return promised, [_is_shown(row) for row in rows] + [False] * len(rows)


def _is_shown(row: dict[str, Any]) -> bool:
    """Whether the first moment is of the right video and shares SHARED of the shorter span with a
    true window, as probabilities are fitted.
    """
    found = Span(*row["first"][1:3])
    windows = [Span(*window) for window in row["windows"]]
    return row["rank"] == 1 and any(
        found.overlap_s(one) >= SHARED * min(found.length_s, one.length_s) > 0 for one in windows
    )


def matches(library: Library, which: str) -> dict[str, int]:
    """How many questions about what no video shows have an answer, with words and sounds on."""
    questions = absent_questions(which)
    answers = (library.search(text, collections=BOTH) for text in questions)
    return {"asked": len(questions), "matched": sum(answer.matched for answer in answers)}


def write(figures: dict[str, Any], library: Library) -> None:
    OUTPUT.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n")
    OUTPUT.write_text("\n".join(page(figures, library)) + "\n")
    print(OUTPUT.read_text())


def page(figures: dict[str, Any], library: Library) -> Iterator[str]:
    """Lines of the page."""
    yield "# Quality of search"
    yield ""
    yield (
        "Written by `make quality` (benchmarks/quality.py), which asks the product itself about"
        " real videos under neutral file names; where nothing else is said, by pictures alone. In"
        " brackets the 95 % interval over whole videos. The embedder is"
        f" {library.embedder.key}; {platform.machine()}, Python {platform.python_version()}."
    )
    yield ""
    yield "| rows | number | " + " | ".join(METRICS.values()) + " |"
    yield "|---" * (len(METRICS) + 2) + "|"
    table = {name: part for name, part in figures.items() if name != "absent"}
    for name, part in table.items():
        cells = [cell(part[metric]) if metric in part else "" for metric in METRICS]
        yield f"| {name} | {part['rows']} | " + " | ".join(cells) + " |"
    yield ""
    yield "## Probabilities"
    yield ""
    yield (
        "Expected calibration error of the first moment (ten groups of equal size): each row with"
        " its video, and without it where no other would be a fair answer; a moment is right if it"
        " shares half of the shorter span with a true window, as it was fitted. Beside it, what"
        " probabilities that hold exactly would have by chance with as few rows."
    )
    yield ""
    yield "| rows | calibration error | by chance |"
    yield "|---|---|---|"
    for name, part in table.items():
        yield f"| {name} | {part['calibration_error']:.3f} | {part['by_chance']:.3f} |"
    yield ""
    yield from absent_lines(figures["absent"])


def absent_lines(absent: dict[str, dict[str, int]]) -> Iterator[str]:
    """What is said of questions without an answer."""
    fit, held_out, gibberish = (absent[which] for which in ABSENT)
    yield (
        "Questions about things that no video of the sets shows, asked of both sets together with"
        f" words and sounds too: {held_out['matched']} of {held_out['asked']} have an answer. Of"
        f" {fit['asked']} others, on which the probabilities were fitted, {fit['matched']} have"
        f" one; of {gibberish['asked']} strings that mean nothing, {gibberish['matched']}. The"
        " questions are in benchmarks/absent_questions.json."
    )


def cell(figure: dict[str, Any]) -> str:
    low, high = figure["interval"]
    return f"{figure['value']:.3f} [{low:.2f}, {high:.2f}]"


if __name__ == "__main__":
    main()
