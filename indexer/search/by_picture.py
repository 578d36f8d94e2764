"""Search by a vector instead of words: of a picture, or of a moment that is in the library already."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from grounding.spans import ScoredSpan, Span, suppress
from indexer.catalog import videos
from indexer.catalog.frames import get_video_frames
from indexer.catalog.segments import get_segments
from indexer.catalog.vectors.served_keys import list_picture_keys
from indexer.embedders.base import unit
from indexer.errors import UsageError
from indexer.questions.query_pictures import read_picture
from indexer.search.ranking import Evidence, FusedMoment
from indexer.stages import embedder_key_of

if TYPE_CHECKING:
    from indexer.library import Library
    from indexer.search.searcher import Answer, Scope

CANDIDATES = 400
PER_VIDEO = 5
ALIKE = 0.35  # of the cosine, between unrelated footage and the same scene


def picture_vector(library: Library, name: str) -> np.ndarray:
    """(D,) of a kept picture."""
    return library.embedder.embed_frames(read_picture(library.settings, name)[None])[0]


def moment_vector(library: Library, video_id: int, span: Span) -> np.ndarray:
    """(D,) mean of the frames of a moment, from what is stored: nothing is decoded."""
    with library.catalog.read() as session:
        key = videos.get_video(session, video_id).keys.get("picture") or ""
        if embedder_key_of(key) != library.embedder.key:
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
    library: Library,
    vector: np.ndarray,
    scope: Scope,
    top: int,
    without: tuple[int, Span] | None = None,
) -> Answer:
    """Segments nearest to the vector, best first; what overlaps `without` (video, span) is not news
    and left out.
    """
    from indexer.search.searcher import Answer

    started = time.perf_counter()
    found: dict[int, list[ScoredSpan]] = {}
    with library.catalog.read() as session:
        keys = [
            key
            for key in list_picture_keys(session, scope.collection_ids)
            if embedder_key_of(key) == library.embedder.key
        ]
    for key in keys:
        hits = library.index_for(key).search(vector, CANDIDATES, scope.selection)
        score_of = dict(zip(hits.ids.tolist(), hits.scores.tolist(), strict=True))
        with library.catalog.read() as session:
            for segment in get_segments(session, score_of):
                if (
                    without is None
                    or segment.video_id != without[0]
                    or not segment.span.overlap_s(without[1])
                ):
                    found.setdefault(segment.video_id, []).append(
                        ScoredSpan(segment.span, score_of[segment.id])
                    )
    moments = library.searcher.describe(_best(found, top))
    best = max((moment.score for moment in moments), default=0.0)
    return Answer(
        "", "", best >= ALIKE, (time.perf_counter() - started) * 1000, tuple(moments), best
    )


def _best(found: dict[int, list[ScoredSpan]], top: int) -> Sequence[FusedMoment]:
    moments = [
        FusedMoment(video_id, it.span, it.score, it.span.middle_s, (Evidence("picture", it.score),))
        for video_id, spans in found.items()
        for it in suppress(spans, 0.3)[:PER_VIDEO]
    ]
    return sorted(moments, key=lambda moment: -moment.score)[:top]
