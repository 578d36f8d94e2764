"""Which videos a search may look at, by what is known about the files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Filters:
    """`recorded_from`, `recorded_to`: days in UTC, both included; a video without a date fits
    neither. Lengths in seconds.

    `name`: a piece of the title or the file's name, in any case of letters.
    """

    recorded_from: date | None = None
    recorded_to: date | None = None
    shortest_s: float = 0.0
    longest_s: float | None = None
    name: str = ""

    @property
    def is_empty(self) -> bool:
        return self == Filters()
