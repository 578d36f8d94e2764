"""Whether probabilities hold what they promise."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

GROUPS = 10
DRAWS = 500


def calibration_error(probabilities: ArrayLike, outcomes: ArrayLike, groups: int = GROUPS) -> float:
    """Expected calibration error (Naeini et al. 2015): the mean over groups of equal size, in the
    order of the probabilities (N,), of how far their mean is from that of the outcomes (N,) in
    {0, 1}; NaN without any.

    >>> calibration_error([0.1, 0.1, 0.9, 0.9], [0, 0, 1, 0], groups=2)
    0.25
    """
    promised = np.asarray(probabilities, dtype=np.float64)
    held = np.asarray(outcomes, dtype=np.float64)
    if not promised.size:
        return float("nan")
    order = np.argsort(promised, kind="stable")
    parts = [part for part in np.array_split(order, groups) if len(part)]
    gaps = [abs(promised[part].mean() - held[part].mean()) * len(part) for part in parts]
    return float(sum(gaps) / promised.size)


def calibration_error_by_chance(
    probabilities: ArrayLike, groups: int = GROUPS, draws: int = DRAWS
) -> float:
    """What `calibration_error` is on average where every probability holds exactly: few outcomes
    differ from what is promised by chance alone.
    """
    promised = np.asarray(probabilities, dtype=np.float64)
    random = np.random.default_rng(0)
    errors = [
        calibration_error(promised, random.random(promised.size) < promised, groups)
        for _ in range(draws)
    ]
    return float(np.mean(errors))
