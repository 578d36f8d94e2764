"""What is written on the screen. Has its own pictures: text needs more pixels, and fewer pictures,
than an embedder.
"""

from __future__ import annotations

from dataclasses import dataclass

from grounding.spans import Span
from indexer.catalog.leasing.chunk_tasks import ClaimedTask
from indexer.media.decode.frames import Sampling
from indexer.media.decode.reader import PictureRead
from indexer.media.files import MediaFiles
from indexer.passages.base import Passage
from indexer.passages.ocr import SHORT_SIDE
from indexer.passages.screen import RATE_HZ, read_screen, screen_key
from indexer.settings import Settings
from indexer.stages.base import Source
from indexer.stages.passages import PassageStage


@dataclass(frozen=True, slots=True)
class ScreenStage(PassageStage):
    settings: Settings
    name: str = "screen"

    @property
    def model_key(self) -> str:
        return screen_key(self.settings)

    @property
    def sampling(self) -> Sampling:
        return Sampling(RATE_HZ, SHORT_SIDE)

    def read(self, media: MediaFiles, source: Source, span: Span) -> PictureRead | None:
        return media.pictures(source.path, span, self.sampling) if source.has_pictures else None

    def find(self, item: ClaimedTask, read: PictureRead | None) -> list[Passage]:
        return (
            [] if read is None else read_screen(self.settings, read.frames, read.cuts_s, item.span)
        )
