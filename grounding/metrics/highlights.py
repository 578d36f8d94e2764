"""Highlight detection as QVHighlights counts it: which 2-s clips stand out, by three annotators'
saliency from 0 to 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CLIP_S = 2.0
LEVELS = {"fair": 2, "good": 3, "very_good": 4}


def saliency_table(
    clip_ids: Sequence[int], scores: Sequence[Sequence[int]], duration_s: float
) -> np.ndarray:
    """(C, A) int64: the annotators' saliency of every clip of the video; 0 for the clips that
    nobody marked.
    """
    annotators = len(scores[0]) if scores else 1
    table = np.zeros((int(duration_s / CLIP_S), annotators), dtype=np.int64)
    for clip, marks in zip(clip_ids, scores, strict=True):
        table[clip] = marks
    return table


def highlight_hit(predicted: Sequence[float], saliency: np.ndarray, level: int) -> float:
    """1 if any annotator gives the clip that is predicted highest at least `level`, else 0."""
    clip = int(np.argmax(predicted)) if len(predicted) else len(saliency)
    return float(clip < len(saliency) and bool((saliency[clip] >= level).any()))


def highlight_precision(predicted: Sequence[float], saliency: np.ndarray, level: int) -> float:
    """Average precision of the ranking of clips, mean over the annotators. Clips without a
    prediction count as 0.
    """
    padded = np.zeros(len(saliency))
    known = min(len(saliency), len(predicted))
    padded[:known] = predicted[:known]
    return float(np.mean([_ranking_precision(marks >= level, padded) for marks in saliency.T]))


def _ranking_precision(relevant: np.ndarray, scores: np.ndarray) -> float:
    """Mean of the interpolated precision over the steps of recall; clips with equal scores enter
    together.

    All clips relevant is 1, none is 0. Source: `get_ap` of QVHighlights' evaluator
    (`standalone_eval/utils.py`).
    """
    if relevant.all() or not relevant.any():
        return float(relevant.all())
    order = np.argsort(scores, kind="stable")[::-1]
    last_of_equals = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    found = np.cumsum(relevant[order])[last_of_equals]
    precision = found / (last_of_equals + 1)
    steps = np.diff(found, prepend=0) > 0
    best_from_here = np.maximum.accumulate(precision[: np.flatnonzero(steps)[-1] + 1][::-1])[::-1]
    return float(best_from_here[steps[: len(best_from_here)]].mean())
