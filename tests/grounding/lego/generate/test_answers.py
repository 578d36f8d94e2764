import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grounding.lego.generate.answers import (
    Box,
    Event,
    parse_boxes,
    parse_events,
    parse_fractions,
    parse_spans,
    rewrite_boxes,
    unpad_box,
)
from grounding.spans import Span

BRACKETS = ["{", "}", "[", "]", ",", ", ", ";", "-", "–", " to ", "%", " ", "\n", "."]
NUMBERS = ["0", "0.25", "1", ".5", "5.", "-3", "+1", "1e9", "nan", "inf", "٣", "²", "9" * 400]
PIECES = st.sampled_from([*BRACKETS, *NUMBERS, "a dog", "in", "###", "\x00", "1.", "é"])
ANYTHING = st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join))
WINDOW = Span(30.0, 60.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The dog turns around to look at the camera in {0.09,0.15}", [(0.09, 0.15)]),
        ("{0.25, 0.50}.", [(0.25, 0.5)]),
        ("{ 0.25 , 0.50 }", [(0.25, 0.5)]),
        ("First {0.1,0.2}, then {0.3,0.4} and again {0.1,0.2}.", [(0.1, 0.2), (0.3, 0.4)]),
        ("{0.1,0.2,0.5,0.75}", [(0.1, 0.2), (0.5, 0.75)]),
        ("{0.8,0.3}", [(0.3, 0.8)]),
        ("{0.9,1.3}", [(0.9, 1.0)]),
        ("{-0.2,0.4}", [(0.0, 0.4)]),
        ("{1.2,1.4}", []),
        ("{9%,15%}", [(0.09, 0.15)]),
        ("{9, 15%}", [(0.09, 0.15)]),
        ("{25,50}", [(0.25, 0.5)]),
        ("{0,50}", [(0.0, 0.5)]),
        ("{0.1 to 0.3}", [(0.1, 0.3)]),
        ("{0.1-0.3}", [(0.1, 0.3)]),
        ("{.5;1}", [(0.5, 1.0)]),
        ("{0.5}", []),
        ("{0.5,0.5}", []),
        ("{0.25, 0.5", []),
        ("{}", []),
        ("{a, b} {1.2.3, 4}", []),
        ("It does not happen.", []),
        ("", []),
    ],
)
def test_times(text, expected):
    assert parse_fractions(text) == expected


@settings(deadline=None)
@given(ANYTHING)
def test_times_of_any_text_are_sound(text):
    for start, end in parse_fractions(text):
        assert 0 <= start < end <= 1


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=6),
    st.sampled_from([",", ", ", " , "]),
    ANYTHING,
)
def test_written_times_are_read_back(pairs, comma, noise):
    noise = "".join(sign for sign in noise if sign not in "{}")
    text = noise.join(f"{{{start:.2f}{comma}{end:.2f}}}" for start, end in pairs)
    rounded = [tuple(sorted((round(start, 2), round(end, 2)))) for start, end in pairs]
    wanted = dict.fromkeys(pair for pair in rounded if pair[0] != pair[1])
    assert parse_fractions(text) == [pytest.approx(pair) for pair in wanted]


@settings(deadline=None)
@given(ANYTHING, st.floats(0, 1e5), st.floats(0.1, 1e5))
def test_spans_lie_in_their_window(text, start_s, length_s):
    window = Span(start_s, start_s + length_s)
    for span in parse_spans(text, window):
        assert window.start_s <= span.start_s <= span.end_s <= window.end_s * (1 + 1e-12)


