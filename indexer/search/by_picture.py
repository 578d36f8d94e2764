"""Search by a vector, of a picture or of a moment of the library, instead of words or with them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from grounding.spans import ScoredSpan, Span
from indexer.catalog import videos
from indexer.catalog.frames import get_video_frames
from indexer.catalog.segments import get_segments
from indexer.context import Context
from indexer.embedders.base import unit
from indexer.errors import UsageError
from indexer.questions.query_pictures import read_picture
from indexer.search.calibration import MATCH_PROBABILITY, likeness_of
from indexer.search.distinct import drop_repeats
from indexer.search.scope import served_keys
from indexer.search.searcher import Searcher
from indexer.search.types import Answer, Evidence, FusedMoment, Moment, Scope
from indexer.stages.base import embedder_key_of
from indexer.vocabulary import EvidenceKind, StageName

CANDIDATES = 400
PER_VIDEO = 5
# So many answers of a question are compared with a picture, however few are wanted: else each page
# of them would be in an order of its own.
COMPARED = 100


def picture_vector(context: Context, name: str) -> np.ndarray:
    """(D,) of a kept picture."""
    return context.embedder.embed_frames(read_picture(context.settings, name)[None])[0]


def moment_vector(context: Context, video_id: int, span: Span) -> np.ndarray:
    """(D,) mean of the frames of a moment, from what is stored: nothing is decoded."""
    with context.catalog.read() as session:
        key = videos.get_video(session, video_id).keys.get(StageName.PICTURE) or ""
        if embedder_key_of(key) != context.embedder.key:
            raise UsageError(
                "video {video_id} is indexed with another model than the installed one",
                "ingest it again",
                video_id=video_id,
            )
        block = get_video_frames(session, video_id, key)
    inside = (block.times_s >= span.start_s) & (
        block.times_s < max(span.end_s, span.start_s + 0.001)
    )
    if not inside.any() and len(block.times_s):
        inside[np.argmin(np.abs(block.times_s - span.middle_s))] = True
    if not inside.any():
        raise UsageError(
            "video {video_id} has no frames yet", "wait until it has been read", video_id=video_id
        )
    return unit(block.vectors[inside].mean(0, keepdims=True))[0]


def search_vector(
    context: Context,
    searcher: Searcher,
    vector: np.ndarray,
    scope: Scope,
    top: int,
    without: tuple[int, Span] | None = None,
) -> Answer:
    """Segments nearest to the vector, best first, none of which repeats a better one; what overlaps
    `without` (video, span) or continues it in the same shot is not news and left out.
    """
    with context.catalog.read_from_one_server():
        return _search_vector(context, searcher, vector, scope, top, without)


def _search_vector(
    context: Context,
    searcher: Searcher,
    vector: np.ndarray,
    scope: Scope,
    top: int,
    without: tuple[int, Span] | None,
) -> Answer:
    started = time.perf_counter()
    found: dict[int, list[ScoredSpan]] = {}
    keys = [
        key
        for key in served_keys(context.catalog, scope, StageName.PICTURE)
        if embedder_key_of(key) == context.embedder.key
    ]
    for key in keys:
        hits = context.index_for(key).search(vector, CANDIDATES, scope.selection)
        score_of = dict(zip(hits.ids.tolist(), hits.scores.tolist(), strict=True))
        with context.catalog.read_replica() as session:
            for segment in get_segments(session, score_of):
                if (
                    without is None
                    or segment.video_id != without[0]
                    or not segment.span.overlap_s(without[1])
                ):
                    found.setdefault(segment.video_id, []).append(
                        ScoredSpan(segment.span, score_of[segment.id])
                    )
    calibration = likeness_of(vector, context.embedder.photographs)
    nearest = _few_of_each(_apart(_order(found), without, searcher))[:top]
    moments = searcher.describe(
        replace(moment, score=calibration.probability(moment.score)) for moment in nearest
    )
    matched = bool(nearest) and calibration.matches(nearest[0].score)
    took_ms = (time.perf_counter() - started) * 1000
    confidence = moments[0].score if moments else 0.0
    return Answer("", "", matched, took_ms, tuple(moments), confidence)


def that_look_like(context: Context, answer: Answer, vector: np.ndarray, top: int) -> Answer:
    """The first moments of an answer in the order in which both hold: that they show what was
    asked, and that they look like the vector (D,). Their score is the geometric mean of both
    probabilities.
    """
    started = time.perf_counter()
    calibration = likeness_of(vector, context.embedder.photographs)

    def both(moment: Moment) -> float:
        try:
            frames = moment_vector(context, moment.video_id, moment.span)
        except UsageError:  # a recording of sound has no frames
            return 0.0
        return float(np.sqrt(moment.score * calibration.probability(float(frames @ vector))))

    scored = [replace(moment, score=both(moment)) for moment in answer.moments]
    moments = tuple(sorted(scored, key=lambda moment: -moment.score)[:top])
    confidence = moments[0].score if moments else 0.0
    return replace(
        answer,
        moments=moments,
        matched=confidence >= MATCH_PROBABILITY,
        confidence=confidence,
        took_ms=answer.took_ms + (time.perf_counter() - started) * 1000,
    )


def _apart(
    moments: Sequence[FusedMoment], without: tuple[int, Span] | None, searcher: Searcher
) -> list[FusedMoment]:
    """Without those that repeat a better one, or that continue in its shot what was asked for."""
    if without is None:
        return drop_repeats(moments, searcher.cuts_of)
    video_id, span = without
    asked = FusedMoment(video_id, span, 1.0, span.middle_s, (Evidence("picture", 1.0),))
    return drop_repeats([asked, *moments], searcher.cuts_of)[1:]


def _order(found: dict[int, list[ScoredSpan]]) -> list[FusedMoment]:
    moments = [
        FusedMoment(
            video_id,
            scored.span,
            scored.score,
            scored.span.middle_s,
            (Evidence(EvidenceKind.PICTURE, scored.score),),
        )
        for video_id, spans in found.items()
        for scored in spans
    ]
    return sorted(moments, key=lambda moment: -moment.score)


def _few_of_each(moments: Sequence[FusedMoment]) -> list[FusedMoment]:
    """The first PER_VIDEO of each video."""
    count: Counter[int] = Counter()
    kept = []
    for moment in moments:
        count[moment.video_id] += 1
        if count[moment.video_id] <= PER_VIDEO:
            kept.append(moment)
    return kept
