"""Ground truth in, numbers out: ask every row, or score a file of predictions. The metrics are in
`grounding.metrics`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from grounding.metrics.bootstrap import mean_interval, two_sample_interval
from grounding.metrics.highlights import LEVELS, highlight_hit, highlight_precision, saliency_table
from grounding.metrics.retrieval import auroc, false_alarms, first_rank, recall_at, reciprocal_rank
from grounding.metrics.temporal import MAP_THRESHOLDS, average_precision, best_iou
from grounding.spans import ScoredSpan, Span
from indexer.errors import UsageError
from indexer.evaluation.ground_truth import Prediction, Row, load_predictions, load_rows, video_stem

__all__ = [
    "Answer",
    "Found",
    "Prediction",
    "Report",
    "Row",
    "evaluate",
    "load_predictions",
    "load_rows",
    "score_predictions",
]

MOMENTS = 50  # videos are ranked by their first appearance among so many moments
LENGTHS_S = {
    "short": (0, 10),
    "middle": (10, 30),
    "long": (30, 150),
}  # of windows, half-open at the left (QVHighlights)


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


@dataclass(frozen=True, slots=True)
class Report:
    """Metrics over all rows and by kind; `intervals` has the 95 % bootstrap interval of each under
    the same names.
    """

    all: dict[str, float]
    by_kind: dict[str, dict[str, float]]
    rows: list[dict]
    intervals: dict[str, dict] = field(default_factory=dict)

    def as_dict(self) -> dict:
        """JSON-ready: a number that could not be computed is null."""
        return _without_nan(asdict(self))


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
    results = [_ask(_clamped(row, by_stem), search, ground, judge) for row in wrap(rows)]
    return _report(results, _search_metrics)


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
    rows = [_clamped(row, by_stem) for row in rows]
    results = [
        _score(row, by_key.get(row.id) or by_key.get((video_stem(row.video), row.query)))
        for row in rows
    ]
    return _report(results, _prediction_metrics)


# ---- asking --------------------------------------------------------------------------------------


def _ask(row: Row, search: Search, ground: Ground, judge: Judge | None) -> dict:
    began = time.perf_counter()
    answer = search(row.query, frozenset())
    took_s = time.perf_counter() - began
    result = _identity(row) | {"took_s": took_s, "confidence": answer.confidence}
    if not row.windows:
        return result
    moments = answer.moments[:MOMENTS]
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


def _search_metrics(results: Sequence[dict]) -> dict[str, _Value]:
    ranks = [r["rank"] for r in results if "rank" in r]
    moments = [r["moment_iou"] for r in results if "moment_iou" in r]
    grounded = [r["grounding_iou"] for r in results if "grounding_iou" in r]
    matches = [r["confidence"] for r in results if r["windows"]]
    others = [r["confidence"] for r in results if not r["windows"]]
    others += [r["masked_confidence"] for r in results if "masked_confidence" in r]
    took = [r["took_s"] for r in results]
    judged = [r for r in results if "lego_iou" in r]
    return {
        "video_r1": _mean([recall_at(rank, 1) for rank in ranks]),
        "video_r5": _mean([recall_at(rank, 5) for rank in ranks]),
        "mrr": _mean([reciprocal_rank(rank) for rank in ranks]),
        "moment_r1_iou50": _mean([iou >= 0.5 for iou in moments]),
        "moment_r1_iou30": _mean([iou >= 0.3 for iou in moments]),
        "grounding_r1_iou50": _mean([iou >= 0.5 for iou in grounded]),
        "grounding_r1_iou70": _mean([iou >= 0.7 for iou in grounded]),
        "grounding_miou": _mean(grounded),
        **(_judged_metrics(judged) if judged else {}),
        "no_match_auroc": _Value(
            auroc(matches, others), lambda: two_sample_interval(auroc, matches, others)
        ),
        "no_match_false_alarms": _Value(
            false_alarms(matches, others),
            lambda: two_sample_interval(false_alarms, matches, others),
        ),
        "took_s_median": _plain(float(np.median(took)) if took else math.nan),
        "took_s_p95": _plain(float(np.quantile(took, 0.95)) if took else math.nan),
        "rows": _plain(len(results)),
    }


# ---- submissions ---------------------------------------------------------------------------------


def _judged_metrics(judged: Sequence[dict]) -> dict[str, _Value]:
    """The grounder alone, what the rule makes of both, and how often it took the grounder's span."""
    own, shown = ([r[name] for r in judged] for name in ("lego_iou", "refined_iou"))
    return {
        "lego_r1_iou50": _mean([iou >= 0.5 for iou in own]),
        "lego_miou": _mean(own),
        "refined_r1_iou50": _mean([iou >= 0.5 for iou in shown]),
        "refined_miou": _mean(shown),
        "lego_accepted": _mean([r["lego_accepted"] for r in judged]),
    }


