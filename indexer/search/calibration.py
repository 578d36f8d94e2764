"""How probable it is that a moment shows what was asked.

A similarity by itself says little: questions differ in how near a picture can come. So each
question is first asked of the photographs that the embedder was fitted on. An elephant that is in
no video is in a photograph, and the best frame falls far behind the best photograph; what the
photographs do not show well either, videos need not show better. This tells more than the library's
usual similarity, its spread, neutral prompts, library size and the agreement of the parts
(docs/experiments/alignment.md).

An embedder without photographs of its own is judged by the margin over what is usual in the
library, in deviations of the same margin for neutral prompts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LIKELY_PROBABILITY = 0.2
STRONG_PROBABILITY = 0.4
# Of a passage: its log-odds rise by so much over the whole range of its strength, and are 0 at the
# strength that is a match.
PASSAGE_SLOPE, PASSAGE_MATCH = 4.0, 0.5


@dataclass(frozen=True, slots=True)
class LogOdds:
    """Of an answer, linear in its similarity and in that of the best photograph. From the
    probability `match` on, it is an answer; below, nothing was found.
    """

    similarity: float
    best_photograph: float
    constant: float
    match: float

    def probability(self, similarity: float, best_photograph: float) -> float:
        """In (0, 1)."""
        odds = self.similarity * similarity + self.best_photograph * best_photograph + self.constant
        return float(1 / (1 + np.exp(-np.clip(odds, -30, 30))))


# Fitted by `python -m benchmarks.calibration` on 248 questions about 89 real videos, each with its
# video and without, and on 50 about things that none of them shows, in libraries of 15 to 2,000.
QUESTION = LogOdds(similarity=15.3, best_photograph=-6.5, constant=-4.17, match=0.12)
# The same for a picture or a moment in place of a question: segments of one video against others,
LIKENESS = LogOdds(similarity=16.4, best_photograph=-6.3, constant=-6.77, match=0.2)
# and for an embedder without photographs, where the similarity stands alone
LIKENESS_ALONE = LogOdds(similarity=15.6, best_photograph=0.0, constant=-10.55, match=0.2)
# For an embedder without photographs: the margin takes the place of the similarity.
MARGIN = LogOdds(similarity=1.40, best_photograph=0.0, constant=-1.39, match=0.2)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns similarities to one query into probabilities.

    `best_photograph`: the highest similarity of a photograph; None where the embedder has none, and
    then `usual` and `deviation` are those of the margin.
    """

    odds: LogOdds
    best_photograph: float | None
    usual: float = 0.0
    deviation: float = 1.0

    def probability(self, similarity: float) -> float:
        """That a moment with this similarity shows what was asked; 0 without frames (-inf)."""
        if not np.isfinite(similarity):
            return 0.0
        if self.best_photograph is not None:
            return self.odds.probability(similarity, self.best_photograph)
        return self.odds.probability((similarity - self.usual) / self.deviation, 0.0)

    def matches(self, similarity: float) -> bool:
        """Whether it is probable enough to be an answer."""
        return self.probability(similarity) >= self.odds.match


def passage_probability(strength: float) -> float:
    """That a passage answers which has this strength in [0, 1]."""
    return float(1 / (1 + np.exp(-PASSAGE_SLOPE * (strength - PASSAGE_MATCH))))


def calibrate(
    query: np.ndarray,
    photographs: np.ndarray | None,
    background: np.ndarray,
    neutral: np.ndarray | None,
) -> Calibration:
    """For a question (D,): `photographs` (R, D) of the embedder, or None; `background` (B, D)
    sampled from the whole library and `neutral` (P, D) vectors of neutral prompts, for one without.
    """
    if photographs is not None:
        return Calibration(QUESTION, float((photographs @ query).max()))
    usual = float(background.mean(axis=0) @ query)
    if neutral is None or not len(neutral):
        return Calibration(MARGIN, None, usual)
    margins = (background @ neutral.T).max(axis=0) - neutral @ background.mean(axis=0)
    middle = float(np.median(margins))
    deviation = 1.4826 * float(np.median(np.abs(margins - middle)))
    return Calibration(MARGIN, None, usual + middle, deviation or 1.0)


def likeness_of(vector: np.ndarray, photographs: np.ndarray | None) -> Calibration:
    """For the vector (D,) of a picture or a moment: that another moment is of the same scene."""
    if photographs is not None:
        return Calibration(LIKENESS, float((photographs @ vector).max()))
    return Calibration(LIKENESS_ALONE, None)
