"""What an evaluation found: metrics with intervals, over all rows and by kind, and the rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from grounding.metrics.bootstrap import cluster_interval

Result = dict[str, Any]
"""What became of one row, as JSON has it."""


@dataclass(frozen=True, slots=True)
class Report:
    """Metrics over all rows and by kind; `intervals` has the 95 % bootstrap interval of each under
    the same names.
    """

    all: dict[str, float]
    by_kind: dict[str, dict[str, float]]
    rows: list[dict]
    intervals: dict[str, dict] = field(default_factory=dict)

    def as_dict(self) -> dict:
        """JSON-ready: a number that could not be computed is null."""
        return _without_nan(asdict(self))


@dataclass(frozen=True, slots=True)
class Metric:
    value: float
    interval: Callable[[], tuple[float, float]] | None = None


def mean_of(results: Sequence[Result], name: str, score: Callable[[Any], float] = float) -> Metric:
    """Mean of the scores of what the results have under a name; NaN where none has it. Its interval
    is over whole videos.
    """
    found = [result for result in results if name in result]
    scores = np.array([score(result[name]) for result in found], dtype=np.float64)
    value = float(scores.mean()) if len(scores) else math.nan
    return Metric(
        value, lambda: cluster_interval(lambda rows: float(scores[rows].mean()), clusters(found))
    )


def separation(
    statistic: Callable[[np.ndarray, np.ndarray], float],
    positives: Sequence[tuple[float, str]],
    negatives: Sequence[tuple[float, str]],
) -> Metric:
    """A statistic of two groups of (score, cluster), such as `auroc`; its interval is over whole
    clusters.
    """
    both = [*positives, *negatives]
    scores = np.array([score for score, _ in both])
    positive = np.arange(len(both)) < len(positives)

    def of(rows: np.ndarray) -> float:
        return statistic(scores[rows[positive[rows]]], scores[rows[~positive[rows]]])

    value = of(np.arange(len(both)))
    return Metric(value, lambda: cluster_interval(of, [cluster for _, cluster in both]))


def clusters(results: Sequence[Result]) -> list[str]:
    """The video of each result; a row that belongs to no video is a cluster of its own."""
    return [result["video"] or f"row {number}" for number, result in enumerate(results)]


def make_report(
    results: list[Result], metrics: Callable[[Sequence[Result]], dict[str, Metric]]
) -> Report:
    """The metrics of all results, and of those of each kind."""
    kinds = sorted({result["kind"] for result in results if result["kind"]})
    groups = {kind: metrics([r for r in results if r["kind"] == kind]) for kind in kinds}
    whole = metrics(results)
    intervals = {
        "all": _intervals(whole),
        "by_kind": {kind: _intervals(values) for kind, values in groups.items()},
    }
    by_kind = {
        kind: {name: metric.value for name, metric in values.items()}
        for kind, values in groups.items()
    }
    return Report(
        {name: metric.value for name, metric in whole.items()}, by_kind, results, intervals
    )


def _intervals(values: Mapping[str, Metric]) -> dict[str, list[float]]:
    return {name: list(metric.interval()) for name, metric in values.items() if metric.interval}


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
