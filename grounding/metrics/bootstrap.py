"""Percentile bootstrap (Efron 1979): how far a number could be off with other questions of the same
kind.
"""

from __future__ import annotations

from collections.abc import Callable

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


def two_sample_interval(
    statistic: Callable[[np.ndarray, np.ndarray], float],
    first: ArrayLike,
    second: ArrayLike,
    level: float = 0.95,
) -> tuple[float, float]:
    """Interval of a statistic of two independent samples, such as `auroc`; each is resampled by
    itself.
    """
    left, right = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if not left.size or not right.size:
        return float("nan"), float("nan")
    random = np.random.default_rng(SEED)
    results = [
        statistic(random.choice(left, left.size), random.choice(right, right.size))
        for _ in range(RESAMPLES)
    ]
    return _percentiles(np.array(results), level)


def _percentiles(results: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(results, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
