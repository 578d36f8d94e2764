"""Moments of several kinds of evidence become one list of answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from grounding.spans import Span
from indexer.search.calibration import passage_probability
from indexer.search.types import Evidence, FusedMoment, PassageHit, RankedMoment
from indexer.vocabulary import EvidenceKind

TITLE = "title"  # a name says nothing about what is seen in the video
RRF_CONSTANT = 60
"""Cormack, Clarke and Buettcher 2009, "Reciprocal rank fusion outperforms Condorcet"."""


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
        _Entry("picture", rank, m.video_id, m.span, m.score, m.peak_s, m.probability)
        for rank, m in enumerate(picture, 1)
    ]
    for kind, hits in passages.items():
        entries += [_passage_entry(kind, rank, h) for rank, h in enumerate(hits, 1)]
    weighted = [
        (entry, weigh(entry.kind, entry.score) / (RRF_CONSTANT + entry.rank)) for entry in entries
    ]
    fused: list[FusedMoment] = []
    # A title holds for a whole video: it joins the best moment there, and no moment joins it.
    for entry, gain in sorted(weighted, key=lambda pair: (pair[0].kind == TITLE, -pair[1])):
        evidence = Evidence(entry.kind, entry.score, entry.text, entry.words)
        place = _answer_of(fused, entry)
        if place is None:
            fused.append(
                FusedMoment(
                    entry.video_id,
                    entry.span,
                    gain,
                    entry.peak_s,
                    (evidence,),
                    entry.probability,
                )
            )
        elif all(known.kind != entry.kind for known in fused[place].evidence):
            fused[place] = replace(
                fused[place],
                score=fused[place].score + gain,
                evidence=(*fused[place].evidence, evidence),
                probability=max(fused[place].probability, entry.probability),
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
    probability: float
    text: str = ""
    words: tuple[tuple[float, float, str], ...] = ()


def _passage_entry(kind: str, rank: int, hit: PassageHit) -> _Entry:
    return _Entry(
        kind,
        rank,
        hit.video_id,
        hit.span,
        hit.score,
        _seen_s(hit),
        _probability(kind, hit),
        hit.text,
        hit.words,
    )


def _seen_s(hit: PassageHit) -> float:
    """When what was found is on the screen: at its start the picture before it may still stand."""
    start_s, end_s = hit.words[0][:2] if hit.words else (hit.span.start_s, hit.span.end_s)
    return (start_s + end_s) / 2


def _probability(kind: str, hit: PassageHit) -> float:
    """That a hit answers; the score of a sound is that already."""
    if kind == TITLE:
        return 0.0
    return hit.score if kind == EvidenceKind.SOUND else passage_probability(hit.score)


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
