"""What changed between two evaluations, row by row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import UsageError
from indexer.evaluation.report import Report, Result

LEAST_CHANGE = 0.05
"""Smaller changes of an overlap or a probability are not named."""
CONFIDENCE = "confidence"  # compared for rows without an answer alone
IOU_FIELDS = ("moment_iou", "grounding_iou", "iou", "lego_iou", "refined_iou")


@dataclass(frozen=True, slots=True)
class Change:
    """One row and one of its figures. `before` and `after`: the rank of its video (None: not among
    those found), the overlap of a span, or, of a row that nothing answers, the confidence that
    something does.
    """

    id: str
    video: str
    query: str
    figure: str
    before: float | None
    after: float | None

    @property
    def better(self) -> bool:
        """Whether the figure improved: overlaps are better when higher, all others when lower."""
        if self.figure == "rank":
            return (self.after or float("inf")) < (self.before or float("inf"))
        if self.figure == CONFIDENCE:
            return (self.after or 0.0) < (self.before or 0.0)
        return (self.after or 0.0) > (self.before or 0.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`changes`: the largest first, ranks before overlaps. `gone` and `new`: questions that one of
    the two evaluations lacks.
    """

    changes: tuple[Change, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "better": sum(change.better for change in self.changes),
            "worse": sum(not change.better for change in self.changes),
            "changes": [
                {
                    "id": change.id,
                    "video": change.video,
                    "query": change.query,
                    "figure": change.figure,
                    "before": change.before,
                    "after": change.after,
                    "better": change.better,
                }
                for change in self.changes
            ],
            "gone": list(self.gone),
            "new": list(self.new),
        }


def load_report(path: Path) -> list[Result]:
    """Rows of a report that `seekpoint evaluate --json` wrote. Raises UsageError."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        if not all(isinstance(row, dict) and "query" in row for row in rows):
            raise ValueError("its rows have no query")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            "{path} is not a report of an evaluation: {error}",
            "write one with: seekpoint evaluate GROUND_TRUTH --json > {path}",
            path=path,
            error=error,
        ) from None
    return rows


def compare(before: Sequence[Result], report: Report) -> Comparison:
    """What differs between earlier rows and those of a report; rows are told apart by id, video and
    query.
    """
    old, new = (_by_key(rows) for rows in (before, report.rows))
    changes = [change for key in new if key in old for change in _changes_of(old[key], new[key])]
    changes.sort(key=lambda change: (change.figure != "rank", -_size(change)))
    return Comparison(
        tuple(changes),
        tuple(row["query"] for key, row in old.items() if key not in new),
        tuple(row["query"] for key, row in new.items() if key not in old),
    )


def _by_key(rows: Sequence[Result]) -> Mapping[tuple[str, str, str], Result]:
    return {(row.get("id", ""), row.get("video", ""), row["query"]): row for row in rows}


def _changes_of(old: Result, new: Result) -> list[Change]:
    changes = []
    for figure in ("rank", *IOU_FIELDS) if new.get("windows", True) else (CONFIDENCE,):
        if figure not in old or figure not in new:
            continue
        before, after = old[figure], new[figure]
        changed = (
            before != after
            if figure == "rank"
            else abs((after or 0.0) - (before or 0.0)) >= LEAST_CHANGE
        )
        if changed:
            who = (new.get("id", ""), new.get("video", ""), new["query"])
            changes.append(Change(*who, figure, before, after))
    return changes


def _size(change: Change) -> float:
    """Of a rank as the change of its reciprocal, which is that of an overlap's scale."""
    if change.figure == "rank":
        return abs(1 / (change.before or float("inf")) - 1 / (change.after or float("inf")))
    return abs((change.after or 0.0) - (change.before or 0.0))
