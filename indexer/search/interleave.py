"""One answer to a question about several events: the best moments of each in turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from indexer.search.types import Moment

SAME_SHARE = 0.5  # of the shorter span: two moments that share as much are one


def interleave(answers: Sequence[Iterable[Moment]]) -> list[Moment]:
    """The best of each in turn. A moment that another event has already is not shown twice: the
    next one of the same event takes its turn.
    """
    kept: list[Moment] = []
    waiting = [iter(answer) for answer in answers]
    while waiting:
        for moments in tuple(waiting):
            moment = next((m for m in moments if not any(_same(m, k) for k in kept)), None)
            if moment is None:
                waiting.remove(moments)
            else:
                kept.append(moment)
    return kept


def _same(one: Moment, other: Moment) -> bool:
    shorter_s = min(one.span.length_s, other.span.length_s)
    return (
        one.video_id == other.video_id
        and one.statement != other.statement
        and one.span.overlap_s(other.span) >= SAME_SHARE * shorter_s
    )
