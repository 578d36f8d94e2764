"""Rows that are left out, with a reason that is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from grounding.errors import DataError

SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Skip:
    """A row that is left out."""

    reason: str
    """A few words that many rows share: what is counted."""
    where: str
    """Which row: file and place, or its name in its data set."""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}" + (f" ({self.detail})" if self.detail else "")


class SkipRow(ValueError):
    """Raised where a row turns out to be unusable; caught where rows are counted."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail

    def at(self, where: str) -> Skip:
        """This reason for the row at `where`."""
        return Skip(self.reason, where, self.detail)


@dataclass(slots=True)
class Tally:
    """Counts skips by reason and keeps the first few of each. Give it as `on_skip`."""

    counts: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[str]] = field(default_factory=dict)

    def __call__(self, skip: Skip) -> None:
        self.counts[skip.reason] += 1
        kept = self.samples.setdefault(skip.reason, [])
        if len(kept) < SAMPLES:
            kept.append(str(skip))

    def total(self) -> int:
        """Skips in all."""
        return self.counts.total()

    def to_json(self) -> dict[str, object]:
        """For a report, and for a run that goes on."""
        return {"counts": dict(self.counts.most_common()), "samples": self.samples}

    @classmethod
    def from_json(cls, raw: Mapping) -> Tally:
        """What `to_json` gave."""
        return cls(
            Counter(raw["counts"]), {reason: list(kept) for reason, kept in raw["samples"].items()}
        )


def refuse(skip: Skip) -> None:
    """The strict `on_skip`: the first unusable row is an error."""
    raise DataError(str(skip))
