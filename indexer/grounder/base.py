"""What every grounder offers, and what it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from grounding.lego.generate.answers import Box, Event
from grounding.spans import Span

if TYPE_CHECKING:
    from indexer.media.files import MediaFiles


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Window:
    """Pictures of a part of a video, which a grounder may keep encoded while the window lives.

    `times_s` (N,) float64: seconds of the video, the first at the start of the span; `images`
    (N, H, W, 3) uint8 RGB.
    """

    span: Span
    times_s: np.ndarray
    images: np.ndarray


@dataclass(frozen=True, slots=True)
class FrameBudget:
    """How many pictures of a window a grounder reads, and how large.

    `rate_hz`: at most so many a second; 0: `count` of any window.
    """

    count: int
    short_side: int
    rate_hz: float = 0.0

    def times_s(self, span: Span) -> np.ndarray:
        """(N,) at equal steps through the span, the first at its start."""
        count = self.count
        if self.rate_hz:
            count = max(1, min(count, round(span.length_s * self.rate_hz)))
        return span.start_s + np.arange(count) * span.length_s / count


@dataclass(frozen=True, slots=True)
class Said:
    """An answer in words. `spans` in seconds of the video, `boxes` as fractions of the frame."""

    text: str
    spans: tuple[Span, ...] = ()
    boxes: tuple[Box, ...] = ()


class Grounder(Protocol):
    """A loaded model, which threads may share. Methods raise ModelError where it does not answer,
    UsageError for what it cannot be asked.
    """

    name: str
    """As people know it."""
    frames: FrameBudget
    """What it reads of a window."""
    hears: bool
    """Whether `answer_sound` can be asked."""

    def ground(self, windows: Sequence[Window], statement: str) -> list[tuple[Span, ...]]:
        """When it happens, for each window, in seconds of the video; empty where the model names
        no time.
        """
        ...

    def is_shown(self, windows: Sequence[Window], statement: str) -> list[float]:
        """The probability, as the model sees it, that each window shows it: .5 and more is yes."""
        ...

    def events(self, windows: Sequence[Window]) -> list[list[Event]]:
        """What happens when in each window, in English; spans in seconds of the video."""
        ...

    def locate(self, image: np.ndarray, phrase: str) -> list[Box]:
        """Where it is in a frame (H, W, 3) uint8."""
        ...

    def answer(self, window: Window, question: str) -> Said:
        """A question about a window in words, with the spans that show it."""
        ...

    def answer_frame(self, image: np.ndarray, question: str) -> Said:
        """A question about a frame (H, W, 3) uint8 in words, with boxes of what it names."""
        ...

    def answer_sound(self, samples: np.ndarray, question: str) -> Said:
        """A question about a sound, (N,) float32 mono at 16 kHz."""
        ...

    def name_chapter(self, window: Window, words: str = "") -> str:
        """A title of a few words for a part of a video. `words`: what is said and written there;
        the title is in their language.
        """
        ...


def read_window(media: MediaFiles, path: Path, span: Span, frames: FrameBudget) -> Window:
    """The pictures of a span that a grounder with this budget reads. Raises MediaError."""
    times_s = frames.times_s(span)
    return Window(span, times_s, media.window(path, times_s, short_side=frames.short_side).images)
