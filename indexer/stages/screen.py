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
from indexer.stages.fill import repeat_stills
from indexer.stages.passages import PassageStage


@dataclass(frozen=True, slots=True)
class ScreenStage(PassageStage):
    """Text that is written on the screen."""

    settings: Settings
    adaptive: bool = False
    name: str = "screen"

    @property
    def model_key(self) -> str:
        """Of the OCR model and the sampling."""
        share = f"{self.settings.adaptive_budget:g}of-" if self.adaptive else ""
        return f"{share}{screen_key(self.settings)}"

    @property
    def better_key(self) -> str | None:
        """That of the full pass: what was done so is not done again in parts."""
        return ScreenStage(self.settings).key if self.adaptive else None

    @property
    def sampling(self) -> Sampling:
        """Pictures large enough for small text."""
        budget = self.settings.adaptive_budget if self.adaptive else None
        return Sampling(RATE_HZ, SHORT_SIDE, budget=budget)

    def read(
        self, media: MediaFiles, source: Source, span: Span, pictures: PictureRead | None
    ) -> PictureRead | None:
        """The sampled pictures; None where the video has none."""
        del media, source, span
        return pictures

    def find(self, item: ClaimedTask, read: PictureRead | None) -> list[Passage]:
        """One passage for each line, from when it appears to when it goes."""
        if read is None:
            return []
        frames = repeat_stills(read.frames, read.gaps, RATE_HZ)
        return read_screen(self.settings, frames, read.cuts_s, item.span)
