"""Title, file name and recording date as evidence: a video that is called what was asked for is
worth a look.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import PurePath

from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.catalog import videos
from indexer.catalog.fulltext import parse_terms
from indexer.catalog.video_queries import find_named_videos, find_recorded_videos
from indexer.search.calibration import MATCH_PROBABILITY
from indexer.search.types import FusedMoment, PassageHit
from indexer.vocabulary import EvidenceKind

KIND = "title"
SHARE = 2 / 3  # of the question's words that a name has to hold
OPENING_S = 8.0
CANDIDATES = 500
HITS = 20
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


def title_hits(
    s: Session,
    statement: str,
    collection_ids: Sequence[int] | None,
    video_ids: Sequence[int] | None,
) -> list[PassageHit]:
    """Videos whose name holds most words of the statement, or that were recorded when it says; best
    first, over their whole length.
    """
    words = {
        word.casefold()
        for term in parse_terms(statement)
        for word in term.text.split()
        if len(word) > 1
    }
    if not words:
        return []
    allowed = None if video_ids is None else set(video_ids)
    hits = [
        hit
        for hit in _hits_by_name(s, words, collection_ids)
        if allowed is None or hit.video_id in allowed
    ]
    dated = [
        hit
        for hit in _hits_by_date(s, statement, collection_ids)
        if allowed is None or hit.video_id in allowed
    ]
    known = {hit.video_id for hit in hits}
    return sorted(
        [*hits, *(hit for hit in dated if hit.video_id not in known)], key=lambda hit: -hit.score
    )[:HITS]


def behind_what_is_seen(moments: Sequence[FusedMoment]) -> list[FusedMoment]:
    """A name lifts no moment that is unlikely by itself above a picture that likely shows it."""
    seen = [
        number
        for number, moment in enumerate(moments)
        if moment.probability >= MATCH_PROBABILITY and _has(moment, EvidenceKind.PICTURE)
    ]
    last = seen[-1] if seen else -1
    named = {
        number
        for number, moment in enumerate(moments[: last + 1])
        if moment.probability < MATCH_PROBABILITY and _has(moment, KIND)
    }
    before = [moment for n, moment in enumerate(moments[: last + 1]) if n not in named]
    return [*before, *(moments[n] for n in sorted(named)), *moments[last + 1 :]]


def _has(moment: FusedMoment, kind: str) -> bool:
    return any(evidence.kind == kind for evidence in moment.evidence)


def openings(moments: Sequence[FusedMoment]) -> list[FusedMoment]:
    """Where nothing but its name speaks for a video, its opening is the moment."""
    return [
        replace(moment, span=Span(0.0, min(OPENING_S, moment.span.end_s)), peak_s=0.0)
        if moment.evidence[0].kind == KIND
        else moment
        for moment in moments
    ]


def _hits_by_name(
    s: Session, words: set[str], collection_ids: Sequence[int] | None
) -> list[PassageHit]:
    hits = []
    for video in find_named_videos(s, collection_ids, _telling(words), CANDIDATES):
        held = words & _words_of(f"{video.title} {video.paths}")
        # What is shown is what holds them; the title in a container may be that of a program.
        file = PurePath(video.paths.rpartition("/")[2]).stem
        name = max((file, video.title or ""), key=lambda name: len(words & _words_of(name)))
        if len(held) >= SHARE * len(words):
            hits.append(
                PassageHit(
                    video.video_id, Span(0.0, video.duration_s), name, len(held) / len(words)
                )
            )
    return hits


def _telling(words: set[str]) -> list[str]:
    """The longest words of which a name holds at least one if it holds `SHARE` of all: it can miss
    so many, and one more is too many.
    """
    missed = len(words) - math.ceil(SHARE * len(words))
    return sorted(words, key=lambda word: (-len(word), word))[: missed + 1]


def _hits_by_date(
    s: Session, statement: str, collection_ids: Sequence[int] | None
) -> list[PassageHit]:
    days = period_of(statement)
    if days is None:
        return []
    found = videos.get_videos(s, find_recorded_videos(s, collection_ids, *days)[:CANDIDATES])
    text = {
        id: video.recorded_at.date().isoformat() for id, video in found.items() if video.recorded_at
    }
    return [PassageHit(id, Span(0.0, found[id].duration_s), text[id], 1.0) for id in text]


def period_of(text: str) -> tuple[date, date] | None:
    """First and last day of a date, month or year that a text names: `2023-05-17`, `May 2023`, `in
    2023`.
    """
    if whole := re.search(r"\b((?:19|20)\d\d)-(\d\d)-(\d\d)\b", text):
        try:
            day = date(*(int(part) for part in whole.groups()))
        except ValueError:
            return None
        return day, day
    if month := re.search(rf"\b({'|'.join(MONTHS)})\s+((?:19|20)\d\d)\b", text.lower()):
        first = date(int(month[2]), MONTHS.index(month[1]) + 1, 1)
        after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        return first, date.fromordinal(after.toordinal() - 1)
    if year := re.search(
        r"\b(?:in|from|of|during|年)\s+((?:19|20)\d\d)\b|((?:19|20)\d\d)\s*年", text.lower()
    ):
        number = int(year[1] or year[2])
        return date(number, 1, 1), date(number, 12, 31)
    return None


def _words_of(text: str) -> set[str]:
    """Words of a name: `DogPark_2023-05` holds dog, park and dogpark."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return {word.casefold() for part in (text, split) for word in re.findall(r"[^\W_]+", part)}
