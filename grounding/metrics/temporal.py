"""Temporal grounding: predicted spans of one query against its true windows, as QVHighlights,
Charades-STA and ActivityNet count.

A prediction hits where IoU >= threshold, unrounded, against any of the windows. Spans are half-open
seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grounding.spans import ScoredSpan, Span

MAP_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).round(2).tolist())
MAX_PREDICTIONS = 10


def best_iou(prediction: Span | None, windows: Sequence[Span]) -> float:
    """IoU of a prediction with the window it fits best, in [0, 1]; 0 without a prediction.

    >>> best_iou(Span(0, 4), [Span(2, 4), Span(0, 3)])  # 2 of 4 seconds, 3 of 4 seconds
    0.75
    """
    return max((prediction.iou(window) for window in windows), default=0.0) if prediction else 0.0


def average_precision(
    predictions: Sequence[ScoredSpan],
    windows: Sequence[Span],
    thresholds: Sequence[float] = MAP_THRESHOLDS,
) -> np.ndarray:
    """Interpolated average precision of one query at each threshold, (T,) float64 in [0, 1].

    The best `MAX_PREDICTIONS` by place in the list count, in order of score; each window is found
    once. 0 without windows. Source: ActivityNet's `compute_average_precision_detection`, as
    QVHighlights' evaluator applies it per query.
    """
    ordered = sorted(predictions[:MAX_PREDICTIONS], key=lambda p: -p.score)
    if not ordered or not windows:
        return np.zeros(len(thresholds))
    ious = [[p.span.iou(window) for window in windows] for p in ordered]
    return np.array([_area(_hits(ious, threshold), len(windows)) for threshold in thresholds])


def _hits(ious: list[list[float]], threshold: float) -> np.ndarray:
    """P lists of W IoU -> (P,) bool: the prediction takes the best window of those still free."""
    free = list(range(len(ious[0])))
    hits = np.zeros(len(ious), dtype=bool)
    for place, row in enumerate(ious):
        best = max(free, key=row.__getitem__, default=None)
        if best is not None and row[best] >= threshold:
            free.remove(best)
            hits[place] = True
    return hits


def _area(hits: np.ndarray, positives: int) -> float:
    """Area under the precision-recall curve, precision made monotone from the right."""
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best_from_here[hits].sum() / positives)
