"""Asks every row of a ground truth, and scores the answers. The metrics are in
`grounding.metrics`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grounding.metrics.retrieval import (
    auroc,
    false_alarms,
    first_rank,
    recall_at,
    reciprocal_rank,
)
from grounding.metrics.temporal import best_iou
from grounding.spans import ScoredSpan, Span
from indexer.evaluation.ground_truth import Row, clamp, identity, video_stem
from indexer.evaluation.report import (
    Metric,
    Report,
    Result,
    clusters,
    make_report,
    mean_of,
    separation,
)

RANKED_MOMENTS = 50
"""Videos are ranked by their first appearance among so many moments."""


@dataclass(frozen=True, slots=True)
class Found:
    video: str  # file name
    span: Span
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search says: moments best first, whatever the threshold of "no match" thinks, and how
    sure it is that there is a match.
    """

    moments: tuple[Found, ...]
    confidence: float


Search = Callable[[str, frozenset[str]], Answer]
Ground = Callable[[str, str], Sequence[ScoredSpan]]
Judge = Callable[[str, str, ScoredSpan], "Judged"]


@dataclass(frozen=True, slots=True)
class Judged:
    """A grounder's opinion of a localizer's span: its own (None: it named no time), the one that is
    shown, and whether that is its own.
    """

    own: Span | None
    shown: Span
    accepted: bool


def evaluate(
    rows: Sequence[Row],
    search: Search,
    ground: Ground,
    *,
    judge: Judge | None = None,
    durations: Mapping[str, float] | None = None,
    wrap: Callable[[Sequence[Row]], Iterable[Row]] = iter,
) -> Report:
    """Asks every row.

    `search(query, without)` answers from the library without the videos named; `ground(query,
    video)` gives the spans of one video, best first; `judge` says what a grounder makes of the
    first of them. `durations` (file name -> seconds) clamps windows that end after their video.
    `wrap` may draw a progress bar.
    """
    by_stem = {video_stem(name): seconds for name, seconds in (durations or {}).items()}
    results = [_ask(clamp(row, by_stem), search, ground, judge) for row in wrap(rows)]
    return make_report(results, _search_metrics)


def _ask(row: Row, search: Search, ground: Ground, judge: Judge | None) -> Result:
    began = time.perf_counter()
    answer = search(row.query, frozenset())
    took_s = time.perf_counter() - began
    result = identity(row) | {"took_s": took_s, "confidence": answer.confidence}
    if not row.windows:
        return result
    moments = answer.moments[:RANKED_MOMENTS]
    result["rank"] = first_rank((video_stem(m.video) for m in moments), video_stem(row.video))
    result["first"] = _found_as_list(moments[0]) if moments else None
    if row.corpus_unique:
        result["masked_confidence"] = search(row.query, frozenset({row.video})).confidence
    if row.scope != "whole":
        first = (
            moments[0]
            if moments and video_stem(moments[0].video) == video_stem(row.video)
            else None
        )
        spans = ground(row.query, row.video)
        result["moment_iou"] = best_iou(first.span if first else None, row.windows)
        result["grounding_iou"] = best_iou(spans[0].span if spans else None, row.windows)
        result["grounded"] = [spans[0].span.start_s, spans[0].span.end_s] if spans else None
        if judge and spans:
            judged = judge(row.query, row.video, spans[0])
            result["lego_iou"] = best_iou(judged.own, row.windows)
            result["refined_iou"] = best_iou(judged.shown, row.windows)
            result["lego_accepted"] = judged.accepted
    return result


def _search_metrics(results: Sequence[Result]) -> dict[str, Metric]:
    took_s = [result["took_s"] for result in results]
    return {
        "video_r1": mean_of(results, "rank", lambda rank: recall_at(rank, 1)),
        "video_r5": mean_of(results, "rank", lambda rank: recall_at(rank, 5)),
        "mrr": mean_of(results, "rank", reciprocal_rank),
        "moment_r1_iou50": mean_of(results, "moment_iou", lambda iou: iou >= 0.5),
        "moment_r1_iou30": mean_of(results, "moment_iou", lambda iou: iou >= 0.3),
        "grounding_r1_iou50": mean_of(results, "grounding_iou", lambda iou: iou >= 0.5),
        "grounding_r1_iou70": mean_of(results, "grounding_iou", lambda iou: iou >= 0.7),
        "grounding_miou": mean_of(results, "grounding_iou"),
        **_grounder_metrics(results),
        **_no_match_metrics(results),
        "took_s_median": Metric(float(np.median(took_s)) if took_s else math.nan),
        "took_s_p95": Metric(float(np.quantile(took_s, 0.95)) if took_s else math.nan),
        "rows": Metric(len(results)),
    }


def _no_match_metrics(results: Sequence[Result]) -> dict[str, Metric]:
    """Confidence in rows that have an answer against rows without one, and against the same rows
    asked without their video.
    """
    named = list(zip(results, clusters(results), strict=True))
    matches = [(r["confidence"], cluster) for r, cluster in named if r["windows"]]
    others = [(r["confidence"], cluster) for r, cluster in named if not r["windows"]]
    others += [(r["masked_confidence"], c) for r, c in named if "masked_confidence" in r]
    return {
        "no_match_auroc": separation(auroc, matches, others),
        "no_match_false_alarms": separation(false_alarms, matches, others),
    }


def _grounder_metrics(results: Sequence[Result]) -> dict[str, Metric]:
    """The grounder alone, what the rule makes of both, and how often its span was taken."""
    if not any("lego_iou" in result for result in results):
        return {}
    return {
        "lego_r1_iou50": mean_of(results, "lego_iou", lambda iou: iou >= 0.5),
        "lego_miou": mean_of(results, "lego_iou"),
        "refined_r1_iou50": mean_of(results, "refined_iou", lambda iou: iou >= 0.5),
        "refined_miou": mean_of(results, "refined_iou"),
        "lego_accepted": mean_of(results, "lego_accepted"),
    }


def _found_as_list(found: Found) -> list:
    return [found.video, found.span.start_s, found.span.end_s, found.score]
