"""A cue, and plain text from what formats put around it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

MAX_CUES = 200_000  # of one file: two films with a cue for each picture
MAX_LINE = 2000  # characters; what follows in a line is left out
_MAX_LINES = 40  # of one cue
_TAG = re.compile(r"</?[A-Za-z0-9][^<>]{0,300}>")
DIRECTION = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Cue:
    """Text that is shown from `start_s` to `end_s`; its lines end with a newline between them."""

    start_s: float
    end_s: float
    text: str


def plain_lines(text: str) -> list[str]:
    """Without marks of direction, with characters for their names, and with single spaces; empty
    lines are left out.
    """
    lines = (
        " ".join(html.unescape(DIRECTION.sub("", line[:MAX_LINE])).split())
        for line in text.splitlines()[:_MAX_LINES]
    )
    return [line for line in lines if line]


def without_tags(text: str) -> str:
    """Without tags as HTML has them: `<i>`, `<font color=red>`, `<c.loud>`, `<00:01.000>`."""
    return _TAG.sub("", text)


def without_overrides(text: str) -> str:
    """Text of an ASS event without its codes in braces, and without what is drawn between `{\\p1}`
    and `{\\p0}`. A brace that is not closed is text.

    >>> without_overrides(r"{\\i1}Two{\\i0} men{\\p1}m 0 0 l 9 9{\\p0}.")
    'Two men.'
    """
    parts: list[str] = []
    draws, at = False, 0
    while (opening := text.find("{", at)) >= 0:
        closing = text.find("}", opening)
        if closing < 0:
            break
        if not draws:
            parts.append(text[at:opening])
        draws = _draws(text[opening + 1 : closing], draws)
        at = closing + 1
    if not draws:
        parts.append(text[at:])
    plain = "".join(parts)
    return plain.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")


def _draws(codes: str, before: bool) -> bool:
    """Whether what follows these codes is a drawing."""
    found = codes.rfind("\\p")
    while found >= 0:
        digit = codes[found + 2 : found + 3]
        if digit.isdecimal():
            return digit != "0"
        found = codes.rfind("\\p", 0, found)
    return before
