"""Finding the right video, and knowing when there is none."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import ArrayLike


def first_rank(videos: Iterable[Hashable], right: Hashable) -> int | None:
    """Place from 1 of the right video among the different videos in order of first appearance; None
    if it is not there.

    >>> first_rank(["a", "a", "b"], "b")
    2
    """
    ranking = list(dict.fromkeys(videos))
    return ranking.index(right) + 1 if right in ranking else None


def recall_at(rank: int | None, k: int) -> float:
    """1 if the right one is among the first `k`, else 0."""
    return float(rank is not None and rank <= k)


def reciprocal_rank(rank: int | None) -> float:
    """1 / rank; 0 where it is not there."""
    return 1 / rank if rank is not None else 0.0


def auroc(matches: ArrayLike, others: ArrayLike) -> float:
    """Probability that a random match scores above a random other, ties half; NaN if one side is
    empty.

    >>> auroc([3, 1], [2, 1])  # of four pairs two are won, one is tied
    0.625
    """
    difference = np.subtract.outer(
        np.asarray(matches, dtype=np.float64), np.asarray(others, dtype=np.float64)
    )
    if not difference.size:
        return float("nan")
    return float((np.sum(difference > 0) + 0.5 * np.sum(difference == 0)) / difference.size)


def false_alarms(matches: ArrayLike, others: ArrayLike, recall: float = 0.9) -> float:
    """Share of the others at or above the highest threshold that still keeps `recall` of the
    matches; NaN if one side is empty.
    """
    ordered, alarms = (
        np.sort(np.asarray(matches, dtype=np.float64))[::-1],
        np.asarray(others, dtype=np.float64),
    )
    if not ordered.size or not alarms.size:
        return float("nan")
    kept = int(np.ceil(recall * ordered.size - 1e-9))
    return float(np.mean(alarms >= ordered[max(kept, 1) - 1]))
