"""Reads from one file after another in processes that can be killed; the file of the last read stays open, so that its chunks decode on."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np

from grounding.spans import Span
from indexer.media.frames import Frames
from indexer.media.process import ReaderProcess, read_audio_in_process
from indexer.media.reader import PictureRead
from indexer.settings import Settings


class MediaFiles:
    """Use as a context manager, from one thread at a time. All methods raise MediaError, MediaTimeout."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reader: ReaderProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def pictures(self, path: Path, span: Span, *, rate_hz: float, short_side: int | None, keyframes_only: bool = False) -> PictureRead:
        """Sampled pictures and cuts of a span."""
        return self._open(path).read(span.start_s, span.end_s, rate_hz, short_side, keyframes_only)

    def frames_at(self, path: Path, times_s: np.ndarray, *, short_side: int | None) -> Frames:
        """The pictures shown at these times, one each."""
        return self._open(path).at(times_s, short_side=short_side)

    def audio(self, path: Path, span: Span, *, rate_hz: int = 16_000, track: int = 0) -> np.ndarray:
        """Mono samples (N,) float32 of a span."""
        samples, _ = read_audio_in_process(path, span.start_s, span.end_s, rate_hz, track, timeout_s=self._settings.chunk_timeout_s)
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
