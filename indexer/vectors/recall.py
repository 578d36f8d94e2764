"""Recall@10 of what is searched against all rows, computed by another route (numpy over the stored
vectors).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from indexer import vectors
from indexer.vectors.base import Hits, RecallReport, Selection
from indexer.vectors.neighbours import NEIGHBOURS, questions_between, recall
from indexer.vectors.rowset import RowSet

# Probes are doubled until recall@10 reaches this on sampled questions, and then once more: real
# questions lie farther away.
PROBE_RECALL = 0.97
BLOCK_ROWS = 50_000


def sample_questions(exact: RowSet, count: int, seed: int = 0) -> np.ndarray:
    """(count, D) float32 unit: half are stored vectors, half lie between two of them, which is
    harder, as real questions are.
    """
    rng = np.random.default_rng(seed)
    first = exact.vectors(rng.integers(0, len(exact), count))
    second = exact.vectors(rng.integers(0, len(exact), count))
    return questions_between(first, second)


def nearest_rows(
    exact: RowSet, questions: np.ndarray, rows: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Scores and row numbers (Q, 10) of the nearest among `rows` (None: all), by comparing with
    each.
    """
    count = len(exact) if rows is None else len(rows)
    scores, numbers = [], []
    for start in range(0, count, BLOCK_ROWS):
        block = (
            slice(start, min(start + BLOCK_ROWS, count))
            if rows is None
            else rows[start : start + BLOCK_ROWS]
        )
        here = questions @ exact.vectors(block).T
        few = min(NEIGHBOURS, here.shape[1])
        best = np.argpartition(-here, few - 1, axis=1)[:, :few]
        scores.append(np.take_along_axis(here, best, axis=1))
        numbers.append(best + start if rows is None else rows[start + best])
    all_scores, all_numbers = np.concatenate(scores, axis=1), np.concatenate(numbers, axis=1)
    best = np.argsort(-all_scores, axis=1, kind="stable")[:, :NEIGHBOURS]
    return np.take_along_axis(all_scores, best, axis=1), np.take_along_axis(
        all_numbers, best, axis=1
    )


def calibrate_nprobe(exact: RowSet, ivf: Any, count: int = 64) -> int:
    """Probes at which the inverted lists reach PROBE_RECALL, doubled once."""
    questions = sample_questions(exact, count)
    true_scores, _ = nearest_rows(exact, questions)
    nprobe = 1
    while nprobe < ivf.nlist:

        def search(question: np.ndarray, nprobe: int = nprobe) -> Hits:
            _, rows = vectors.faiss_rows.search_rows(
                ivf, question, 2 * NEIGHBOURS, None, nprobe=nprobe
            )
            return exact.rescore(question, rows, NEIGHBOURS)

        if recall(search, questions, true_scores) >= PROBE_RECALL:
            break
        nprobe *= 2
    return min(2 * nprobe, ivf.nlist)


def videos_worth(exact: RowSet, share: float, rng: np.random.Generator) -> tuple[int, ...]:
    """Random videos that together hold at least `share` of the rows, and never all videos."""
    ids, counts = np.unique(exact.video_ids, return_counts=True)
    order = rng.permutation(len(ids))[: len(ids) - 1]
    enough = int(np.searchsorted(np.cumsum(counts[order]), share * len(exact))) + 1
    return tuple(ids[order[:enough]].tolist())


def check_recall(
    exact: RowSet, search: Callable[[np.ndarray, int, Selection], Hits], count: int
) -> RecallReport:
    """Recall@10 of `search` over the rows of `exact`: everything, and selections of videos that
    hold about 1 % and 15 % of them.
    """
    rng = np.random.default_rng(1)
    questions = sample_questions(exact, count, seed=2)

    def in_selection(videos: tuple[int, ...] | None) -> float:
        if videos is not None and not videos:
            return 1.0
        rows = None if videos is None else np.flatnonzero(np.isin(exact.video_ids, videos))
        true_scores, _ = nearest_rows(exact, questions, rows)
        return recall(
            lambda question: search(question, NEIGHBOURS, Selection(video_ids=videos)),
            questions,
            true_scores,
        )

    shares = (videos_worth(exact, 0.01, rng), videos_worth(exact, 0.15, rng))
    return RecallReport(
        len(exact), count, in_selection(None), *(in_selection(videos) for videos in shares)
    )
