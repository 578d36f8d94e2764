"""One answer to a question about several events: the best moments of each in turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest

from indexer.search.types import Moment

SAME_SHARE = 0.5  # of the shorter span: two moments that share as much are one


def interleave(answers: Sequence[Iterable[Moment]]) -> list[Moment]:
    """The first of each, then the second of each; a moment that an earlier event has already is
    not shown twice.
    """
    kept: list[Moment] = []
    for moment in chain.from_iterable(zip_longest(*answers)):
        if moment is not None and not any(_same(moment, known) for known in kept):
            kept.append(moment)
    return kept


def _same(one: Moment, other: Moment) -> bool:
    shorter_s = min(one.span.length_s, other.span.length_s)
    return (
        one.video_id == other.video_id
        and one.statement != other.statement
        and one.span.overlap_s(other.span) >= SAME_SHARE * shorter_s
    )
