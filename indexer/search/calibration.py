"""How sure an answer is."""

from __future__ import annotations

import numpy as np


def confidence_of(
    query: np.ndarray, score: float, background: np.ndarray, neutral: np.ndarray | None
) -> float:
    """Margin of the best answer over the library's usual similarity to the question, against the
    same margin of neutral prompts.

    Subtracting the usual similarity corrects for questions that are near to everything; neutral
    prompts give it a scale that holds for other embedders and libraries (median and median absolute
    deviation: some of them do have an answer).
    """
    usual = background.mean(axis=0)
    margin = score - float(usual @ query)
    if neutral is None or not len(neutral):
        return margin
    margins = (background @ neutral.T).max(axis=0) - neutral @ usual
    middle = float(np.median(margins))
    deviation = 1.4826 * float(np.median(np.abs(margins - middle)))
    return (margin - middle) / (deviation or 1.0)
