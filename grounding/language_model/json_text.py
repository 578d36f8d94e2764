"""JSON arrays in what a language model writes around them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

MAX_STARTS = 40
"""Places at which an array may begin; more are nonsense, on which each would take its time."""


def arrays(text: str) -> Iterator[list[Any]]:
    """Every array that begins somewhere in the text, the first first."""
    decoder = json.JSONDecoder()
    start = -1
    for _ in range(MAX_STARTS):
        start = text.find("[", start + 1)
        if start < 0:
            return
        try:
            value, _end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        yield value
