"""Moments that are like another, and whether they are of the same video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.support.array_libraries import VideoFrames
from indexer.search.calibration import likeness_of

EVERY = 3  # segments: those between are asked for nothing new
BEST = 3


@dataclass(frozen=True, slots=True)
class LikenessObservation:
    """The segment of a video that is most like one of the video `cluster`. `group`: of its own
    video (`with`), or of another, as where its own is left out (`masked`); `place` from 0.
    """

    source: str
    cluster: str
    group: str
    place: int
    similarity: float
    best_photograph: float
    right: bool


def observe_likeness(
    videos: Sequence[VideoFrames], photographs: np.ndarray, source: str
) -> Iterator[LikenessObservation]:
    """For some segments of every video: the most like of the others of its own, and of each other
    video.
    """
    for own, video in enumerate(videos):
        for number in range(0, len(video.segments), EVERY):
            vector = video.segments[number]
            best = [
                _best(other.segments, vector, number if place == own else None)
                for place, other in enumerate(videos)
            ]
            photograph = likeness_of(vector, photographs).best_photograph
            others = sorted((b for n, b in enumerate(best) if n != own), reverse=True)
            for place, similarity in enumerate(others[:BEST]):
                if np.isfinite(similarity):
                    yield LikenessObservation(
                        source, video.name, "masked", place, similarity, photograph, False
                    )
            if np.isfinite(best[own]):
                yield LikenessObservation(
                    source, video.name, "with", 0, best[own], photograph, True
                )


def _best(segments: np.ndarray, vector: np.ndarray, without: int | None) -> float:
    """Similarity of the most like one; -inf where there is none."""
    similarities = segments @ vector
    if without is not None:
        similarities = np.delete(similarities, without)
    return float(similarities.max(initial=-np.inf))
