"""What the model writes, as spans, boxes and events. Nothing here raises, whatever the text: what
cannot be read is left out.

Times are fractions of the clip, `{0.09,0.15}`; boxes fractions of the padded square, `[0.120,
0.345, 0.678, 0.910]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from grounding.spans import Span

_BRACES = re.compile(r"\{([^{}]*)\}")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*(%?)", re.ASCII)
_SEPARATOR = re.compile(r"[,;]|\bto\b|(?<=[\d%])\s*[-–—]\s*(?=[\d.])", re.ASCII)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_LEADS_UP = re.compile(r"\b(?:in|at|from|during|between|within|on|and)\Z", re.IGNORECASE)
_LEADING = re.compile(r"^[\s,;:.)\]\-–*•]*(?:\d+[.)]\s+)?")


@dataclass(frozen=True, slots=True)
class Box:
    """Fractions of the image's width and height, `x1 <= x2`, `y1 <= y2`, all in [0, 1]."""

    x1: float
    y1: float
    x2: float
    y2: float

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The corners in whole pixels of an image of that size."""
        return (
            round(self.x1 * width),
            round(self.y1 * height),
            round(self.x2 * width),
            round(self.y2 * height),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """What happens during a span."""

    span: Span
    text: str


def parse_fractions(text: str) -> list[tuple[float, float]]:
    """All time spans in the order of the text, each 0 <= start < end <= 1, none twice.

    >>> parse_fractions("in {0.09,0.15} and {50%, 40%}")
    [(0.09, 0.15), (0.4, 0.5)]
    """
    found = [pair for match in _BRACES.finditer(text) for pair in _pairs(match.group(1))]
    return list(dict.fromkeys(found))


def parse_spans(text: str, window: Span) -> list[Span]:
    """The spans of an answer about `window`, in seconds."""
    return [_in_window(pair, window) for pair in parse_fractions(text)]


def parse_events(text: str, window: Span) -> list[Event]:
    """Sentences with their spans. An answer without any times holds for the whole window; an empty
    one for nothing.
    """
    events: list[Event] = []
    waiting: list[tuple[float, float]] = []
    for sentence in _sentences(text):
        pairs = parse_fractions(sentence)
        words = _plain(sentence)
        if words and (pairs or waiting):
            events += [Event(_in_window(pair, window), words) for pair in (*waiting, *pairs)]
            waiting = []
        else:
            waiting += pairs  # times on a line of their own belong to the next sentence
    if events or waiting:
        return events
    words = _plain(text)
    return [Event(window, words)] if words else []


def parse_boxes(text: str, width: int, height: int) -> list[Box]:
    """All boxes of an answer about an image of that size, none twice, none empty."""
    squares = (_square_box(match.group(1)) for match in _BRACKETS.finditer(text))
    boxes = [unpad_box(square, width, height) for square in squares if square is not None]
    return list(dict.fromkeys(box for box in boxes if box.x1 < box.x2 and box.y1 < box.y2))


def rewrite_boxes(text: str, width: int, height: int) -> str:
    """The text with each box mapped from the padded square to the image, once."""

    def to_image(match: re.Match[str]) -> str:
        square = _square_box(match.group(1))
        return match.group(0) if square is None else format_box(unpad_box(square, width, height))

    return _BRACKETS.sub(to_image, text)


def unpad_box(square: tuple[float, float, float, float], width: int, height: int) -> Box:
    """From fractions of the padded square to fractions of the image: whole pixels, three decimals,
    clipped, as published.
    """
    side = max(width, height)
    left, top = (side - width) // 2, (side - height) // 2
    x1, y1, x2, y2 = square

    def across(value: float) -> float:
        return round(min(max((round(value * side) - left) / width, 0.0), 1.0), 3)

    def down(value: float) -> float:
        return round(min(max((round(value * side) - top) / height, 0.0), 1.0), 3)

    return Box(across(x1), down(y1), across(x2), down(y2))


def format_box(box: Box) -> str:
    """As the public code writes it."""
    return f"[{box.x1}, {box.y1}, {box.x2}, {box.y2}]"


def _square_box(body: str) -> tuple[float, float, float, float] | None:
    values = _fractions(body)
    if len(values) != 4:
        return None
    (x1, x2), (y1, y2) = sorted(values[::2]), sorted(values[1::2])
    return x1, y1, x2, y2


def _pairs(body: str) -> Iterator[tuple[float, float]]:
    values = _fractions(body)
    for start, end in zip(values[::2], values[1::2]):
        if start != end:
            yield min(start, end), max(start, end)


def _fractions(body: str) -> list[float]:
    """The numbers of a bracket clamped to [0, 1]; none unless it holds numbers only. Percent with
    the sign, or when plainly meant.
    """
    parts = [_NUMBER.fullmatch(part.strip()) for part in _SEPARATOR.split(body)]
    if not all(parts):
        return []
    values = [float(part.group(1)) for part in parts if part]
    percent = any(part.group(2) for part in parts if part) or (
        all(v == 0 or v > 1 for v in values) and 2 <= max(values) <= 100
    )
    return [min(max(value / 100 if percent else value, 0.0), 1.0) for value in values]


def _in_window(pair: tuple[float, float], window: Span) -> Span:
    start, end = pair
    return Span(window.start_s + start * window.length_s, window.start_s + end * window.length_s)


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE.split(text) if sentence.strip()]


def _plain(sentence: str) -> str:
    """The words without the times, and without what led up to them ("... in {0.1,0.2}.")."""
    pieces = [_without_end(piece) for piece in _BRACES.split(sentence)[::2]]
    words = " ".join(piece.strip() for piece in pieces if piece.strip())
    return _LEADING.sub("", words).strip()


def _without_end(piece: str) -> str:
    """Without a preposition at the end and the marks around it. Two strips and no pattern of three
    parts, which takes n^3 steps.
    """
    words = _strip_end(piece, ",;:)].")
    lead = _LEADS_UP.search(words)
    return _strip_end(words[: lead.start()] if lead else words, ",;:([")


def _strip_end(text: str, marks: str) -> str:
    end = len(text)
    while end and (text[end - 1].isspace() or text[end - 1] in marks):
        end -= 1
    return text[:end]
