"""What every protocol gives back: named numbers, each with its interval where it is a mean over
questions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grounding.errors import EvaluationError
from grounding.metrics.bootstrap import mean_interval


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a benchmark; NaN where there was nothing to compute it from."""

    value: float
    interval: tuple[float, float] | None = None
    """95 %, bootstrap over questions."""
    percent: bool = True
    """Shown times a hundred."""

    def text(self) -> str:
        """For a table: the value, and its interval in brackets."""
        scale = 100 if self.percent else 1
        if math.isnan(self.value):
            return "-"
        shown = f"{self.value * scale:.2f}"
        return (
            shown
            if self.interval is None
            else f"{shown} [{self.interval[0] * scale:.1f}, {self.interval[1] * scale:.1f}]"
        )


@dataclass(frozen=True, slots=True)
class Scores:
    """What a protocol says about a run."""

    task: str
    metrics: Mapping[str, Metric]
    counts: Mapping[str, int]
    """`rows`, `missing` (no answer at all), `unread` (an answer that says nothing of the kind that
    is asked for), ...
    """
    notes: Sequence[str] = field(default_factory=tuple)

    def to_json(self) -> dict[str, Any]:
        """For a file of results; NaN becomes null."""
        metrics = {
            name: {
                "value": _finite(m.value),
                "interval": m.interval and list(map(_finite, m.interval)),
                "percent": m.percent,
            }
            for name, m in self.metrics.items()
        }
        return {
            "task": self.task,
            "metrics": metrics,
            "counts": dict(self.counts),
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, raw: Any) -> Scores:
        """What `to_json` gave. Raises EvaluationError for anything else."""
        try:
            metrics = {
                name: Metric(
                    math.nan if m["value"] is None else float(m["value"]),
                    _interval(m["interval"]),
                    bool(m["percent"]),
                )
                for name, m in raw["metrics"].items()
            }
            counts = {str(name): int(count) for name, count in raw["counts"].items()}
            return cls(str(raw["task"]), metrics, counts, tuple(map(str, raw["notes"])))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise EvaluationError(
                f"these are not scores: {error!r}; `--json` writes them"
            ) from error

    def lines(self) -> list[str]:
        """For the terminal."""
        counted = ", ".join(f"{count:,} {name}" for name, count in self.counts.items())
        return [
            *(f"{name:16} {metric.text()}" for name, metric in self.metrics.items()),
            counted,
            *self.notes,
        ]


def _interval(raw: Any) -> tuple[float, float] | None:
    if not raw:
        return None
    low, high = (math.nan if bound is None else float(bound) for bound in raw)
    return low, high


def mean(values: Sequence[float], *, percent: bool = True) -> Metric:
    """The mean with its bootstrap interval; NaN without values."""
    if not len(values):
        return Metric(math.nan, percent=percent)
    return Metric(float(np.mean(values)), mean_interval(values), percent)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
