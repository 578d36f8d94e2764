"""How probable it is that a moment shows what was asked.

A similarity by itself says little: questions differ in how near a picture can come. So each
question is first asked of the photographs that the embedder was fitted on. An elephant that is in
no video is in a photograph, and the best frame falls far behind the best photograph; what the
photographs do not show well either, videos need not show better, unless the classifier has a name
for it: no photograph shows a volcano, but what is taken for one is near to the word. Beside these
counts the margin over what is usual in the library, in deviations of the same margin for neutral
prompts, and the size of what was searched: among more videos the best one is wrong more often. The
spread of the margin, the distance to the next answer and the agreement of the two sentence models
add nothing (docs/experiments/alignment.md).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CONSTANTS_FILE = Path(__file__).with_name("calibration.json")
MATCH_PROBABILITY = 0.2  # from here on it is an answer; below, nothing was found
STRONG_PROBABILITY = 0.5  # right more often than not


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOdds:
    """Of an answer: linear in its similarity, in that of the best photograph, in that of the name
    of the nearest class, in the margin and in the size of the library, log10 of its chunks; of a
    passage linear in its strength.
    """

    similarity: float = 0.0
    best_photograph: float = 0.0
    nearest_class: float = 0.0
    margin: float = 0.0
    size: float = 0.0
    strength: float = 0.0
    constant: float

    def probability(
        self,
        similarity: float = 0.0,
        *,
        best_photograph: float = 0.0,
        nearest_class: float = 0.0,
        margin: float = 0.0,
        size: float = 0.0,
        strength: float = 0.0,
    ) -> float:
        """In (0, 1)."""
        odds = (
            self.similarity * similarity
            + self.best_photograph * best_photograph
            + self.nearest_class * nearest_class
            + self.margin * margin
            + self.size * size
            + self.strength * strength
            + self.constant
        )
        return float(1 / (1 + np.exp(-np.clip(odds, -30, 30))))


def read_constants(file: Path = CONSTANTS_FILE) -> dict[str, LogOdds]:
    """What `python -m benchmarks.calibration --write` fitted, by name."""
    constants = json.loads(file.read_text(encoding="utf-8"))
    return {name: LogOdds(**values) for name, values in constants.items()}


_CONSTANTS = read_constants()
QUESTION = _CONSTANTS["question"]
QUESTION_ALONE = _CONSTANTS["question_alone"]  # for an embedder without photographs
# A picture or a moment in place of a question: segments of one video against those of others.
LIKENESS, LIKENESS_ALONE = _CONSTANTS["likeness"], _CONSTANTS["likeness_alone"]
PASSAGE = _CONSTANTS["passage"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns similarities to one query into probabilities.

    `best_photograph`, `nearest_class`: the highest similarities of a photograph and of the name of
    a class, 0 where there are none; `usual` and `deviation`: of a similarity to a neutral prompt's
    best answer; `size` of the library.
    """

    odds: LogOdds
    best_photograph: float = 0.0
    nearest_class: float = 0.0
    usual: float = 0.0
    deviation: float = 1.0
    size: float = 0.0

    def margin(self, similarity: float) -> float:
        """Over what is usual, in deviations."""
        return (similarity - self.usual) / self.deviation

    def probability(self, similarity: float) -> float:
        """That a moment with this similarity shows what was asked; 0 without frames (-inf)."""
        if not np.isfinite(similarity):
            return 0.0
        return self.odds.probability(
            similarity,
            best_photograph=self.best_photograph,
            nearest_class=self.nearest_class,
            margin=self.margin(similarity),
            size=self.size,
        )

    def matches(self, similarity: float) -> bool:
        """Whether it is probable enough to be an answer."""
        return self.probability(similarity) >= MATCH_PROBABILITY


def passage_probability(strength: float) -> float:
    """That a passage answers which has this strength in [0, 1]."""
    return PASSAGE.probability(strength=strength)


def calibrate(
    query: np.ndarray,
    photographs: np.ndarray | None,
    class_names: np.ndarray | None,
    background: np.ndarray,
    neutral: np.ndarray | None,
    chunks: int,
) -> Calibration:
    """For a question (D,): `photographs` (R, D) and `class_names` (W, D) of the embedder, or None,
    `background` (B, D) sampled from the whole library, `neutral` (P, D) vectors of neutral prompts,
    `chunks`: how many the library has.
    """
    usual, deviation = _usual(query, background, neutral)
    size = float(np.log10(max(chunks, 1)))
    if photographs is None or class_names is None:
        return Calibration(QUESTION_ALONE, usual=usual, deviation=deviation, size=size)
    best_photograph, nearest_class = (
        float((known @ query).max()) for known in (photographs, class_names)
    )
    return Calibration(QUESTION, best_photograph, nearest_class, usual, deviation, size)


def _usual(
    query: np.ndarray, background: np.ndarray, neutral: np.ndarray | None
) -> tuple[float, float]:
    """Similarity at which the margin is 0, and its unit. The margin is what a similarity exceeds
    the mean of the background by; of neutral prompts' best answers it takes the median and the
    median absolute deviation, for some of them do have an answer.
    """
    mean = background.mean(axis=0)
    if neutral is None or not len(neutral):
        return float(mean @ query), 1.0
    margins = (background @ neutral.T).max(axis=0) - neutral @ mean
    middle = median(margins.tolist())
    deviation = 1.4826 * median(np.abs(margins - middle).tolist())
    return float(mean @ query) + middle, deviation or 1.0


def median(values: Sequence[float]) -> float:
    """The middle of one or more values; numpy's imports what is known of masked arrays."""
    ordered = sorted(values)
    return (ordered[len(ordered) // 2] + ordered[~(len(ordered) // 2)]) / 2


def likeness_of(vector: np.ndarray, photographs: np.ndarray | None) -> Calibration:
    """For the vector (D,) of a picture or a moment: that another moment is of the same scene."""
    if photographs is None:
        return Calibration(LIKENESS_ALONE)
    return Calibration(LIKENESS, float((photographs @ vector).max()))
