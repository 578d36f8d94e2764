"""One passage for what was read several times: the same line again, and pieces of text that runs
through the picture.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from grounding.spans import Span

GAP_S = 2.5  # a line that was missed for a moment goes on
_ALIKE = 85.0  # per cent of equal letters
_MIN_SHARED = 6  # letters that two pieces of running text have in common
_TORN = 3  # letters at the border of the picture that may be cut or misread
_MAX_RUNNING = 400  # letters


@dataclass(frozen=True, slots=True)
class ReadLine:
    """Text of one line, and the vertical range (y0, y1) of pixels in which it stood."""

    span: Span
    text: str
    confidence: float
    rows: tuple[float, float]


def merge_repeats(lines: Sequence[ReadLine]) -> list[ReadLine]:
    """In order of their start. The better read text of two near-duplicates wins."""
    merged: list[ReadLine] = []
    for line in sorted(lines, key=lambda one: (one.span.start_s, one.rows)):
        for at in range(len(merged) - 1, -1, -1):
            joined = _join(merged[at], line)
            if joined is not None:
                merged[at] = joined
                break
        else:
            merged.append(line)
    return merged


def _join(a: ReadLine, b: ReadLine) -> ReadLine | None:
    if b.span.start_s - a.span.end_s > GAP_S:
        return None
    span = Span(a.span.start_s, max(a.span.end_s, b.span.end_s))
    if alike(a.text, b.text):
        better = max(a, b, key=lambda one: (one.confidence * len(one.text), one.confidence))
        return ReadLine(span, better.text, better.confidence, b.rows)
    running = _run_on(a.text, b.text) if _same_rows(a, b) else None
    return ReadLine(span, running, min(a.confidence, b.confidence), b.rows) if running else None


def alike(a: str, b: str) -> bool:
    """Near-duplicates; other figures make another line ("Step 1", "Step 2")."""
    a, b = (re.sub(r"\s+", "", text).lower() for text in (a, b))
    return re.findall(r"\d+", a) == re.findall(r"\d+", b) and fuzz.ratio(a, b) >= _ALIKE


def _same_rows(a: ReadLine, b: ReadLine) -> bool:
    shared = min(a.rows[1], b.rows[1]) - max(a.rows[0], b.rows[0])
    return shared >= 0.6 * min(a.rows[1] - a.rows[0], b.rows[1] - b.rows[0])


def _run_on(a: str, b: str) -> str | None:
    """`a` and `b` as one text where the end of `a` is the beginning of `b` (a ticker that runs to
    the left), else None.
    """
    match = difflib.SequenceMatcher(None, a, b, autojunk=False).find_longest_match()
    if (
        match.size < _MIN_SHARED
        or match.b > _TORN
        or len(a) - (match.a + match.size) > _TORN
        or len(a) > _MAX_RUNNING
    ):
        return None
    return a[: match.a] + b[match.b :]
