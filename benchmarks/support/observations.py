"""Answers of pictures with what says how probable they are, and whether they are right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.support.array_libraries import ArrayLibrary
from grounding.spans import Span
from indexer.embedders.base import Embedder
from indexer.questions.statement import read_question
from indexer.search.calibration import Calibration, calibrate
from indexer.search.query_vectors import QueryVectors, query_vectors
from indexer.search.ranking import rank_moments
from indexer.search.types import RankedMoment

BEST = 3  # moments of each answer
SHARED = 0.5  # of the shorter span: such a moment shows what the window holds


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in a library. `video`: the name of the right one, empty where none is; `windows`
    in it. `masked`: its video is left out. `cluster`: the video that the question is about.
    """

    text: str
    query: QueryVectors
    source: str
    cluster: str
    video: str = ""
    windows: tuple[Span, ...] = ()
    masked: bool = False

    @property
    def group(self) -> str:
        """With its video, without it, or about nothing that there is."""
        return ("masked" if self.masked else "with") if self.video else "absent"


@dataclass(frozen=True, slots=True)
class Observation:
    """A moment of an answer. `place`: from 0, among the moments of its answer."""

    library: str
    asked: Asked
    place: int
    similarity: float
    best_photograph: float
    nearest_class: float
    margin: float
    size: float
    right: bool
    in_right_video: bool

    @property
    def cluster(self) -> str:
        """The video that the question is about."""
        return self.asked.cluster

    @property
    def group(self) -> str:
        """Of the question."""
        return self.asked.group


def ask_rows(
    embedder: Embedder, neutral: np.ndarray, rows: Iterable[dict[str, Any]], source: str
) -> list[Asked]:
    """The rows that one video alone answers, each with its video and without."""
    asked = [
        Asked(
            row["query"],
            _vectors(embedder, neutral, row["query"]),
            source,
            row.get("source", row["video"]),
            row["video"],
            tuple(Span(*window) for window in row["windows"]),
        )
        for row in rows
        if row["corpus_unique"]
    ]
    return [*asked, *(replace(one, masked=True) for one in asked)]


def ask_absent(
    embedder: Embedder, neutral: np.ndarray, questions: Iterable[str], source: str
) -> list[Asked]:
    """Questions that no video answers."""
    return [Asked(text, _vectors(embedder, neutral, text), source, text) for text in questions]


def _vectors(embedder: Embedder, neutral: np.ndarray, question: str) -> QueryVectors:
    return query_vectors(embedder, read_question(question).statements[0], neutral)


def observe(
    library: ArrayLibrary,
    asked: Sequence[Asked],
    photographs: np.ndarray | None,
    class_names: np.ndarray | None,
    neutral: np.ndarray,
) -> Iterator[Observation]:
    """The best moments of each question to which the library has an answer or should have none, by
    an embedder with these photographs and names of classes.
    """
    for one in asked:
        if one.video and one.video not in library.parts:
            continue
        blocks = library.nearest(one.query.video, one.video if one.masked else "")
        found = rank_moments(
            one.query, blocks, photographs=photographs, background=library.background[:1]
        ).moments
        scale = calibrate(
            one.query.video,
            photographs,
            class_names,
            library.background,
            neutral,
            len(library.blocks),
        )
        for place, moment in enumerate(found[:BEST]):
            yield _observation(library, one, place, moment, scale)


def _observation(
    library: ArrayLibrary, asked: Asked, place: int, moment: RankedMoment, scale: Calibration
) -> Observation:
    in_right_video = right = False
    if asked.group == "with":
        file, start_s, length_s = library.parts[asked.video]
        part = Span(start_s, start_s + length_s)
        in_right_video = moment.video_id == file and moment.span.overlap_s(part) > 0
        windows = [Span(w.start_s + start_s, w.end_s + start_s) for w in asked.windows]
        right = moment.video_id == file and any(_shares(moment.span, w) for w in windows)
    return Observation(
        library.name,
        asked,
        place,
        moment.score,
        scale.best_photograph,
        scale.nearest_class,
        scale.margin(moment.score),
        scale.size,
        right,
        in_right_video,
    )


def _shares(one: Span, other: Span) -> bool:
    return one.overlap_s(other) >= SHARED * min(one.length_s, other.length_s) > 0
