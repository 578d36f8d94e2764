"""Reads from one file after another in processes that can be killed; the file of the last read
stays open, so that its chunks decode on.

Stages want different pictures of the same chunk. Decoding costs far more than scaling, so one read
serves them all. The sound of a chunk is kept for the next stage that listens to it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from grounding.spans import Span
from indexer.errors import MediaTimeout
from indexer.media.decode.frames import Frames, Sampling
from indexer.media.decode.reader import PictureRead
from indexer.media.decode.reader_process import (
    ReaderProcess,
    ReadingProcessDied,
    read_audio_in_process,
)
from indexer.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _KeptSound:
    """What was decoded last: a chunk's sound at most (7 MB)."""

    path: Path
    span: Span
    rate_hz: int
    samples: np.ndarray

    def holds(self, path: Path, span: Span, rate_hz: int) -> bool:
        same = (path, rate_hz) == (self.path, self.rate_hz)
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
        self._without_decord: set[Path] = set()
        self._kept_sound: _KeptSound | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file that is open."""
        reader, self._reader = self._reader, None
        self._kept_sound = None
        if reader is not None:
            reader.close()

    def pictures(self, path: Path, span: Span, samplings: Sequence[Sampling]) -> list[PictureRead]:
        """Sampled pictures and cuts of a span, for each of the samplings. Those that want all
        pictures with one budget are decoded together, and those that want keyframes alone.
        """
        reads: dict[Sampling, PictureRead] = {}
        kinds = dict.fromkeys((one.keyframes_only, one.budget) for one in samplings)
        for kind in sorted(kinds, key=lambda kind: kind[0]):  # all pictures first
            together = [one for one in samplings if (one.keyframes_only, one.budget) == kind]
            found = self._open(path).read_each(span.start_s, span.end_s, together)
            reads |= dict(zip(together, found, strict=True))
        return [reads[sampling] for sampling in samplings]

    def frames_at(self, path: Path, times_s: np.ndarray, *, short_side: int | None) -> Frames:
        """The pictures shown at these times, one each."""
        return self._open(path).at(times_s, short_side=short_side)

    def window(self, path: Path, times_s: np.ndarray, *, short_side: int | None) -> Frames:
        """As `frames_at`, through decord's API where its times agree with the container's."""
        try_decord = path not in self._without_decord
        try:
            return self._open(path).window(times_s, short_side=short_side, try_decord=try_decord)
        except (MediaTimeout, ReadingProcessDied) as error:
            if not try_decord:
                raise
            log.warning("decord gave up, PyAV reads instead: %s", error)
            self._without_decord.add(path)
        return self._open(path).window(times_s, short_side=short_side, try_decord=False)

    def audio(self, path: Path, span: Span, *, rate_hz: int = 16_000) -> np.ndarray:
        """Mono samples (N,) float32 of a span, from the last decoding where that holds it all."""
        if (kept := self._kept_sound) is not None and kept.holds(path, span, rate_hz):
            return kept.part(span)
        samples, _ = read_audio_in_process(
            path,
            span.start_s,
            span.end_s,
            rate_hz,
            memory_mb=self._settings.reader_memory_mb,
            timeout_s=self._settings.chunk_timeout_s,
        )
        self._kept_sound = _KeptSound(path, span, rate_hz, samples)
        return samples

    def _open(self, path: Path) -> ReaderProcess:
        if self._reader is None or Path(self._reader.path) != path:
            self.close()
            self._reader = ReaderProcess(
                path,
                threads=self._settings.threads,
                max_pixels=self._settings.max_frame_pixels,
                memory_mb=self._settings.reader_memory_mb,
                timeout_s=self._settings.chunk_timeout_s,
            )
        return self._reader
