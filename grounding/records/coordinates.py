"""Seconds and pixels to the numbers that LEGO writes, and the checks that a row must pass on the
way.

A time is a fraction of the clip with two decimals, `{0.09,0.15}`; a box fractions of the padded
square with three, `[0.120, 0.345, 0.678, 0.910]` (`grounding.lego.preprocess.image.pad_to_square`,
undone by `grounding.lego.generate.answers.unpad_box`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from grounding.records.skips import SkipRow
from grounding.spans import Span

TIME_STEP = 0.01
BOX_STEP = 0.001
MIN_INSIDE = 0.5
"""A box of which less than this part lies inside the image belongs to another image, or to another
size of it.
"""


class PixelBox(NamedTuple):
    """Left, top, right, bottom in pixels of the image."""

    x1: float
    y1: float
    x2: float
    y2: float

    @classmethod
    def from_size(cls, x: float, y: float, width: float, height: float) -> PixelBox:
        """From the left upper corner and the size, as COCO has boxes."""
        return cls(x, y, x + width, y + height)


class Size(NamedTuple):
    """Pixels."""

    width: int
    height: int


def to_span(start: object, end: object) -> Span:
    """Seconds as a file gives them. Raises SkipRow unless both are numbers in their order."""
    try:
        start_s, end_s = float(start), float(end)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise SkipRow("not a number", f"{start!r} to {end!r}") from error
    if not (math.isfinite(start_s) and math.isfinite(end_s)):
        raise SkipRow("not a number", f"{start!r} to {end!r}")
    if end_s < start_s:
        raise SkipRow("ends before it starts", f"{start_s} to {end_s} s")
    return Span(start_s, end_s)


def span_fractions(span: Span, duration_s: float) -> tuple[float, float]:
    """Unrounded fractions of the clip. An end behind the video's end is clamped (561 of 3,720 in
    Charades-STA's test set).

    Raises SkipRow for a span without length and for one that begins behind the end.
    """
    if not math.isfinite(duration_s) or duration_s <= 0:
        raise SkipRow("video without length", f"{duration_s} s")
    if span.start_s >= duration_s or span.end_s <= 0:
        raise SkipRow(
            "span outside the video", f"{span.start_s} to {span.end_s} s of {duration_s} s"
        )
    if span.length_s == 0:
        raise SkipRow("zero length", f"{span.start_s} to {span.end_s} s")
    inside = span.clamp(0.0, duration_s)
    return inside.start_s / duration_s, inside.end_s / duration_s


def round_fractions(start: float, end: float) -> tuple[float, float]:
    """To two decimals; what would become nothing is widened to the step around it.

    >>> round_fractions(0.0871, 0.1512), round_fractions(0.5011, 0.5013)
    ((0.09, 0.15), (0.5, 0.51))
    """
    low, high = round(start, 2), round(end, 2)
    if low < high:
        return low, high
    low = min(math.floor(start / TIME_STEP + 1e-9) * TIME_STEP, 1 - TIME_STEP)
    return round(low, 2), round(low + TIME_STEP, 2)


def format_fractions(pairs: Iterable[tuple[float, float]]) -> str:
    """`{0.09,0.15} and {0.40,0.50}`; none twice."""
    rounded = dict.fromkeys(round_fractions(*pair) for pair in pairs)
    return join_words([f"{{{start:.2f},{end:.2f}}}" for start, end in rounded])


def inside_image(box: PixelBox, size: Size) -> PixelBox:
    """Clamped to the image. Raises SkipRow for an empty box, one that lies mostly outside, and what
    is not a number.
    """
    if not all(map(math.isfinite, box)):
        raise SkipRow("not a number", f"box {tuple(box)}")
    if min(size) <= 0:
        raise SkipRow("image without size", f"{size.width} x {size.height}")
    if box.x1 >= box.x2 or box.y1 >= box.y2:
        raise SkipRow("empty box", f"{tuple(box)}")
    x1, x2 = (min(max(x, 0.0), float(size.width)) for x in (box.x1, box.x2))
    y1, y2 = (min(max(y, 0.0), float(size.height)) for y in (box.y1, box.y2))
    if (x2 - x1) * (y2 - y1) < MIN_INSIDE * (box.x2 - box.x1) * (box.y2 - box.y1):
        raise SkipRow("box outside the image", f"{tuple(box)} in {size.width} x {size.height}")
    return PixelBox(x1, y1, x2, y2)


def square_fractions(box: PixelBox, size: Size) -> tuple[float, float, float, float]:
    """Unrounded fractions of the square that the image is padded to. Raises SkipRow as
    `inside_image` does.

    >>> square_fractions(PixelBox(0, 0, 200, 100), Size(200, 100))  # 50 rows above, 50 below
    (0.0, 0.25, 1.0, 0.75)
    """
    x1, y1, x2, y2 = inside_image(box, size)
    side = max(size)
    left, top = (side - size.width) // 2, (side - size.height) // 2
    return (x1 + left) / side, (y1 + top) / side, (x2 + left) / side, (y2 + top) / side


def format_square(box: Sequence[float]) -> str:
    """Raises SkipRow for a box that rounding leaves empty."""
    x1, y1, x2, y2 = (round(value, 3) for value in box)
    if x1 >= x2 or y1 >= y2:
        raise SkipRow("box too small for three decimals", f"{tuple(box)}")
    return f"[{x1:.3f}, {y1:.3f}, {x2:.3f}, {y2:.3f}]"


def format_squares(boxes: Iterable[Sequence[float]]) -> str:
    """`[...] and [...]`; a box that is written like an earlier one is left out."""
    return join_words(list(dict.fromkeys(map(format_square, boxes))))


def join_words(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return (
        parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
    )
