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
from indexer.passages.speech.language import (
    LanguageChoice,
    SpokenLanguage,
    choose_language,
    language_windows,
)
from indexer.passages.speech.recognition import (
    asks_language,
    load_speech_model,
    speech_key,
    speech_window,
    transcribe_chunk,
)
from indexer.passages.subtitles.parser import find_subtitles
from indexer.passages.subtitles.side_files import side_files_changed_s
from indexer.settings import Settings
from indexer.stages.base import Source
from indexer.stages.passages import PassageStage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpeechRead:
    """Either the subtitles of the chunk, or the samples (N,) float32 at 16 kHz around it, from
    `start_s` on; and the windows that say the video's language, where that is asked for.
    """

    subtitles: list[Passage] | None
    samples: np.ndarray
    start_s: float
    source: Source
    windows: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, slots=True)
class SpeechStage(PassageStage):
    """Subtitles, or recognised speech."""

    settings: Settings
    name: str = "speech"

    @property
    def model_key(self) -> str:
        """Of the speech model."""
        return speech_key(self.settings)

    @property
    def reads_sound(self) -> bool:
        """True: speech is recognised where there are no subtitles."""
        return True

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
            return SpeechRead(own_passages(subtitles, span), nothing, span.start_s, source)
        if not source.has_sound:
            return SpeechRead([], nothing, span.start_s, source)
        window = speech_window(span, source.duration_s)
        # The chunk comes last: its samples are kept for the stage that listens to sounds.
        windows = self._windows(media, source)
        samples = media.audio(source.path, window)
        return SpeechRead(None, samples, window.start_s, source, windows)

    def find(self, item: ClaimedTask, read: SpeechRead) -> list[Passage]:
        """One passage for each cue or sentence."""
        if read.subtitles is not None:
            return read.subtitles
        return transcribe_chunk(
            load_speech_model(self.settings),
            read.samples,
            read.start_s,
            item.span,
            read.source.duration_s,
            self._language(read),
        )

    # --- the language of a video, found once by each process that works on it ---

    def _windows(self, media: MediaFiles, source: Source) -> tuple[np.ndarray, ...]:
        if not asks_language(self.settings) or self._known(source.path) in _languages:
            return ()
        windows = language_windows(source.duration_s)
        return tuple(media.audio(source.path, window) for window in windows)

    def _language(self, read: SpeechRead) -> LanguageChoice | None:
        if not asks_language(self.settings):
            return None
        known = self._known(read.source.path)
        if known not in _languages:
            if len(_languages) >= KEPT_LANGUAGES:
                _languages.pop(next(iter(_languages)))
            _languages[known] = load_speech_model(self.settings).spoken_language(read.windows)
        return choose_language(_languages[known], read.source.language)

    def _known(self, path: Path) -> tuple[str, Path, int]:
        return speech_key(self.settings), path, path.stat().st_mtime_ns


KEPT_LANGUAGES = 256
_languages: dict[tuple[str, Path, int], SpokenLanguage | None] = {}


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
