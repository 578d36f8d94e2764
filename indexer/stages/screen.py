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
from indexer.passages.screen.ocr import SHORT_SIDE
from indexer.passages.screen.screen_reader import RATE_HZ, read_screen, screen_key
from indexer.settings import Settings
from indexer.stages.base import Source
from indexer.stages.passages import PassageStage


@dataclass(frozen=True, slots=True)
class ScreenStage(PassageStage):
    """Text that is written on the screen."""

    settings: Settings
    name: str = "screen"

    @property
    def model_key(self) -> str:
        """Of the OCR model and the sampling."""
        return screen_key(self.settings)

    @property
    def sampling(self) -> Sampling:
        """Pictures large enough for small text."""
        return Sampling(RATE_HZ, SHORT_SIDE)

    def read(
        self, media: MediaFiles, source: Source, span: Span, pictures: PictureRead | None
    ) -> PictureRead | None:
        """The sampled pictures; None where the video has none."""
        del media, source, span
        return pictures

    def find(self, item: ClaimedTask, read: PictureRead | None) -> list[Passage]:
        """One passage for each line, from when it appears to when it goes."""
        return (
            [] if read is None else read_screen(self.settings, read.frames, read.cuts_s, item.span)
        )
