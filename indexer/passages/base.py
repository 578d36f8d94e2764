"""A passage: text that holds during a span of a video."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from grounding.spans import Span

Kind = Literal["speech", "screen", "event"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a passage and when it was said."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """language: ISO 639-1, `en (assumed)` from a model that knows English alone, None when unknown;
    confidence in [0, 1].
    """

    kind: Kind
    start_s: float
    end_s: float
    text: str
    language: str | None = None
    confidence: float | None = None
    words: tuple[Word, ...] | None = None

    @property
    def span(self) -> Span:
        """When it was said or shown."""
        return Span(self.start_s, self.end_s)


def own_passages(passages: Iterable[Passage], chunk_span: Span) -> list[Passage]:
    """Those whose middle lies in the chunk, whole: of the chunks of a video exactly one owns each
    passage.
    """
    return [p for p in passages if chunk_span.start_s <= p.span.middle_s < chunk_span.end_s]
