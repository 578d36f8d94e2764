"""Recall@10: what a search finds of the nearest rows that comparing with every row finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from indexer.catalog.database.session import Catalog
from indexer.catalog.vectors.vector_rows import VectorRows, iterate_vectors
from indexer.vectors.base import Hits, RecallReport, Selection

NEIGHBOURS = 10
BATCH_ROWS = 20_000
SHARES = 0.01, 0.15


def recall(
    search: Callable[[np.ndarray], Hits], questions: np.ndarray, true_scores: np.ndarray
) -> float:
    """Mean share of the best 10 that `search` finds: hits that score at least as much as the true
    tenth (equal ones are as good).
    """
    if not len(questions):
        return 1.0
    shares = []
    for question, scores in zip(questions, true_scores):
        found = search(question).scores[: len(scores)]
        shares.append(np.count_nonzero(found >= scores[-1] - 1e-4) / len(scores))
    return float(np.mean(shares))


def questions_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(Q, D) float32 unit: half are stored vectors, half lie between two of them, which is harder,
    as real questions are.
    """
    questions = np.where(np.arange(len(first))[:, None] % 2, first + second, first)
    lengths = np.linalg.norm(questions, axis=1, keepdims=True)
    return (questions / np.maximum(lengths, 1e-9)).astype(np.float32)


def check_streamed_recall(
    catalog: Catalog,
    key: str,
    stage: str,
    search: Callable[[np.ndarray, int, Selection], Hits],
    count: int,
) -> RecallReport:
    """Recall@10 over all live rows of a key, and in selections of videos that hold about 1 % and 15
    % of them.

    Reads the rows twice, in batches: once for the questions and the sizes of the videos, once to
    compare every row with every question.
    """
    sample, video_rows = _sample(catalog, key, stage, 2 * count)
    total = sum(video_rows.values())
    if not total:
        return RecallReport(0, 0, 1.0, 1.0, 1.0)
    questions = questions_between(sample[:count], sample[-count:])
    rng = np.random.default_rng(1)
    groups = [None, *(_videos_worth(video_rows, share * total, rng) for share in SHARES)]
    with catalog.read() as session:
        best = _best_scores(iterate_vectors(session, key, BATCH_ROWS, stage), questions, groups)
    found = [
        1.0
        if group is not None and not group
        else recall(_searching(search, group), questions, scores)
        for group, scores in zip(groups, best)
    ]
    return RecallReport(total, count, *found)


def _searching(
    search: Callable[[np.ndarray, int, Selection], Hits], group: tuple[int, ...] | None
) -> Callable[[np.ndarray], Hits]:
    return lambda question: search(question, NEIGHBOURS, Selection(video_ids=group))


def _sample(
    catalog: Catalog, key: str, stage: str, wanted: int
) -> tuple[np.ndarray, dict[int, int]]:
    """(wanted, D) vectors drawn evenly from all live rows (Vitter's reservoir, drawn batch by
    batch), and rows by video.
    """
    rng = np.random.default_rng(2)
    reservoir = _Reservoir(wanted)
    sizes: dict[int, int] = {}
    with catalog.read() as session:
        for batch in iterate_vectors(session, key, BATCH_ROWS, stage):
            reservoir.take(batch.vectors, rng)
            for video_id, size in zip(*np.unique(batch.video_ids, return_counts=True)):
                sizes[int(video_id)] = sizes.get(int(video_id), 0) + int(size)
    return reservoir.fill(rng), sizes


@dataclass(slots=True)
class _Reservoir:
    """Each row gets a random number; those with the smallest are kept."""

    size: int
    numbers: np.ndarray | None = None
    vectors: np.ndarray | None = None

    def take(self, vectors: np.ndarray, rng: np.random.Generator) -> None:
        numbers = rng.random(len(vectors))
        if self.numbers is not None and self.vectors is not None:
            numbers, vectors = (
                np.concatenate([self.numbers, numbers]),
                np.concatenate([self.vectors, vectors]),
            )
        keep = np.argsort(numbers)[: self.size]
        self.numbers, self.vectors = numbers[keep], vectors[keep]

    def fill(self, rng: np.random.Generator) -> np.ndarray:
        """(size, D); rows are repeated where there are fewer."""
        if self.vectors is None:
            return np.empty((0, 0), np.float32)
        return self.vectors[rng.permutation(np.resize(np.arange(len(self.vectors)), self.size))]


def _videos_worth(
    video_rows: dict[int, int], wanted: float, rng: np.random.Generator
) -> tuple[int, ...]:
    """Random videos that together hold at least so many rows, and never all videos."""
    ids = list(video_rows)
    order = rng.permutation(len(ids))[: len(ids) - 1]
    enough = int(np.searchsorted(np.cumsum([video_rows[ids[n]] for n in order]), wanted)) + 1
    return tuple(ids[n] for n in order[:enough])


def _best_scores(
    batches: Iterable[VectorRows], questions: np.ndarray, groups: list[tuple[int, ...] | None]
) -> list[np.ndarray]:
    """For each group of videos (None: all) the best scores (Q, 10), or fewer columns where fewer
    rows are in it.
    """
    best = [np.empty((len(questions), 0), np.float32) for _ in groups]
    for batch in batches:
        scores = questions @ batch.vectors.T
        for n, group in enumerate(groups):
            here = scores if group is None else scores[:, np.isin(batch.video_ids, group)]
            together = np.concatenate([best[n], here], axis=1)
            best[n] = -np.sort(-together, axis=1)[:, :NEIGHBOURS]
    return best
