"""LEGO looks at the best moments again: two shifted windows around each, one question, and the rule
that decides whose span is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from grounding.errors import LegoError
from grounding.refine import Reading, Refined, refine, windows_around
from grounding.spans import Span
from indexer.catalog import chunks, videos
from indexer.errors import ModelError, SeekpointError
from indexer.grounder.lego import load_lego, window_frames
from indexer.media.files import MediaFiles
from indexer.questions.statement import read_question
from indexer.search.ranking import similarities
from indexer.stages import embedder_key_of

if TYPE_CHECKING:
    from indexer.library import Library
    from indexer.search.searcher import Answer, Moment

VERIFIED_MOMENTS = 3
NEIGHBOURHOOD_S = 60.0  # of the curve on both sides of a moment: what the rule compares with


@dataclass(frozen=True, slots=True)
class Grounded:
    """What LEGO answered about a moment. `accepted`: the rule trusts it; `span` None: it named no
    time.
    """

    span: Span | None
    accepted: bool
    reason: str


def verify(library: Library, answer: Answer, count: int = VERIFIED_MOMENTS) -> Answer:
    """The answer with LEGO's opinion beside its first `count` moments; what LEGO cannot judge
    stays, and a note says why.

    Where workers have LEGO and this machine does not, they are asked.
    """
    if library.settings.broker_url and not library.settings.lego_path:
        from indexer.search.verify_by_workers import verify_by_workers

        return verify_by_workers(library, answer, count)
    try:
        load_lego(library.settings)
    except ModelError as error:
        return replace(answer, notes=(*answer.notes, str(error)))
    moments = list(answer.moments)
    notes = list(answer.notes)
    with MediaFiles(library.settings) as media:
        for place, moment in enumerate(moments[:count]):
            try:
                refined = refine_span(library, media, answer.query, moment.video_id, moment.span)
            except (
                SeekpointError,
                LegoError,
                RuntimeError,
            ) as error:  # a question that LEGO cannot be asked; no memory left on a GPU
                notes.append(f"LEGO could not look at moment {place + 1}: {error}")
            else:
                moments[place] = with_opinion(
                    moment, refined, replaces=library.settings.lego_replaces
                )
    return replace(answer, moments=tuple(moments), notes=tuple(notes))


def refine_span(
    library: Library, media: MediaFiles, question: str, video_id: int, span: Span
) -> Refined:
    """Whose span is better for a moment of a video: the localizer's, or what LEGO sees in two
    windows around it.
    """
    with library.catalog.read() as session:
        video = videos.get_video(session, video_id)
    path = library.path_of(video)
    windows = windows_around(span, video.duration_s)
    caption = read_question(question).caption
    encoded = load_lego(library.settings).read_windows(
        [window_frames(media, path, window) for window in windows]
    )
    answers = load_lego(library.settings).ground_windows(encoded, caption, spans=windows)
    readings = [Reading(window, tuple(spans)) for window, spans in zip(windows, answers)]
    times_s, curve = _curve_around(library, video_id, video.keys.get("picture"), caption, span)
    return refine(span, readings, times_s, curve)


def with_opinion(moment: Moment, refined: Refined, *, replaces: bool) -> Moment:
    grounded = Grounded(refined.grounded, refined.accepted, refined.reason)
    return replace(moment, span=refined.span if replaces else moment.span, grounded=grounded)


def _curve_around(
    library: Library, video_id: int, key: str | None, caption: str, span: Span
) -> tuple[np.ndarray, np.ndarray]:
    """Times and similarities of the frames near the span; empty where the video is indexed with
    another embedder.
    """
    if key is None or embedder_key_of(key) != library.embedder.key:
        return np.empty(0), np.empty(0)
    near = Span(max(0.0, span.start_s - NEIGHBOURHOOD_S), span.end_s + NEIGHBOURHOOD_S)
    with library.catalog.read() as session:
        blocks = [
            b for b in chunks.video_blocks(session, video_id, key) if b.span.overlap_s(near) > 0
        ]
    if not blocks:
        return np.empty(0), np.empty(0)
    times_s = np.concatenate([b.frames.times_s for b in blocks])
    query = library.embedder.embed_texts([caption])[0]
    curve = np.concatenate(similarities(query, [b.frames.vectors for b in blocks]))
    inside = (times_s >= near.start_s) & (times_s < near.end_s)
    return times_s[inside], curve[inside]
