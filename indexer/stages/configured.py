"""Which stages the settings ask for."""

from __future__ import annotations

from collections.abc import Callable

from indexer.artefacts import Artefacts
from indexer.embedders.base import Embedder
from indexer.settings import Settings
from indexer.stages.base import Stage
from indexer.stages.picture import PictureStage


def configured_stages(settings: Settings, embedder: Callable[[], Embedder], *, fast: bool = False) -> list[Stage]:
    """In the order in which they are done: pictures first, since they make a chunk searchable."""
    stages: list[Stage] = [PictureStage(embedder(), settings, Artefacts(settings.artefacts), fast)]
    if settings.speech:
        from indexer.stages.speech import SpeechStage

        stages.append(SpeechStage(settings))
    if settings.screen_text and not fast:
        from indexer.stages.screen import ScreenStage

        stages.append(ScreenStage(settings))
    return stages
