"""Whose span of a moment is shown: the localizer's, or the one that a grounder saw."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from grounding.refine import Reading, Refined, refine, windows_around
from grounding.spans import Span
from indexer.catalog import videos
from indexer.catalog.frames import get_video_blocks
from indexer.context import Context
from indexer.grounder.base import read_window
from indexer.grounder.configured import load_grounder
from indexer.media.files import MediaFiles
from indexer.questions.statement import read_question
from indexer.search.candidates import similarities
from indexer.search.types import Grounded, Moment
from indexer.stages.base import embedder_key_of
from indexer.vocabulary import StageName

NEIGHBOURHOOD_S = 60.0  # of the curve on both sides of a moment: what the rule compares with


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a grounder makes of a moment. `shown`: the probability, as it sees it, that the moment
    shows what was asked; `by`: its name.
    """

    refined: Refined
    shown: float
    by: str


def second_opinion(
    context: Context, media: MediaFiles, question: str, video_id: int, span: Span
) -> Opinion:
    """Whose span is better for a moment of a video, the localizer's or what the grounder sees in
    two windows around it, and whether it sees there what was asked. Raises SeekpointError.
    """
    with context.catalog.read() as session:
        video = videos.get_video(session, video_id)
    path = context.path_of(video)
    windows = windows_around(span, video.duration_s)
    statement = read_question(question).statement
    grounder = load_grounder(context.settings)
    read = [read_window(media, path, window, grounder.frames) for window in windows]
    answers = grounder.ground(read, statement)
    (shown,) = grounder.is_shown(read[:1], statement)  # each of the two holds the moment
    readings = [Reading(window, spans) for window, spans in zip(windows, answers, strict=True)]
    key = video.keys.get(StageName.PICTURE)
    times_s, curve = _curve_around(context, video_id, key, statement, span)
    return Opinion(refine(span, readings, times_s, curve), shown, grounder.name)


def with_opinion(moment: Moment, opinion: Opinion, *, replaces: bool) -> Moment:
    """The moment with the opinion beside it; with `replaces`, with its span where the rule trusts
    it.
    """
    refined = opinion.refined
    grounded = Grounded(
        refined.grounded, refined.accepted, refined.reason, opinion.shown, opinion.by
    )
    return replace(moment, span=refined.span if replaces else moment.span, grounded=grounded)


def _curve_around(
    context: Context, video_id: int, key: str | None, statement: str, span: Span
) -> tuple[np.ndarray, np.ndarray]:
    """Times and similarities of the frames near the span; empty where the video is indexed with
    another embedder.
    """
    if key is None or embedder_key_of(key) != context.embedder.key:
        return np.empty(0), np.empty(0)
    near = Span(max(0.0, span.start_s - NEIGHBOURHOOD_S), span.end_s + NEIGHBOURHOOD_S)
    with context.catalog.read() as session:
        blocks = [b for b in get_video_blocks(session, video_id, key) if b.span.overlap_s(near) > 0]
    if not blocks:
        return np.empty(0), np.empty(0)
    times_s = np.concatenate([b.frames.times_s for b in blocks])
    query = context.embedder.embed_texts([statement])[0]
    curve = np.concatenate(similarities(query, [b.frames.vectors for b in blocks]))
    inside = (times_s >= near.start_s) & (times_s < near.end_s)
    return times_s[inside], curve[inside]
