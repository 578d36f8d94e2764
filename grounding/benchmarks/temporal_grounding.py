"""Temporal grounding of single queries, as Charades-STA and QVHighlights count: R@1 at IoU .3, .5
and .7, mIoU, mAP; nothing is rounded.

The first span of an answer counts for R@1, against the window that it fits best; all of them, in
their order, for mAP.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grounding.benchmarks.cases import Case, with_truth
from grounding.benchmarks.scores import Metric, Scores, mean
from grounding.benchmarks.truth import clip_length_s, true_spans
from grounding.lego.generate.answers import parse_spans
from grounding.metrics.temporal import MAP_THRESHOLDS, average_precision, best_iou
from grounding.spans import ScoredSpan, Span

CLIP = Span(0.0, 1.0)
RECALLS = (0.3, 0.5, 0.7)


def score_moments(cases: Sequence[Case]) -> Scores:
    """`temporal`: an answer without a span is a miss."""
    cases, others = with_truth(cases, "spans", "temporal")
    lengths = list(map(clip_length_s, cases))
    predicted = [
        [_seconds(span, length) for span in parse_spans(case.answer or "", CLIP)]
        for case, length in zip(cases, lengths)
    ]
    truths = [
        [_seconds(span, length) for span in true_spans(case)]
        for case, length in zip(cases, lengths)
    ]
    ious = [
        best_iou(spans[0] if spans else None, windows) for spans, windows in zip(predicted, truths)
    ]
    metrics = {f"R@1 IoU {t}": mean([iou >= t for iou in ious]) for t in RECALLS} | {
        "mIoU": mean(ious)
    }
    if any(len(windows) > 1 for windows in truths):
        metrics |= _precision(predicted, truths)
    missing = sum(case.answer is None for case in cases)
    unread = sum(not spans for spans in predicted) - missing
    return Scores(
        "temporal", metrics, {"rows": len(cases), "missing": missing, "unread": unread, **others}
    )


def _seconds(span: Span, duration_s: float) -> Span:
    """To the microsecond: seconds that became fractions and seconds again must still tie with a
    threshold that they met exactly.
    """
    return Span(round(span.start_s * duration_s, 6), round(span.end_s * duration_s, 6))


def _precision(
    predicted: Sequence[Sequence[Span]], truths: Sequence[Sequence[Span]]
) -> dict[str, Metric]:
    ranked = [
        [ScoredSpan(span, -float(place)) for place, span in enumerate(spans)] for spans in predicted
    ]
    table = np.array([average_precision(spans, windows) for spans, windows in zip(ranked, truths)])
    at = {f"mAP@{t}": mean(table[:, MAP_THRESHOLDS.index(t)].tolist()) for t in (0.5, 0.75)}
    return at | {"mAP": mean(table.mean(axis=1).tolist())}
