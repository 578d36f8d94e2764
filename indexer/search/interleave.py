"""One answer to a question about several events: the best moments of each in turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from grounding.spans import Span
from indexer.search.types import Moment

SAME_SHARE = 0.5  # of the shorter span: two moments that share as much are one


def interleave(answers: Sequence[Iterable[Moment]]) -> list[Moment]:
    """The best of each in turn. A moment that another event has already is not shown twice: the
    next one of the same event takes its turn. Moments of two events may follow each other in one
    shot, but none overlaps another: where they meet, the better one keeps its border.
    """
    kept: list[Moment] = []
    waiting = [iter(answer) for answer in answers]
    while waiting:
        for moments in tuple(waiting):
            moment = next((new for one in moments if (new := _beside(kept, one))), None)
            if moment is None:
                waiting.remove(moments)
            else:
                kept.append(moment)
    return kept


def _beside(kept: Iterable[Moment], moment: Moment) -> Moment | None:
    """The moment without what other events have of it; None where they have most of it."""
    span = moment.span
    for other in kept:
        if other.video_id != moment.video_id or other.statement == moment.statement:
            continue
        overlap_s = span.overlap_s(other.span)
        if overlap_s and overlap_s >= SAME_SHARE * min(span.length_s, other.span.length_s):
            return None
        span = _without(span, other.span) if overlap_s else span
    if span is moment.span:
        return moment
    enough = span.length_s > (1 - SAME_SHARE) * moment.span.length_s
    return replace(moment, span=span) if enough else None


def _without(span: Span, other: Span) -> Span:
    """What the other, which begins or ends inside, leaves of a span."""
    if other.start_s > span.start_s:
        return Span(span.start_s, other.start_s)
    return Span(other.end_s, span.end_s)
