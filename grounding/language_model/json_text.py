"""JSON in what a language model writes around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MAX_STARTS = 40
"""Places at which a value may begin; more are nonsense, on which each would take its time."""


def arrays(text: str) -> Iterator[list[Any]]:
    """Every array that begins somewhere in the text, the first first."""
    return _values(text, re.compile(r"\["))


def values(text: str) -> Iterator[dict[str, Any] | list[Any]]:
    """Every object and array that begins somewhere in the text, the first first."""
    return _values(text, re.compile(r"[\[{]"))


def _values(text: str, begins: re.Pattern[str]) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    start = -1
    for _ in range(MAX_STARTS):
        match = begins.search(text, start + 1)
        if match is None:
            return
        start = match.start()
        try:
            value, _end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        yield value
