"""Percentile bootstrap (Efron 1979): how far a number could be off with other questions of the same
kind.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

RESAMPLES = 1000
SEED = 20261122


def mean_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Interval of the mean of `values`, one value a query; (NaN, NaN) without values. The same
    values give the same interval.
    """
    array = np.asarray(values, dtype=np.float64)
    if not array.size:
        return float("nan"), float("nan")
    picks = np.random.default_rng(SEED).integers(0, array.size, (RESAMPLES, array.size))
    return _percentiles(array[picks].mean(axis=1), level)


def cluster_interval(
    statistic: Callable[[np.ndarray], float], clusters: Sequence[Hashable], level: float = 0.95
) -> tuple[float, float]:
    """Interval of a statistic of rows that come in clusters, such as several questions about one
    video: whole clusters are drawn (Davison and Hinkley 1997, 3.8), because their rows succeed and
    fail together.

    `statistic` is given the numbers of the rows drawn (n,) int64; `clusters` has the cluster of
    each row. Draws for which the statistic is NaN are left out.

    >>> right = np.array([1.0, 1.0, 0.0, 0.0])
    >>> cluster_interval(lambda rows: right[rows].mean(), ["a", "a", "b", "b"])
    (0.0, 1.0)
    """
    members: dict[Hashable, list[int]] = {}
    for row, cluster in enumerate(clusters):
        members.setdefault(cluster, []).append(row)
    if not members:
        return float("nan"), float("nan")
    rows = np.concatenate([np.array(rows) for rows in members.values()])
    sizes = np.array([len(rows) for rows in members.values()])
    starts = np.cumsum(sizes) - sizes
    random = np.random.default_rng(SEED)
    drawn = random.integers(0, len(sizes), (RESAMPLES, len(sizes)))
    results = np.array([statistic(rows[_runs(starts[draw], sizes[draw])]) for draw in drawn])
    results = results[~np.isnan(results)]
    return _percentiles(results, level) if results.size else (float("nan"), float("nan"))


def _runs(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The whole numbers from each start on, so many as its size says, one run after another."""
    offsets = np.cumsum(sizes) - sizes
    return np.repeat(starts - offsets, sizes) + np.arange(sizes.sum())


def _percentiles(results: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(results, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
