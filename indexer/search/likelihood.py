"""A probability in words, which say at a glance what a number says only to those who know the
scale.
"""

from __future__ import annotations

from enum import StrEnum

from indexer.search.calibration import MATCH_PROBABILITY, STRONG_PROBABILITY


class Likelihood(StrEnum):
    """How probable it is that a moment shows what was asked: `STRONG`, right more often than not;
    `LIKELY`, an answer that is wrong more often than right; `WEAK`, unlikely and not an answer.
    """

    STRONG = "strong"
    LIKELY = "likely"
    WEAK = "weak"


def likelihood_of(probability: float) -> Likelihood:
    """
    >>> [str(likelihood_of(probability)) for probability in (0.1, 0.2, 0.6)]
    ['weak', 'likely', 'strong']
    """
    if probability >= STRONG_PROBABILITY:
        return Likelihood.STRONG
    return Likelihood.LIKELY if probability >= MATCH_PROBABILITY else Likelihood.WEAK
