"""Scores a file of predictions against ground truth. The metrics are in `grounding.metrics`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from grounding.metrics.highlights import (
    LEVELS,
    highlight_hit,
    highlight_precision,
    saliency_table,
)
from grounding.metrics.temporal import MAP_THRESHOLDS, average_precision, best_iou
from grounding.spans import Span
from indexer.errors import UsageError
from indexer.evaluation.ground_truth import Prediction, Row, clamp, identity, video_stem
from indexer.evaluation.report import Metric, Report, Result, make_report, mean_of

LENGTHS_S = {"short": (0, 10), "middle": (10, 30), "long": (30, 150)}
"""Of windows, half-open at the left (QVHighlights)."""


def score_predictions(
    rows: Sequence[Row],
    predictions: Sequence[Prediction],
    durations: Mapping[str, float] | None = None,
) -> Report:
    """Scores a submission against rows; a row without a prediction counts as missed and is counted
    in `missing`.
    """
    by_stem = {video_stem(name): seconds for name, seconds in (durations or {}).items()}
    by_key = _by_key(predictions)
    rows = [clamp(row, by_stem) for row in rows]
    results = [
        _score(row, by_key.get(row.id) or by_key.get((video_stem(row.video), row.query)))
        for row in rows
    ]
    return make_report(results, _prediction_metrics)


def _score(row: Row, prediction: Prediction | None) -> dict:
    spans = prediction.spans if prediction else ()
    result = identity(row) | {"missing": prediction is None}
    if not row.windows:
        return result
    result["iou"] = best_iou(spans[0].span if spans else None, row.windows)
    result["precision"] = average_precision(spans, row.windows).tolist()
    for name, windows in _windows_by_length(row).items():
        result[f"precision_{name}"] = average_precision(spans, windows).tolist()
    if row.saliency and row.duration_s and prediction and prediction.saliency:
        table = saliency_table(row.clip_ids, row.saliency, row.duration_s)
        for name, level in LEVELS.items():
            result[f"hl_map_{name}"] = highlight_precision(prediction.saliency, table, level)
            result[f"hl_hit1_{name}"] = highlight_hit(prediction.saliency, table, level)
    return result


def _windows_by_length(row: Row) -> dict[str, list[Span]]:
    groups = {
        name: [w for w in row.windows if low < w.length_s <= high]
        for name, (low, high) in LENGTHS_S.items()
    }
    return {name: windows for name, windows in groups.items() if windows}


def _prediction_metrics(results: Sequence[Result]) -> dict[str, Metric]:
    metrics = {
        f"r1_iou{round(t * 100)}": mean_of(results, "iou", lambda iou, t=t: iou >= t)
        for t in (0.3, 0.5, 0.7)
    }
    metrics["miou"] = mean_of(results, "iou")
    for threshold in (0.5, 0.75):
        place = MAP_THRESHOLDS.index(threshold)
        metrics[f"map_{round(threshold * 100)}"] = mean_of(
            results, "precision", lambda precisions, place=place: precisions[place]
        )
    for suffix in ("", *(f"_{name}" for name in LENGTHS_S)):
        metrics[f"map{suffix}"] = mean_of(
            results, f"precision{suffix}", lambda precisions: float(np.mean(precisions))
        )
    for name in (f"{kind}_{level}" for level in LEVELS for kind in ("hl_map", "hl_hit1")):
        if any(name in result for result in results):
            metrics[name] = mean_of([{name: 0.0} | result for result in results], name)
    metrics["rows"] = Metric(len(results))
    metrics["missing"] = Metric(sum(result["missing"] for result in results))
    return metrics


def _by_key(predictions: Sequence[Prediction]) -> dict[object, Prediction]:
    keyed: dict[object, Prediction] = {}
    for prediction in predictions:
        key = prediction.id or (video_stem(prediction.video), prediction.query)
        if key in keyed:
            raise UsageError(
                "the predictions answer {key!r} twice", "keep one line for each question", key=key
            )
        keyed[key] = prediction
    return keyed
