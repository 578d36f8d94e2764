"""Spans of time, half-open `[start_s, end_s)`, in seconds from the start of the video as a player
shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `start_s` up to, but not including, `end_s`. Raises ValueError where it ends before it
    starts; an empty span is one.
    """

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not self.start_s <= self.end_s:
            raise ValueError(
                f"a span must not end before it starts: [{self.start_s}, {self.end_s})"
            )

    @property
    def length_s(self) -> float:
        """Seconds; 0 for an empty span."""
        return self.end_s - self.start_s

    @property
    def middle_s(self) -> float:
        """Half-way between start and end."""
        return (self.start_s + self.end_s) / 2

    def overlap_s(self, other: Span) -> float:
        """Seconds that both have in common."""
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))

    def iou(self, other: Span) -> float:
        """Intersection over union in [0, 1], unrounded; 0 for two empty spans."""
        overlap_s = self.overlap_s(other)
        union_s = self.length_s + other.length_s - overlap_s
        return overlap_s / union_s if union_s > 0 else 0.0

    def clamp(self, start_s: float, end_s: float) -> Span:
        """The part inside `[start_s, end_s)`; empty at the nearer end where none is."""
        start = min(max(self.start_s, start_s), end_s)
        return Span(start, min(max(self.end_s, start), end_s))


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A span and how good it is; what a score means is up to its maker."""

    span: Span
    score: float


def suppress(spans: Iterable[ScoredSpan], max_iou: float) -> list[ScoredSpan]:
    """Best first; a span that overlaps a better one with more than `max_iou` is dropped, never
    merged.
    """
    kept: list[ScoredSpan] = []
    for candidate in sorted(spans, key=lambda s: -s.score):
        if all(candidate.span.iou(better.span) <= max_iou for better in kept):
            kept.append(candidate)
    return kept


def format_time(seconds: float, *, tenths: bool = False) -> str:
    """`754.24` -> `12:34`, `3754.0` -> `1:02:34`; with `tenths` `12:34.2`. Truncates: a link must
    not start late.
    """
    whole = int(max(0.0, seconds) * 10 + 1e-6)
    hours, rest = divmod(whole, 36_000)
    minutes, rest = divmod(rest, 600)
    text = f"{minutes}:{rest // 10:02d}" if not hours else f"{hours}:{minutes:02d}:{rest // 10:02d}"
    return f"{text}.{rest % 10}" if tenths else text
