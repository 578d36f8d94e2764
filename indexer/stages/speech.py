"""What is said: the subtitles that a video has, else speech recognition."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from grounding.spans import Span
from indexer.catalog.leasing.chunk_tasks import ClaimedTask
from indexer.errors import MediaError
from indexer.media.decode.reader import PictureRead
from indexer.media.files import MediaFiles
from indexer.passages.base import Passage, own_passages
from indexer.passages.side_files import side_files_changed_s
from indexer.passages.speech import load_speech_model, speech_key, speech_window, transcribe_chunk
from indexer.passages.subtitles import find_subtitles
from indexer.settings import Settings
from indexer.stages.base import Source
from indexer.stages.passages import PassageStage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpeechRead:
    """Either the subtitles of the chunk, or the samples (N,) float32 at 16 kHz around it, from
    `start_s` on.
    """

    subtitles: list[Passage] | None
    samples: np.ndarray
    start_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class SpeechStage(PassageStage):
    """Subtitles, or recognised speech."""

    settings: Settings
    name: str = "speech"

    @property
    def model_key(self) -> str:
        """Of the speech model."""
        return speech_key(self.settings)

    def changed_s(self, path: Path) -> float:
        """When the files of subtitles beside the video changed."""
        return side_files_changed_s(path)

    def read(
        self, media: MediaFiles, source: Source, span: Span, pictures: PictureRead | None
    ) -> SpeechRead:
        """Subtitles, or sound where there are none."""
        del pictures
        nothing = np.empty(0, np.float32)
        subtitles = _subtitles(
            source.path,
            source.duration_s,
            self.settings.speech_language,
            side_files_changed_s(source.path),
        )
        if subtitles:
            return SpeechRead(
                own_passages(subtitles, span), nothing, span.start_s, source.duration_s
            )
        if not source.has_sound:
            return SpeechRead([], nothing, span.start_s, source.duration_s)
        window = speech_window(span, source.duration_s)
        return SpeechRead(None, media.audio(source.path, window), window.start_s, source.duration_s)

    def find(self, item: ClaimedTask, read: SpeechRead) -> list[Passage]:
        """One passage for each cue or sentence."""
        if read.subtitles is not None:
            return read.subtitles
        return transcribe_chunk(
            load_speech_model(self.settings), read.samples, read.start_s, item.span, read.duration_s
        )


@lru_cache(maxsize=4)
def _subtitles(path: Path, duration_s: float, language: str, changed_s: float) -> list[Passage]:
    """Read once for all chunks of a video, and again when they changed. Subtitles that are broken
    are none: what is said is recognised.
    """
    del changed_s
    try:
        found = find_subtitles(path, duration_s, language)
    except MediaError as error:
        log.warning("%s; speech is recognised instead", error.message)
        return []
    for note in found.notes:
        log.info("%s", note)
    return found.passages
