import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from grounding.lego.generate.answers import parse_boxes, parse_fractions
from grounding.records.coordinates import (
    PixelBox,
    Size,
    format_fractions,
    format_square,
    inside_image,
    round_fractions,
    span_fractions,
    square_fractions,
    to_span,
)
from grounding.records.skips import SkipRow
from grounding.spans import Span

sizes = st.builds(Size, st.integers(1, 3000), st.integers(1, 3000))


@st.composite
def boxes_in_images(draw) -> tuple[PixelBox, Size]:
    size = draw(sizes)
    x1, y1 = draw(st.integers(0, size.width - 1)), draw(st.integers(0, size.height - 1))
    return PixelBox(
        x1, y1, draw(st.integers(x1 + 1, size.width)), draw(st.integers(y1 + 1, size.height))
    ), size


@given(boxes_in_images())
def test_a_box_that_is_written_and_read_lies_where_it_was(pair):
    """Three decimals of the square's side, then whole pixels, then three decimals of the image: at
    most 1.6 pixels and .05 %.
    """
    box, size = pair
    square = square_fractions(box, size)
    if min(box.x2 - box.x1, box.y2 - box.y1) <= max(size) * 0.001:
        return  # may vanish between two steps
    text = format_square(square)
    found = parse_boxes(text, size.width, size.height)
    if not found:  # thinner than a pixel once rounded
        assert min(box.x2 - box.x1, box.y2 - box.y1) <= 2 + max(size) * 0.001
        return
    slack = 1.1 + 0.0005 * max(size) + 0.0005 * max(size)
    for fraction, true, side in zip(
        (found[0].x1, found[0].y1, found[0].x2, found[0].y2), box, (*size, *size)
    ):
        assert abs(fraction * side - true) <= slack


@given(st.floats(0.1, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_a_span_that_is_written_and_read_lies_where_it_was(
    duration_s: float, first: float, second: float
):
    start, end = sorted((first * duration_s, second * duration_s))
    assume(start < end and start < duration_s)
    pair = span_fractions(Span(start, end), duration_s)
    ((low, high),) = parse_fractions(format_fractions([pair]))
    assert 0 <= low < high <= 1
    assert abs(low - pair[0]) <= 0.01 + 1e-9
    assert abs(high - pair[1]) <= 0.01 + 1e-9


@pytest.mark.parametrize(
    ("pair", "rounded"),
    [
        ((0.0871, 0.1512), (0.09, 0.15)),
        ((0.5011, 0.5013), (0.50, 0.51)),
        ((0.999, 1.0), (0.99, 1.0)),
        ((0.0, 0.001), (0.0, 0.01)),
    ],
)
def test_short_spans_are_widened_to_a_step(pair: tuple[float, float], rounded: tuple[float, float]):
    assert round_fractions(*pair) == rounded


def test_ends_are_clamped():
    assert span_fractions(Span(5, 99), 10) == (0.5, 1.0)
    assert span_fractions(Span(-1, 5), 10) == (0.0, 0.5)


@pytest.mark.parametrize(
    ("span", "duration_s", "reason"),
    [
        (Span(10, 12), 10, "span outside the video"),
        (Span(-2, 0), 10, "span outside the video"),
        (Span(3, 3), 10, "zero length"),
        (Span(0, 1), 0, "video without length"),
        (Span(0, 1), math.nan, "video without length"),
    ],
)
def test_spans_that_cannot_be_told(span: Span, duration_s: float, reason: str):
    with pytest.raises(SkipRow) as caught:
        span_fractions(span, duration_s)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("start", "end"), [(None, 1), ("x", 1), (math.nan, 1), (0, math.inf), ([], 1)]
)
def test_times_that_are_no_numbers(start: object, end: object):
    with pytest.raises(SkipRow, match="not a number"):
        to_span(start, end)


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (PixelBox(0, 0, 0, 5), "empty box"),
        (PixelBox(5, 0, 2, 5), "empty box"),
        (PixelBox(90, 0, 200, 50), "box outside the image"),
        (PixelBox(-50, 0, 40, 50), "box outside the image"),
        (PixelBox(math.nan, 0, 1, 1), "not a number"),
    ],
)
def test_boxes_that_cannot_be_told(box: PixelBox, reason: str):
    with pytest.raises(SkipRow) as caught:
        inside_image(box, Size(100, 50))
    assert caught.value.reason == reason


def test_a_box_that_sticks_out_a_little_is_cut():
    assert inside_image(PixelBox(-2, -1, 50, 52), Size(100, 50)) == (0, 0, 50, 50)


def test_nothing_is_told_twice():
    assert format_fractions([(0.1, 0.2), (0.101, 0.2), (0.5, 0.6)]) == "{0.10,0.20} and {0.50,0.60}"
