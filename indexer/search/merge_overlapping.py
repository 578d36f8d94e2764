"""Moments of several kinds of evidence become one list of answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from grounding.spans import Span
from indexer.search.calibration import passage_probability
from indexer.search.types import Evidence, FusedMoment, PassageHit, RankedMoment
from indexer.vocabulary import EvidenceKind

TITLE = "title"  # a name says nothing about what is seen in the video
HINT_ODDS = 1.0  # in favour of the kind that the question names: "she says ...", "the sign reads"
TITLE_ODDS = 3.0  # in favour of a moment whose video is called what was asked
LEAST_PROBABILITY = 1e-6


def fuse(
    picture: Sequence[RankedMoment],
    passages: Mapping[str, Sequence[PassageHit]],
    hint: str = "",
) -> list[FusedMoment]:
    """Moments and passages that overlap in a video are one answer with several evidences; answers
    are in the order of their log odds.

    Every kind has its probability on one scale, so that none needs a weight: a word by chance stays
    behind what is clearly seen, and a sentence that says just what was asked is before it.

    `passages`: kind -> hits, best first. The span is that of the most probable evidence; spans are
    never united. `hint`: the kind that the question names.
    """
    entries = [
        _Entry("picture", m.video_id, m.span, m.score, m.peak_s, m.probability) for m in picture
    ]
    for kind, hits in passages.items():
        entries += [_passage_entry(kind, hit) for hit in hits]
    scored = [(entry, _log_odds(entry) + HINT_ODDS * (entry.kind == hint)) for entry in entries]
    fused: list[FusedMoment] = []
    # A title holds for a whole video: it joins the best moment there, and no moment joins it.
    for entry, score in sorted(scored, key=lambda pair: (pair[0].kind == TITLE, -pair[1])):
        evidence = Evidence(entry.kind, entry.score, entry.text, entry.words)
        place = _answer_of(fused, entry)
        if place is None:
            fused.append(
                FusedMoment(
                    entry.video_id,
                    entry.span,
                    score,
                    entry.peak_s,
                    (evidence,),
                    entry.probability,
                )
            )
        elif all(known.kind != entry.kind for known in fused[place].evidence):
            fused[place] = replace(
                fused[place],
                score=fused[place].score + TITLE_ODDS * (entry.kind == TITLE),
                evidence=(*fused[place].evidence, evidence),
                probability=max(fused[place].probability, entry.probability),
            )
    return sorted(fused, key=lambda moment: -moment.score)


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: str
    video_id: int
    span: Span
    score: float
    peak_s: float
    probability: float
    text: str = ""
    words: tuple[tuple[float, float, str], ...] = ()


def _log_odds(entry: _Entry) -> float:
    probability = min(max(entry.probability, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY)
    return math.log(probability / (1 - probability))


def _passage_entry(kind: str, hit: PassageHit) -> _Entry:
    return _Entry(
        kind,
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
    return 0.0 if kind == TITLE else probability_of(kind, hit.score)


def probability_of(kind: str, score: float) -> float:
    """That a passage or a sound with this score answers; the score of a sound is that already."""
    return score if kind == EvidenceKind.SOUND else passage_probability(score)


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
