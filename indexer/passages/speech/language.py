"""Which language is spoken in a video: asked once, of several windows over all of it.

A few seconds of song or noise are enough for Whisper to take one language for another, and all that
it writes then is nonsense. Windows far apart seldom err alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grounding.spans import Span

WINDOW_S = 30.0  # what Whisper hears at once
WINDOWS = 4
MIN_PROBABILITY = 0.5  # below it the collection's language is likelier


@dataclass(frozen=True, slots=True)
class SpokenLanguage:
    """`code`: ISO 639-1; `probability`: the mean of the windows in which somebody speaks."""

    code: str
    probability: float


@dataclass(frozen=True, slots=True)
class LanguageChoice:
    """The language to transcribe in; `is_sure` False: neither the sound nor the collection says
    it, so that what is written has to be doubted.
    """

    code: str
    is_sure: bool
    is_assumed: bool = False

    @property
    def note(self) -> str:
        """As passages carry it."""
        return f"{self.code} (assumed)" if self.is_assumed else self.code


def language_windows(duration_s: float) -> list[Span]:
    """Windows spread evenly over a video.

    >>> language_windows(20.0), [window.start_s for window in language_windows(190.0)]
    ([Span(start_s=0.0, end_s=20.0)], [8.75, 56.25, 103.75, 151.25])
    """
    count = max(1, min(WINDOWS, int(duration_s // WINDOW_S)))
    length_s, part_s = min(WINDOW_S, duration_s), duration_s / count
    starts = [number * part_s + (part_s - length_s) / 2 for number in range(count)]
    return [Span(start_s, start_s + length_s) for start_s in starts]


def likeliest_language(heard: Sequence[Mapping[str, float]]) -> SpokenLanguage | None:
    """Of the probabilities of languages in each window; None where nobody speaks in any."""
    if not heard:
        return None
    means = {code: sum(one.get(code, 0.0) for one in heard) / len(heard) for code in heard[0]}
    code = max(means, key=lambda code: means[code])
    return SpokenLanguage(code, means[code])


def choose_language(spoken: SpokenLanguage | None, usual: str) -> LanguageChoice | None:
    """`usual`: the collection's language, empty where it has none. None: nothing is known."""
    if spoken is not None and spoken.probability >= MIN_PROBABILITY:
        return LanguageChoice(spoken.code, is_sure=True)
    if usual:
        return LanguageChoice(usual, is_sure=True, is_assumed=True)
    return None if spoken is None else LanguageChoice(spoken.code, is_sure=False)
