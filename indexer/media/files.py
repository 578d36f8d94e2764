"""Reads from one file after another in processes that can be killed; the file of the last read
stays open, so that its chunks decode on.

Stages want different pictures of the same chunk. Decoding costs far more than scaling, so what is
expected to be wanted is kept from one decoding: one chunk's pictures at most. The sound of a chunk
is kept too, for the next stage that listens to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from grounding.spans import Span
from indexer.errors import MediaError, MediaTimeout
from indexer.media.decode.frames import Frames, Sampling
from indexer.media.decode.reader import PictureRead
from indexer.media.decode.reader_process import ReaderProcess, read_audio_in_process
from indexer.settings import Settings


@dataclass(frozen=True, slots=True)
class _KeptSound:
    """What was decoded last: a chunk's sound at most (7 MB)."""

    path: Path
    span: Span
    rate_hz: int
    track: int
    samples: np.ndarray

    def holds(self, path: Path, span: Span, rate_hz: int, track: int) -> bool:
        same = (path, rate_hz, track) == (self.path, self.rate_hz, self.track)
        return same and self.span.start_s <= span.start_s and span.end_s <= self.span.end_s

    def part(self, span: Span) -> np.ndarray:
        first = round((span.start_s - self.span.start_s) * self.rate_hz)
        return self.samples[first : first + round(span.length_s * self.rate_hz)]


class MediaFiles:
    """Use as a context manager, from one thread at a time. All methods raise MediaError,
    MediaTimeout.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reader: ReaderProcess | None = None
        self._expected: tuple[Path, Span, tuple[Sampling, ...]] | None = None
        self._kept: dict[tuple[Path, Span, Sampling], PictureRead] = {}
        self._kept_sound: _KeptSound | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        reader, self._reader = self._reader, None
        self._kept.clear()
        self._kept_sound = None
        if reader is not None:
            reader.close()

    def expect(self, path: Path, span: Span, samplings: Sequence[Sampling]) -> None:
        """These will be asked for as well: the first that asks for pictures of the span decodes for
        all. Forgotten at the next call.
        """
        self._expected = (path, span, tuple(samplings)) if samplings else None

    def pictures(self, path: Path, span: Span, sampling: Sampling) -> PictureRead:
        """Sampled pictures and cuts of a span; the same whether something else was expected or not."""
        if (kept := self._kept.pop((path, span, sampling), None)) is not None:
            return kept
        self._kept.clear()
        others = self._along(path, span, sampling)
        if others:
            try:
                read, *more = self._open(path).read_each(
                    span.start_s, span.end_s, [sampling, *others]
                )
            except MediaTimeout:
                raise
            except (
                MediaError
            ):  # may be the others' alone, such as too many pictures: then it is theirs to report
                pass
            else:
                self._kept = {
                    (path, span, other): pictures
                    for other, pictures in zip(others, more, strict=True)
                }
                return read
        return self._open(path).read_each(span.start_s, span.end_s, [sampling])[0]

    def _along(self, path: Path, span: Span, sampling: Sampling) -> list[Sampling]:
        """What else is expected of the span and can come from the same decoding."""
        if self._expected is None or self._expected[:2] != (path, span):
            return []
        return [
            other
            for other in self._expected[2]
            if other != sampling and other.keyframes_only == sampling.keyframes_only
        ]

    def frames_at(self, path: Path, times_s: np.ndarray, *, short_side: int | None) -> Frames:
        """The pictures shown at these times, one each."""
        return self._open(path).at(times_s, short_side=short_side)

    def audio(self, path: Path, span: Span, *, rate_hz: int = 16_000, track: int = 0) -> np.ndarray:
        """Mono samples (N,) float32 of a span, from the last decoding where that holds all of it."""
        if (kept := self._kept_sound) is not None and kept.holds(path, span, rate_hz, track):
            return kept.part(span)
        samples, _ = read_audio_in_process(
            path, span.start_s, span.end_s, rate_hz, track, timeout_s=self._settings.chunk_timeout_s
        )
        self._kept_sound = _KeptSound(path, span, rate_hz, track, samples)
        return samples

    def _open(self, path: Path) -> ReaderProcess:
        if self._reader is None or Path(self._reader.path) != path:
            self.close()
            self._reader = ReaderProcess(
                path,
                threads=self._settings.threads,
                max_pixels=self._settings.max_frame_pixels,
                timeout_s=self._settings.chunk_timeout_s,
            )
        return self._reader
