"""When a grounder's span replaces the localizer's.

A language model that reads video writes plausible times whether it saw the event or not. So it is
asked about two windows that are shifted against each other, and its span replaces the localizer's
only if

1. both readings name the same span of the video (one that answers by habit, say "the middle third",
moves along with its window), and
2. the similarity curve, which knows nothing of the grounder, supports that span nearly as well as
the localizer's own.

Spans are averaged when they agree and never united. Numbers: `docs/experiments/lego.md`, tests with
simulated grounders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from grounding.spans import ScoredSpan, Span, suppress

MAX_WINDOW_S = 30.0
"""LEGO sees 64 frames whatever the length: two a second at most for this length."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a grounder's span is accepted."""

    agree_iou: float = 0.6
    """Overlap that two readings need to count as one answer."""
    support: float = 0.7
    """Share of the localized span's contrast that the grounded one must have."""
    shift: float = 0.15
    """Windows count as different from this share of their length on."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a grounder answered about one window of the video; `spans` in seconds of the video."""

    window: Span
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Refined:
    """The span to show, and why."""

    span: Span
    """The one to show first."""
    grounded: Span | None
    """The grounder's, to show beside; None where its readings name nothing."""
    accepted: bool
    reason: str


def refine(
    localized: Span,
    readings: Sequence[Reading],
    times_s: np.ndarray,
    curve: np.ndarray,
    rule: Rule = Rule(),
) -> Refined:
    """`times_s` (N,) and `curve` (N,): similarity of the video's frames to the query.

    Keeps the localizer's span unless the readings agree and the curve supports them.
    """
    if times_s.shape != curve.shape or times_s.ndim != 1:
        raise ValueError(f"times_s {times_s.shape} and curve {curve.shape} must be of one length")
    agreed = agreement(readings, rule)
    if agreed is None:
        single = next((span for reading in readings for span in reading.spans), None)
        return Refined(
            localized,
            single,
            False,
            "no two different windows gave the same answer" if single else "no answer",
        )
    if contrast(agreed, times_s, curve) < _required_contrast(
        contrast(localized, times_s, curve), rule
    ):
        return Refined(localized, agreed, False, "the pictures do not support the answer")
    return Refined(
        agreed, agreed, True, "two windows gave the same answer, and the pictures support it"
    )


def agreement(readings: Sequence[Reading], rule: Rule = Rule()) -> Span | None:
    """The mean of the two spans from different windows that overlap best, if they do enough."""
    best, best_iou = None, rule.agree_iou
    for first, second in combinations(readings, 2):
        if not _differ(first.window, second.window, rule):
            continue
        for a in first.spans:
            for b in second.spans:
                if a.iou(b) >= best_iou:
                    best, best_iou = _mean(a, b), a.iou(b)
    return best


def merge_readings(readings: Sequence[Reading], max_iou: float = 0.5) -> list[ScoredSpan]:
    """All spans of overlapping windows, best supported first: the score counts the windows that
    agree; never a union.

    For the events of a long video: of two spans that overlap more than `max_iou` the less supported
    one is dropped.
    """
    scored = [
        ScoredSpan(
            span,
            sum(any(span.iou(other) > max_iou for other in reading.spans) for reading in readings),
        )
        for own in readings
        for span in own.spans
    ]
    return suppress(scored, max_iou)


def windows_around(span: Span, duration_s: float, max_s: float = MAX_WINDOW_S) -> list[Span]:
    """Two windows of at most `max_s`, shifted against each other, that both hold the span as far as
    they can.
    """
    length_s = min(max_s, duration_s * 0.8)
    slack_s = max(length_s - span.length_s, length_s * 0.3)
    starts = (span.middle_s - length_s / 2 - slack_s * share for share in (-0.25, 0.25))
    return [_place_inside(start, length_s, duration_s) for start in starts]


def tile_windows(
    duration_s: float, max_s: float = MAX_WINDOW_S, overlap: float = 0.5
) -> list[Span]:
    """Windows over a whole video, each sharing `overlap` of its length with the next; the last ends
    with the video.
    """
    if duration_s <= max_s:
        return [Span(0.0, duration_s)] if duration_s > 0 else []
    count = int(np.ceil((duration_s - max_s) / (max_s * (1 - overlap)))) + 1
    return [
        Span(float(start), float(start) + max_s)
        for start in np.linspace(0.0, duration_s - max_s, count)
    ]


def contrast(span: Span, times_s: np.ndarray, curve: np.ndarray) -> float:
    """Mean similarity inside minus mean outside; -inf for a span without frames, 0 for one without
    an outside.
    """
    inside = (times_s >= span.start_s) & (times_s < span.end_s)
    if not inside.any():
        return -np.inf
    return float(curve[inside].mean() - curve[~inside].mean()) if not inside.all() else 0.0


def _required_contrast(localized: float, rule: Rule) -> float:
    return localized * rule.support if localized > 0 else localized


def _differ(first: Span, second: Span, rule: Rule) -> bool:
    length_s = min(first.length_s, second.length_s)
    return abs(first.start_s - second.start_s) >= rule.shift * length_s


def _mean(a: Span, b: Span) -> Span:
    return Span((a.start_s + b.start_s) / 2, (a.end_s + b.end_s) / 2)


def _place_inside(start_s: float, length_s: float, duration_s: float) -> Span:
    start = min(max(start_s, 0.0), max(duration_s - length_s, 0.0))
    return Span(start, start + length_s)
