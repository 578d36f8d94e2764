"""Candidates to ordered moments: re-scoring with frame vectors, boundaries, one order over all
videos.

Pure functions over arrays and values; what they read from the catalog is handed to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np

from grounding.localize import change_between, localize
from grounding.spans import ScoredSpan, Span
from indexer.search.calibration import calibrate
from indexer.search.candidates import similarities
from indexer.search.query_vectors import QueryVectors
from indexer.search.types import Block, RankedMoment, Ranking

# Of some 4 s: one frame is noise, the mean of all drowns a short moment.
WINDOW_FRAMES, BEST_FRAMES = 8, 3
# Of how near the best frames are to the photographs nearest to them: a picture that is near to many
# others is near to any question (hubness; Conneau et al. 2018, "Word translation without parallel
# data"). Every fourth photograph says it as well as all.
HUB_WEIGHT, NEAREST_PHOTOGRAPHS, PHOTOGRAPH_STEP = 0.1, 10, 4
LOCALIZED = 12  # stretches whose boundaries are looked for; the others could not come into view
SAME_RUN_S = 1.0  # blocks closer than this are one stretch


def rank_moments(
    query: QueryVectors,
    blocks: Sequence[Block],
    *,
    photographs: np.ndarray | None = None,
    class_names: np.ndarray | None = None,
    background: np.ndarray | None = None,
    neutral: np.ndarray | None = None,
    chunks: int | None = None,
    per_video: int = 3,
    limit: int = 50,
) -> Ranking:
    """Moments of the blocks' videos, best first, at most `per_video` of each and `limit` in all.

    `photographs` (R, D) and `class_names` (W, D) of the embedder, if it has some, `background`
    (B, D): vectors sampled from the whole library, `neutral` (P, D): vectors of
    `indexer.questions.neutral_prompts`, `chunks`: how many the library has; probabilities come from
    these (calibration.py). Without a background
    the blocks are their own library.
    """
    if not blocks:
        return Ranking((), 0.0, False)
    hubs = None if photographs is None else np.ascontiguousarray(photographs[::PHOTOGRAPH_STEP])
    stretches = _stretches(query, blocks, hubs)
    stretches.sort(key=lambda s: -s.score)
    per_stretch = (
        moment for stretch in stretches[:LOCALIZED] for moment in _moments(stretch, per_video, hubs)
    )
    moments = _order(per_stretch, per_video)
    rest = (_whole(stretch) for stretch in stretches[LOCALIZED:])
    if background is None:
        background = np.concatenate([block.vectors for block in blocks])
    usual = background.astype(np.float32, copy=False)
    calibration = calibrate(
        query.video, photographs, class_names, usual, neutral, chunks or len(blocks)
    )
    answers = tuple(
        replace(moment, probability=calibration.probability(moment.score))
        for moment in (*moments, *rest)[:limit]
    )
    best = stretches[0].score
    return Ranking(answers, calibration.probability(best), calibration.matches(best))


# ---- one video -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Similarities (N,) of its frames: `curve` to what was asked, `place_curve` to what says where
    in a video. `vectors` (N, D).
    """

    video_id: int
    span: Span
    times_s: np.ndarray
    curve: np.ndarray
    place_curve: np.ndarray
    vectors: np.ndarray
    cuts_s: np.ndarray
    score: float