def _score(row: Row, prediction: Prediction | None) -> dict:
    spans = prediction.spans if prediction else ()
    result = _identity(row) | {"missing": prediction is None}
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


def _prediction_metrics(results: Sequence[dict]) -> dict[str, _Value]:
    ious = [r["iou"] for r in results if "iou" in r]
    metrics = {
        f"r1_iou{round(t * 100)}": _mean([iou >= t for iou in ious]) for t in (0.3, 0.5, 0.7)
    }
    metrics["miou"] = _mean(ious)
    for suffix in ("", *(f"_{name}" for name in LENGTHS_S)):
        precisions = [r[f"precision{suffix}"] for r in results if f"precision{suffix}" in r]
        if not suffix:
            metrics |= {
                f"map_{round(t * 100)}": _mean([p[MAP_THRESHOLDS.index(t)] for p in precisions])
                for t in (0.5, 0.75)
            }
        metrics[f"map{suffix}"] = _mean([float(np.mean(p)) for p in precisions])
    for name in (f"{kind}_{level}" for level in LEVELS for kind in ("hl_map", "hl_hit1")):
        if any(name in r for r in results):
            metrics[name] = _mean([r.get(name, 0.0) for r in results])
    metrics["rows"] = _plain(len(results))
    metrics["missing"] = _plain(sum(r["missing"] for r in results))
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


# ---- reports -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Value:
    value: float
    interval: Callable[[], tuple[float, float]] | None = None


def _mean(values: Sequence[float]) -> _Value:
    return _Value(
        float(np.mean(values)) if len(values) else math.nan, lambda: mean_interval(values)
    )


def _plain(value: float) -> _Value:
    return _Value(value)


def _report(results: list[dict], metrics: Callable[[Sequence[dict]], dict[str, _Value]]) -> Report:
    kinds = sorted({r["kind"] for r in results if r["kind"]})
    groups = {kind: metrics([r for r in results if r["kind"] == kind]) for kind in kinds}
    whole = metrics(results)
    intervals = {
        "all": _intervals(whole),
        "by_kind": {kind: _intervals(values) for kind, values in groups.items()},
    }
    by_kind = {
        kind: {name: v.value for name, v in values.items()} for kind, values in groups.items()
    }
    return Report({name: v.value for name, v in whole.items()}, by_kind, results, intervals)


def _intervals(values: Mapping[str, _Value]) -> dict[str, list[float]]:
    return {name: list(v.interval()) for name, v in values.items() if v.interval}


def _identity(row: Row) -> dict:
    windows = [[w.start_s, w.end_s] for w in row.windows]
    return {
        "id": row.id,
        "video": row.video,
        "query": row.query,
        "kind": row.kind,
        "scope": row.scope,
        "windows": windows,
    }


def _found_as_list(found: Found) -> list:
    return [found.video, found.span.start_s, found.span.end_s, found.score]


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _clamped(row: Row, durations: Mapping[str, float]) -> Row:
    """The row with its windows inside its video; a window that lies after the end of the video
    becomes empty and cannot be hit.
    """
    duration_s = durations.get(video_stem(row.video), row.duration_s)
    if duration_s is None:
        return row
    return replace(
        row, windows=tuple(w.clamp(0.0, duration_s) for w in row.windows), duration_s=duration_s
    )
