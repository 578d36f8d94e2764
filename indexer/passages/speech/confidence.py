"""Keeps what a speech model is sure of. Whisper writes fluent text for music, noise and languages
that it does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from indexer.passages.base import Word

# From generated English speech (six voices, noise and music under them) against twelve other
# languages, music and noise, with the embedded model: benchmarks/words/passages.py prints the
# distributions.
# repeated text; English sentences lie at 1.3 to 1.7 (Whisper itself uses 2.4)
MAX_COMPRESSION = 2.2
MIN_LOGPROB = -0.7
MIN_LOGPROB_MULTILINGUAL = -1.0  # Whisper's own
MAX_NO_SPEECH = 0.6  # Whisper's own, together with a weak log probability
WEAK_LOGPROB = -0.4
# of the speech around: people keep to one language, so what was unsure taints its neighbours
MIN_SURE_SHARE = 0.5
UNTAINTED_LOGPROB = -0.25  # clear English lies above it
MIN_WORD = 0.45  # mean probability of the words of a sentence


@dataclass(frozen=True, slots=True)
class ScoredWord:
    """A word and how sure the model was of it, from 0 to 1."""

    word: Word
    probability: float


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the model wrote for one stretch of speech, and how sure it was."""

    words: tuple[ScoredWord, ...]
    logprob: float  # mean of the tokens
    no_speech: float
    compression: float

    @classmethod
    def of(cls, segment: Any, offset_s: float) -> Self:
        """From faster-whisper's segment; its numbers are numpy's."""
        words = tuple(
            ScoredWord(
                Word(float(w.start) + offset_s, float(w.end) + offset_s, str(w.word)),
                float(w.probability),
            )
            for w in segment.words or ()
        )
        return cls(
            words,
            float(segment.avg_logprob),
            float(segment.no_speech_prob),
            float(segment.compression_ratio),
        )

    @property
    def length_s(self) -> float:
        """From the first word to the last."""
        return self.words[-1].word.end_s - self.words[0].word.start_s if self.words else 0.0

    def is_sure(self, min_logprob: float) -> bool:
        """Whether to keep it."""
        silent = self.no_speech > MAX_NO_SPEECH and self.logprob < WEAK_LOGPROB
        return (
            bool(self.words)
            and self.logprob >= min_logprob
            and self.compression <= MAX_COMPRESSION
            and not silent
        )


def sure_parts(
    decoded: Sequence[Decoded], *, knows_languages: bool
) -> list[tuple[ScoredWord, ...]]:
    """The words of the stretches to keep. A model that `knows_languages` is trusted further than
    one that assumes English.
    """
    if knows_languages:
        return [one.words for one in decoded if one.is_sure(MIN_LOGPROB_MULTILINGUAL)]
    sure = [one for one in decoded if one.is_sure(MIN_LOGPROB)]
    heard_s = sum(one.length_s for one in decoded)
    if sum(one.length_s for one in sure) < MIN_SURE_SHARE * heard_s:
        sure = [one for one in sure if one.logprob >= UNTAINTED_LOGPROB]
    return [one.words for one in sure]
