"""Candidates to ordered moments: re-scoring with frame vectors, boundaries, one order over all
videos, and how sure the answer is.

Pure functions over arrays and values; what they read from the catalog is handed to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np

from grounding.localize import localize
from grounding.spans import ScoredSpan, Span

WINDOW_FRAMES, BEST_FRAMES = (
    8,
    4,
)  # the best half of some 4 s: one frame is noise, the mean of all drowns a short moment
LOCALIZED = 12  # stretches whose boundaries are looked for; the others could not come into view
MATCH_THRESHOLD = 0.0  # as sure as of a caption that has nothing to do with the library
SAME_RUN_S = 1.0  # blocks closer than this are one stretch
RRF_CONSTANT = 60  # Cormack et al. 2009


@dataclass(frozen=True, slots=True)
class Block:
    """The frames of one chunk. `vectors` (N, D) float16 or float32, unit; `times_s` (N,) float64;
    `cuts_s` (K,) float64.
    """

    video_id: int
    chunk_id: int
    start_s: float
    end_s: float
    times_s: np.ndarray
    vectors: np.ndarray
    cuts_s: np.ndarray


@dataclass(frozen=True, slots=True)
class RankedMoment:
    video_id: int
    span: Span
    score: float  # similarity of its best frames to the question
    peak_s: float  # time of its best frame


@dataclass(frozen=True, slots=True)
class Ranking:
    moments: tuple[RankedMoment, ...]
    # how far the best answer exceeds the library's usual one, in deviations of the same for neutral
    # captions
    confidence: float
    matched: bool


@dataclass(frozen=True, slots=True)
class PassageHit:
    """A passage that answers, in the order of its own ranking."""

    video_id: int
    span: Span
    text: str
    score: float
    words: tuple[tuple[float, float, str], ...] = ()
    """(start_s, end_s, word) of the words that matched, where their times are known."""


@dataclass(frozen=True, slots=True)
class Evidence:
    kind: str  # picture, speech, screen or event
    score: float
    text: str = ""
    words: tuple[tuple[float, float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FusedMoment:
    video_id: int
    span: Span
    score: float
    peak_s: float
    evidence: tuple[Evidence, ...]


def candidate_chunks(
    chunk_ids: np.ndarray, video_ids: np.ndarray, scores: np.ndarray, limit: int = 64
) -> list[int]:
    """Chunks worth reading, of the segments that were found, (N,) each: the best chunk of every
    video first, then by score.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    chunks = list(dict.fromkeys((int(video_ids[k]), int(chunk_ids[k])) for k in order))
    firsts = dict(reversed(chunks))
    leading = [chunk for video, chunk in chunks if firsts[video] == chunk]
    rest = [chunk for video, chunk in chunks if firsts[video] != chunk]
    half = max(limit // 2, limit - len(rest))
    return (leading[:half] + rest)[:limit]


def rank_moments(
    query: np.ndarray,
    blocks: Sequence[Block],
    *,
    background: np.ndarray | None = None,
    probes: np.ndarray | None = None,
    threshold: float = MATCH_THRESHOLD,
    per_video: int = 3,
    limit: int = 50,
) -> Ranking:
    """Moments of the blocks' videos, best first, at most `per_video` of each and `limit` in all.

    `query` (D,) float32 unit. `background` (B, D): vectors sampled from the whole library, `probes`
    (P, D): vectors of `indexer.questions.neutral_prompts.NEUTRAL_PROMPTS`; the confidence comes from both.
    Without a background the blocks are their own, without probes the confidence is the bare margin
    of similarity.
    """
    if not blocks:
        return Ranking((), -np.inf, False)
    stretches = _stretches(query, blocks)
    stretches.sort(key=lambda s: -s.score)
    per_stretch = (
        moment for stretch in stretches[:LOCALIZED] for moment in _moments(stretch, per_video)
    )
    moments = _ordered(per_stretch, per_video)
    rest = (_whole(stretch) for stretch in stretches[LOCALIZED:])
    if background is None:
        background = np.concatenate([block.vectors for block in blocks])
    confidence = _confidence(
        query, stretches[0].score, background.astype(np.float32, copy=False), probes
    )
    return Ranking((*moments, *rest)[:limit], confidence, bool(confidence > threshold))


# ---- one video -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stretch:
    video_id: int
    span: Span
    times_s: np.ndarray
    curve: np.ndarray
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


def _stretches(query: np.ndarray, blocks: Sequence[Block]) -> list[_Stretch]:
    runs = list(_runs(blocks))
    curves = iter(similarities(query, [block.vectors for run in runs for block in run]))
    return [_stretch(run, [next(curves) for _ in run]) for run in runs]


def _stretch(run: Sequence[Block], curves: Sequence[np.ndarray]) -> _Stretch:
    return _Stretch(
        run[0].video_id,
        Span(run[0].start_s, max(block.end_s for block in run)),
        np.concatenate([block.times_s for block in run]),
        np.concatenate(curves),
        np.concatenate([block.cuts_s for block in run]),
        max(window_score(curve) for curve in curves),
    )


def similarities(query: np.ndarray, matrices: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Products of matrices (N, D) float16 or float32, finite, with `query` (D,): (N,) float32 each.

    numpy turns float16 into float32 one number at a time. Moving sign, exponent and fraction to
    their places in a float32 instead gives the number times 2**-112 (the exponents' biases are 15
    and 127), which the query makes up for: the same bits, eight times faster.
    """
    halves = [len(matrix) for matrix in matrices if matrix.dtype == np.float16]
    scratch = np.empty((max(halves, default=0), len(query)), dtype=np.int32)
    scaled = query.astype(np.float32) * np.float32(2.0**112)
    return [
        _half_product(scaled, matrix, scratch) if matrix.dtype == np.float16 else matrix @ query
        for matrix in matrices
    ]


def _half_product(scaled: np.ndarray, matrix: np.ndarray, scratch: np.ndarray) -> np.ndarray:
    bits = scratch[: len(matrix)]
    np.copyto(
        bits, np.ascontiguousarray(matrix).view(np.int16)
    )  # the sign is copied into all upper bits,
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, _SIGN_AND_NUMBER, out=bits)  # of which one is kept
    return bits.view(np.float32) @ scaled


_SIGN_AND_NUMBER = np.array(0x8FFFE000, dtype=np.uint32).view(np.int32)


def window_score(curve: np.ndarray) -> float:
    """How well the frames of a chunk (N,) answer: the best frames of its best window; -inf without
    frames.
    """
    if not len(curve):
        return -np.inf
    windows = np.lib.stride_tricks.sliding_window_view(curve, min(WINDOW_FRAMES, len(curve)))
    return float(_mean_of_best(windows, BEST_FRAMES).max())


def _mean_of_best(values: np.ndarray, count: int) -> np.ndarray:
    """Mean of the highest `count` along the last axis, of all where there are fewer."""
    size = values.shape[-1]
    return np.partition(values, max(size - count, 0), axis=-1)[..., -count:].mean(axis=-1)


def _moments(stretch: _Stretch, count: int) -> Iterator[RankedMoment]:
    """The localizer's spans in its order; the first carries the score of the stretch, a later one
    at most that of the one before.
    """
    spans = localize(
        stretch.times_s,
        stretch.curve,
        start_s=stretch.span.start_s,
        end_s=stretch.span.end_s,
        cuts_s=stretch.cuts_s,
        count=count,
    )
    score = stretch.score
    for place, found in enumerate(spans):
        score = score if place == 0 else min(score, _support(stretch, found))
        yield RankedMoment(stretch.video_id, found.span, score, _peak_s(stretch, found.span))


def _whole(stretch: _Stretch) -> RankedMoment:
    peak_s = _peak_s(stretch, stretch.span)
    return RankedMoment(
        stretch.video_id,
        Span(peak_s - 2, peak_s + 2).clamp(stretch.span.start_s, stretch.span.end_s),
        stretch.score,
        peak_s,
    )


def _support(stretch: _Stretch, found: ScoredSpan) -> float:
    return window_score(stretch.curve[_inside(stretch, found.span)])


def _peak_s(stretch: _Stretch, span: Span) -> float:
    inside = np.flatnonzero(_inside(stretch, span))
    return (
        float(stretch.times_s[inside[np.argmax(stretch.curve[inside])]])
        if len(inside)
        else span.middle_s
    )


def _inside(stretch: _Stretch, span: Span) -> np.ndarray:
    return (stretch.times_s >= span.start_s) & (stretch.times_s < span.end_s)


def _ordered(moments: Iterable[RankedMoment], per_video: int) -> list[RankedMoment]:
    """By score, with at most `per_video` of one video."""
    kept: list[RankedMoment] = []
    by_video = sorted(moments, key=lambda m: m.video_id)
    for _, group in groupby(by_video, key=lambda m: m.video_id):
        kept.extend(sorted(group, key=lambda m: -m.score)[:per_video])
    return sorted(kept, key=lambda m: -m.score)


def _confidence(
    query: np.ndarray, score: float, background: np.ndarray, probes: np.ndarray | None
) -> float:
    """Margin of the best answer over the library's usual similarity to the question, against the
    same margin of neutral captions.

    Subtracting the usual similarity corrects for questions that are near to everything; the probes
    give it a scale that holds for other embedders and libraries (median and median absolute
    deviation: some probes do have an answer).
    """
    usual = background.mean(axis=0)
    margin = score - float(usual @ query)
    if probes is None or not len(probes):
        return margin
    margins = (background @ probes.T).max(axis=0) - probes @ usual
    middle = float(np.median(margins))
    deviation = 1.4826 * float(np.median(np.abs(margins - middle)))
    return (margin - middle) / (deviation or 1.0)


# ---- several modalities --------------------------------------------------------------------------


def _alike(kind: str, score: float) -> float:
    del kind, score
    return 1.0


def fuse(
    picture: Sequence[RankedMoment],
    passages: Mapping[str, Sequence[PassageHit]],
    weigh: Callable[[str, float], float] = _alike,
) -> list[FusedMoment]:
    """Reciprocal rank fusion on the time line: moments and passages that overlap in a video are one
    answer with several evidences.

    `passages`: kind -> hits, best first. The span is the one of the kind that ranks the answer
    highest (weight / (60 + rank)); spans are never united. `weigh`: kind and score of an evidence
    -> its weight.
    """
    entries = [
        _Entry("picture", rank, m.video_id, m.span, m.score, m.peak_s)
        for rank, m in enumerate(picture, 1)
    ]
    for kind, hits in passages.items():
        entries += [
            _Entry(kind, rank, h.video_id, h.span, h.score, h.span.start_s, h.text, h.words)
            for rank, h in enumerate(hits, 1)
        ]
    weighted = [
        (entry, weigh(entry.kind, entry.score) / (RRF_CONSTANT + entry.rank)) for entry in entries
    ]
    fused: list[FusedMoment] = []
    for entry, gain in sorted(weighted, key=lambda pair: -pair[1]):
        evidence = Evidence(entry.kind, entry.score, entry.text, entry.words)
        place = _answer_of(fused, entry)
        if place is None:
            fused.append(FusedMoment(entry.video_id, entry.span, gain, entry.peak_s, (evidence,)))
        elif all(known.kind != entry.kind for known in fused[place].evidence):
            fused[place] = replace(
                fused[place],
                score=fused[place].score + gain,
                evidence=(*fused[place].evidence, evidence),
            )
    return sorted(fused, key=lambda moment: -moment.score)


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: str
    rank: int
    video_id: int
    span: Span
    score: float
    peak_s: float
    text: str = ""
    words: tuple[tuple[float, float, str], ...] = ()


def _answer_of(fused: Sequence[FusedMoment], entry: _Entry) -> int | None:
    """The first answer in the same video that covers half of the shorter of the two spans; picture
    moments stay apart.
    """
    for place, moment in enumerate(fused):
        if moment.video_id != entry.video_id:
            continue
        shorter_s = min(moment.span.length_s, entry.span.length_s)
        if moment.span.overlap_s(entry.span) >= 0.5 * shorter_s and not (
            entry.kind == "picture" and moment.evidence[0].kind == "picture"
        ):
            return place
    return None
