"""The truth of a record as the protocols need it. It comes from any file: what nothing can be
compared with is an error naming its row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from grounding.benchmarks.cases import Case
from grounding.errors import EvaluationError
from grounding.lego.generate.answers import Box
from grounding.spans import Span

T = TypeVar("T")


def true_spans(case: Case) -> list[Span]:
    """Fractions of the clip. Raises EvaluationError for a truth that is not."""
    return _read(
        case, "spans", lambda spans: [Span(*map(_number, pair)) for pair in _as_list(spans)]
    )


def true_events(case: Case) -> list[tuple[Span, str]]:
    """(fractions of the clip, sentence). Raises EvaluationError for a truth that is not."""
    return _read(
        case,
        "events",
        lambda events: [
            (Span(_number(start), _number(end)), _text(text))
            for start, end, text in _as_list(events)
        ],
    )


def true_boxes(case: Case) -> list[Box]:
    """Fractions of the padded square. Raises EvaluationError for a truth that is not."""
    return _read(case, "boxes", lambda boxes: [Box(*map(_number, box)) for box in _as_list(boxes)])


def true_caption(case: Case) -> str:
    """Raises EvaluationError for a truth that is not one."""
    return _read(case, "caption", _text)


def image_size(case: Case) -> tuple[int, int] | None:
    """Width and height in pixels; None where the truth does not say."""
    return _read(case, "size", _size) if case.record.truth.get("size") is not None else None


def clip_length_s(case: Case) -> float:
    """Seconds; 1 where the truth does not say, so that a fraction stays one."""
    return (
        _read(case, "duration_s", _length)
        if case.record.truth.get("duration_s") is not None
        else 1.0
    )


def _read(case: Case, field: str, read: Callable[[Any], T]) -> T:
    value = case.record.truth.get(field)
    try:
        return read(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise EvaluationError(
            f"the truth of record {case.record.id!r} cannot be compared with: {field} is "
            f"{value!r:.80} ({error})"
        ) from error


def _as_list(values: Any) -> list[Any]:
    if not isinstance(values, list | tuple):
        raise TypeError("not a list")
    return list(values)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r:.40} is not a number")
    return float(value)


def _length(value: Any) -> float:
    if _number(value) <= 0:
        raise ValueError("not a length")
    return float(value)


def _size(value: Any) -> tuple[int, int]:
    width, height = (int(_length(side)) for side in _as_list(value))
    if not width or not height:
        raise ValueError("an image without pixels")
    return width, height


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
