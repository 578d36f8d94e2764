"""Which stages the settings ask for."""

from __future__ import annotations

from collections.abc import Callable

from indexer.artefacts import Artefacts
from indexer.embedders.base import Embedder
from indexer.grounder.configured import require_grounder
from indexer.passages.screen.ocr import require_text_model
from indexer.passages.speech.recognition import require_speech_model
from indexer.settings import Settings
from indexer.stages.base import Stage
from indexer.stages.events import EventsStage
from indexer.stages.picture import PictureStage
from indexer.stages.sound import SoundStage
from indexer.stages.speech import SpeechStage
from indexer.vocabulary import StageName


def configured_stages(
    settings: Settings,
    embedder: Callable[[], Embedder],
    *,
    fast: bool = False,
    adaptive: bool = False,
    events: bool = False,
) -> list[Stage]:
    """In the order in which they are done: pictures first, since they make a chunk searchable;
    a grounder's events last.

    Raises ModelError where a model that they need is not there: one error at the start, not one for
    each chunk.
    """
    artefacts = Artefacts(settings.artefacts)
    adaptive = adaptive and not fast
    stages: list[Stage] = [PictureStage(embedder(), settings, artefacts, fast, adaptive)]
    if settings.speech:
        require_speech_model(settings)
        stages.append(SpeechStage(settings))
    if settings.screen_text and not fast:
        require_text_model()
        stages.append(_screen_stage(settings, adaptive))
    if settings.sound:
        stages.append(SoundStage(settings))
    if events:
        require_grounder(settings)
        stages.append(EventsStage(settings))
    return stages


def stages_named(name: str, settings: Settings, embedder: Callable[[], Embedder]) -> list[Stage]:
    """All ways in which this machine can do a stage (pictures whole, fast and adaptive); none where
    the settings or a checkpoint lack.

    No other stage's model is asked for.
    """
    if name == StageName.PICTURE:
        return [
            PictureStage(embedder(), settings, Artefacts(settings.artefacts), fast, adaptive)
            for fast, adaptive in ((False, False), (True, False), (False, True))
        ]
    if name == StageName.SPEECH and settings.speech:
        return [SpeechStage(settings)]
    if name == StageName.SCREEN and settings.screen_text:
        return [_screen_stage(settings, adaptive) for adaptive in (False, True)]
    if name == StageName.SOUND and settings.sound:
        return [SoundStage(settings)]
    if name == StageName.EVENTS and settings.grounder_kind:
        require_grounder(settings)
        return [EventsStage(settings)]
    return []


def _screen_stage(settings: Settings, adaptive: bool) -> Stage:
    from indexer.stages.screen import ScreenStage  # needs the packages of the extra `ocr`

    return ScreenStage(settings, adaptive)
