"""The values that a search works with, from its scope to the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from grounding.spans import Span
from indexer.messages import Message
from indexer.search.likelihood import Likelihood, likelihood_of
from indexer.vectors.base import Selection
from indexer.vocabulary import SEARCHED_KINDS, EvidenceKind

KINDS = tuple(str(kind) for kind in SEARCHED_KINDS)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search looks at: everything, some collections, or some videos.

    `kinds`: the kinds of evidence that count. `titles`: names and dates of files are evidence too.
    `served`: the keys that are served in it, by stage, where a search has read them already.
    """

    collection_ids: tuple[int, ...] | None = None
    video_ids: tuple[int, ...] | None = None
    kinds: tuple[str, ...] = KINDS
    titles: bool = False
    served: Mapping[str, Sequence[str]] | None = field(default=None, compare=False)

    @property
    def selection(self) -> Selection:
        """The scope as vector indexes take it."""
        return Selection(collection_ids=self.collection_ids, video_ids=self.video_ids)


@dataclass(frozen=True, slots=True)
class Block:
    """The frames of one chunk.

    `vectors` (N, D) float16 or float32, unit; `times_s` (N,) float64; `cuts_s` (K,) float64.
    """

    video_id: int
    chunk_id: int
    start_s: float
    end_s: float
    times_s: np.ndarray
    vectors: np.ndarray
    cuts_s: np.ndarray


@dataclass(frozen=True, slots=True)
class RankedMoment:
    """A span that pictures answer with. `score`: similarity of its best frames to the question;
    `peak_s`: time of its best frame; `probability` that it shows what was asked.
    """

    video_id: int
    span: Span
    score: float
    peak_s: float
    probability: float = 0.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """Moments of pictures, best first. `confidence`: the probability of the best one."""

    moments: tuple[RankedMoment, ...]
    confidence: float
    matched: bool


@dataclass(frozen=True, slots=True)
class PassageHit:
    """A passage that answers, in the order of its own ranking.

    `words`: (start_s, end_s, word) of the words that matched, where their times are known.
    """

    video_id: int
    span: Span
    text: str
    score: float
    words: tuple[tuple[float, float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a moment answers. `kind` is an `EvidenceKind`; `text` the passage where there is one."""

    kind: str
    score: float
    text: str = ""
    words: tuple[tuple[float, float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FusedMoment:
    """A span with all the evidence for it, of any kind. `score` orders moments; `probability` that
    it shows what was asked is that of its best evidence.
    """

    video_id: int
    span: Span
    score: float
    peak_s: float
    evidence: tuple[Evidence, ...]
    probability: float = 0.0


@dataclass(frozen=True, slots=True)
class Grounded:
    """What a grounder answered about a moment. `accepted`: the rule trusts it; `span` None: it
    named no time. `shown`: the probability, as it sees it, that the moment shows what was asked.
    `by`: its name.
    """

    span: Span | None
    accepted: bool
    reason: str
    shown: float
    by: str

    @property
    def sees(self) -> bool:
        """Whether the grounder says that the moment shows what was asked."""
        return self.shown >= 0.5


@dataclass(frozen=True, slots=True)
class Moment:
    """An answer as it is shown. `score` in [0, 1]: the probability that it shows what was asked.
    `grounded`: the grounder's opinion, where it was asked for. `statement`: which of the things
    that were asked it answers. `peak_s`: time of the frame that is the evidence.
    """

    video_id: int
    path: str
    collection: str
    span: Span
    score: float
    evidence: tuple[Evidence, ...]
    thumbnail: Path | None
    title: str
    offline: bool = False
    grounded: Grounded | None = None
    statement: str = ""
    peak_s: float = 0.0

    @property
    def likelihood(self) -> Likelihood:
        """`score` in words."""
        return likelihood_of(self.score)

    @property
    def is_weak(self) -> bool:
        """Whether it is unlikely and no answer. A name of a file says nothing about what is seen,
        but is a reason of its own to show it.
        """
        named = any(evidence.kind == EvidenceKind.TITLE for evidence in self.evidence)
        return self.likelihood == Likelihood.WEAK and not named


@dataclass(frozen=True, slots=True)
class Answer:
    """`matched` False: nothing in the library seems to show it, and `moments` are the nearest that
    there is. `statement`: what was looked for, several joined by semicolons.
    `loading_ms`: of models, before the search that `took_ms` counts.

    `moments` are all that were found, in their order, `shown` and `weaker` the two parts of them.
    """

    query: str
    statement: str
    matched: bool
    took_ms: float
    moments: tuple[Moment, ...]
    confidence: float
    notes: tuple[Message, ...] = ()
    loading_ms: float = 0.0

    @property
    def shown(self) -> tuple[Moment, ...]:
        """The answer, which ends where moments become unlikely. Of a statement that nothing seems
        to show it has the nearest moment, and where nothing matches all moments.
        """
        return tuple(m for m, shown in zip(self.moments, self._is_shown(), strict=True) if shown)

    @property
    def weaker(self) -> tuple[Moment, ...]:
        """Moments that are unlikely, for those who want to see more."""
        shown = self._is_shown()
        return tuple(m for m, is_shown in zip(self.moments, shown, strict=True) if not is_shown)

    def _is_shown(self) -> list[bool]:
        if not self.matched:
            return [True] * len(self.moments)
        answered = {moment.statement for moment in self.moments if not moment.is_weak}
        shown = []
        for moment in self.moments:
            shown.append(not moment.is_weak or moment.statement not in answered)
            answered.add(moment.statement)
        return shown