def test_spans_are_seconds_of_the_window():
    assert parse_spans("{0.5,0.75}", WINDOW) == [Span(45.0, 52.5)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "A man opens the door in {0.0,0.5}. He sits down at {0.5,1.0}.",
            [(30, 45, "A man opens the door"), (45, 60, "He sits down")],
        ),
        (
            "{0.0,0.5}: A man opens the door.\n{0.5,1}: He sits.",
            [(30, 45, "A man opens the door"), (45, 60, "He sits")],
        ),
        ("1. {0,0.5} a cat\n2. {0.5,1} a dog", [(30, 45, "a cat"), (45, 60, "a dog")]),
        ("{0.0,0.5}.\nA man opens the door.", [(30, 45, "A man opens the door")]),
        ("It rains from {0.2,0.4} and {0.6,0.8}.", [(36, 42, "It rains"), (48, 54, "It rains")]),
        ("A quiet street.", [(30, 60, "A quiet street")]),
        ("{0.2,0.4}", []),
        ("", []),
    ],
)
def test_events(text, expected):
    events = [
        (round(e.span.start_s, 6), round(e.span.end_s, 6), e.text)
        for e in parse_events(text, WINDOW)
    ]
    assert events == expected


@settings(deadline=None)
@given(ANYTHING)
def test_events_of_any_text_are_sound(text):
    for event in parse_events(text, WINDOW):
        assert isinstance(event, Event)
        assert event.text.strip()
        assert WINDOW.start_s <= event.span.start_s < event.span.end_s <= WINDOW.end_s


@settings(deadline=None)
@given(ANYTHING, st.integers(1, 5000), st.integers(1, 5000))
def test_boxes_of_any_text_are_sound(text, width, height):
    for box in parse_boxes(text, width, height):
        assert 0 <= box.x1 < box.x2 <= 1
        assert 0 <= box.y1 < box.y2 <= 1
    rewrite_boxes(text, width, height)


@settings(deadline=None)
@given(st.integers(2, 4000), st.integers(2, 4000), st.tuples(*[st.floats(0, 1)] * 4))
def test_padding_is_undone_to_a_pixel(width, height, corners):
    side = max(width, height)
    left, top = (side - width) // 2, (side - height) // 2
    x1, x2 = sorted(corners[:2])
    y1, y2 = sorted(corners[2:])
    padded = (
        (x1 * width + left) / side,
        (y1 * height + top) / side,
        (x2 * width + left) / side,
        (y2 * height + top) / side,
    )
    box = unpad_box(padded, width, height)
    for have, want, size in (
        (box.x1, x1, width),
        (box.y1, y1, height),
        (box.x2, x2, width),
        (box.y2, y2, height),
    ):
        assert math.isclose(have, want, abs_tol=0.501 / size + 0.0006)


def test_boxes_of_a_wide_image():
    text = (
        "Two boxes: [0.0, 0.0, 1.0, 1.0] and [0.75,0.70,0.25,0.30], nothing at "
        "[0.01, 0.02, 0.05, 0.10]."
    )
    assert parse_boxes(text, 90, 60) == [Box(0.0, 0.0, 1.0, 1.0), Box(0.244, 0.2, 0.756, 0.8)]


def test_box_is_mapped_once_where_the_public_code_maps_twice():
    text = "chain [0.3, 0.4, 0.5, 0.6] then [0.3, 0.35, 0.5, 0.65]"
    assert (
        rewrite_boxes(text, 90, 60) == "chain [0.3, 0.35, 0.5, 0.65] then [0.3, 0.267, 0.5, 0.717]"
    )


def test_box_in_pixels():
    assert Box(0.25, 0.5, 0.75, 1.0).pixels(640, 480) == (160, 240, 480, 480)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        " " * 20_000 + "x",
        ". " * 10_000 + "{",
        " in" * 10_000,
        ",;" * 10_000 + "x {0.1,0.2}",
        "{" + "0," * 10_000 + "}",
    ],
)
def test_a_model_that_repeats_itself_is_read_in_no_time(text):
    parse_events(text, Span(0.0, 10.0))
    parse_spans(text, Span(0.0, 10.0))
    parse_boxes(text, 10, 10)


def test_boxes_without_a_leading_zero_are_rewritten_too():
    assert rewrite_boxes("a dog [.1, .2,.5, .9]", 100, 100) == "a dog [0.1, 0.2, 0.5, 0.9]"
    assert parse_boxes("[.1, .2, .5, .9]", 100, 100) == [Box(0.1, 0.2, 0.5, 0.9)]