def _runs(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """Blocks that follow each other in a video, together."""
    ordered = sorted(blocks, key=lambda b: (b.video_id, b.start_s))
    run: list[Block] = ordered[:1]
    for before, block in pairwise(ordered):
        if block.video_id != before.video_id or block.start_s - before.end_s > SAME_RUN_S:
            yield run
            run = []
        run.append(block)
    yield run


def _stretches(
    query: QueryVectors, blocks: Sequence[Block], hubs: np.ndarray | None
) -> list[_Stretch]:
    runs = list(_runs(blocks))
    vectors = [block.vectors for run in runs for block in run]
    curves = similarities(query.video, vectors)
    places = curves if query.place is query.video else similarities(query.place, vectors)
    each, each_place = iter(curves), iter(places)
    return [
        _stretch(run, [next(each) for _ in run], [next(each_place) for _ in run], hubs)
        for run in runs
    ]


def _stretch(
    run: Sequence[Block],
    curves: Sequence[np.ndarray],
    places: Sequence[np.ndarray],
    hubs: np.ndarray | None,
) -> _Stretch:
    return _Stretch(
        run[0].video_id,
        Span(run[0].start_s, max(block.end_s for block in run)),
        np.concatenate([block.times_s for block in run]),
        np.concatenate(curves),
        np.concatenate(places),
        np.concatenate([block.vectors for block in run]) if len(run) > 1 else run[0].vectors,
        np.concatenate([block.cuts_s for block in run]),
        max(
            score_frames(curve, block.vectors, hubs)
            for curve, block in zip(curves, run, strict=True)
        ),
    )


def score_frames(curve: np.ndarray, vectors: np.ndarray, hubs: np.ndarray | None = None) -> float:
    """How well frames with the similarities `curve` (N,) and `vectors` (N, D) answer: the best ones
    of their best window, less what they owe to being near to everything, as `hubs` (H, D),
    photographs of everyday things, say; -inf without frames.
    """
    score = window_score(curve)
    if hubs is None or not len(curve):
        return score
    near = hubs @ vectors[_best_frames(curve)].astype(np.float32).mean(axis=0)
    return score - HUB_WEIGHT * float(_mean_of_best(near, NEAREST_PHOTOGRAPHS))


def window_score(curve: np.ndarray) -> float:
    """Mean of the best frames of the best window of a curve (N,); -inf without frames."""
    return float(curve[_best_frames(curve)].mean()) if len(curve) else -np.inf


def _best_frames(curve: np.ndarray) -> np.ndarray:
    """Places of the best frames of the best window of a curve (N,), N > 0."""
    windows = np.lib.stride_tricks.sliding_window_view(curve, min(WINDOW_FRAMES, len(curve)))
    first = int(np.argmax(_mean_of_best(windows, BEST_FRAMES)))
    return first + np.argsort(windows[first], kind="stable")[-BEST_FRAMES:]


def _mean_of_best(values: np.ndarray, count: int) -> np.ndarray:
    """Mean of the highest `count` along the last axis, of all where there are fewer."""
    size = values.shape[-1]
    return np.partition(values, max(size - count, 0), axis=-1)[..., -count:].mean(axis=-1)


def _moments(stretch: _Stretch, count: int, hubs: np.ndarray | None) -> Iterator[RankedMoment]:
    """The localizer's spans in its order; the first carries the score of the stretch, a later one
    at most that of the one before.
    """
    spans = localize(
        stretch.times_s,
        stretch.place_curve,
        start_s=stretch.span.start_s,
        end_s=stretch.span.end_s,
        cuts_s=stretch.cuts_s,
        count=count,
        motion=change_between(stretch.vectors),
    )
    score = stretch.score
    for place, found in enumerate(spans):
        score = score if place == 0 else min(score, _support(stretch, found, hubs))
        yield RankedMoment(stretch.video_id, found.span, score, _peak_s(stretch, found.span))


def _whole(stretch: _Stretch) -> RankedMoment:
    peak_s = _peak_s(stretch, stretch.span)
    return RankedMoment(
        stretch.video_id,
        Span(peak_s - 2, peak_s + 2).clamp(stretch.span.start_s, stretch.span.end_s),
        stretch.score,
        peak_s,
    )


def _support(stretch: _Stretch, found: ScoredSpan, hubs: np.ndarray | None) -> float:
    inside = _inside(stretch, found.span)
    return score_frames(stretch.curve[inside], stretch.vectors[inside], hubs)


def _peak_s(stretch: _Stretch, span: Span) -> float:
    inside = np.flatnonzero(_inside(stretch, span))
    return (
        float(stretch.times_s[inside[np.argmax(stretch.place_curve[inside])]])
        if len(inside)
        else span.middle_s
    )


def _inside(stretch: _Stretch, span: Span) -> np.ndarray:
    return (stretch.times_s >= span.start_s) & (stretch.times_s < span.end_s)


def _order(moments: Iterable[RankedMoment], per_video: int) -> list[RankedMoment]:
    """By score, with at most `per_video` of one video."""
    kept: list[RankedMoment] = []
    by_video = sorted(moments, key=lambda m: m.video_id)
    for _, group in groupby(by_video, key=lambda m: m.video_id):
        kept.extend(sorted(group, key=lambda m: -m.score)[:per_video])
    return sorted(kept, key=lambda m: -m.score)
