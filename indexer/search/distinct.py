"""One answer a moment: what overlaps a better answer of its video, or continues it in the same
shot, shows nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from grounding.spans import Span
from indexer.search.types import FusedMoment

CONTINUED_S = 1.0  # between two spans of one shot that are one answer
CUT_TOLERANCE_S = 0.1  # a border that a cut made may differ from it by rounding

Cuts = Mapping[int, np.ndarray]  # video -> (K,) rising, starts of shots


def drop_repeats(
    moments: Sequence[FusedMoment], cuts_of: Callable[[set[int]], Cuts]
) -> list[FusedMoment]:
    """Moments in their order without those that repeat a better one; evidence of a kind that the
    better one lacks joins it. No span and no place changes.

    `cuts_of`: videos -> their cuts; called once, for the videos in which answers are that near.
    """
    cuts = cuts_of(wanted) if (wanted := _videos_of_neighbours(moments)) else {}
    kept: list[FusedMoment] = []
    for moment in moments:
        place = next((n for n, one in enumerate(kept) if _repeats(moment, one, cuts)), None)
        if place is None:
            kept.append(moment)
        else:
            kept[place] = _join(kept[place], moment)
    return kept


def _videos_of_neighbours(moments: Iterable[FusedMoment]) -> set[int]:
    """Videos in which two answers follow each other closely."""
    by_video: dict[int, list[Span]] = {}
    found: set[int] = set()
    for moment in moments:
        spans = by_video.setdefault(moment.video_id, [])
        if any(0 <= _gap_s(moment.span, span) <= CONTINUED_S for span in spans):
            found.add(moment.video_id)
        spans.append(moment.span)
    return found


def _gap_s(one: Span, other: Span) -> float:
    """Between two spans; negative where they overlap."""
    return max(one.start_s, other.start_s) - min(one.end_s, other.end_s)


def _repeats(moment: FusedMoment, better: FusedMoment, cuts: Cuts) -> bool:
    if moment.video_id != better.video_id:
        return False
    if (gap_s := _gap_s(moment.span, better.span)) < 0:
        return True
    if gap_s > CONTINUED_S:
        return False
    first_end_s = min(moment.span.end_s, better.span.end_s)
    borders = first_end_s - CUT_TOLERANCE_S, first_end_s + gap_s + CUT_TOLERANCE_S
    first, after = np.searchsorted(cuts.get(moment.video_id, np.empty(0)), borders)
    return bool(first == after)


def _join(better: FusedMoment, moment: FusedMoment) -> FusedMoment:
    kinds = {evidence.kind for evidence in better.evidence}
    new = tuple(evidence for evidence in moment.evidence if evidence.kind not in kinds)
    if not new:
        return better
    return replace(
        better,
        evidence=(*better.evidence, *new),
        probability=max(better.probability, moment.probability),
    )
