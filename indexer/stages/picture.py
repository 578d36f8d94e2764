"""Frames, shots, vectors: after this stage a chunk is searchable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from grounding.spans import Span
from indexer.artefacts import Artefacts
from indexer.catalog.frames import FrameBlock
from indexer.catalog.leasing.chunk_tasks import ClaimedTask
from indexer.catalog.segments import NewSegment, commit_picture
from indexer.embedders.base import ClipEmbedder, Embedder
from indexer.media.decode.frames import Frames, Sampling
from indexer.media.decode.reader import PictureRead
from indexer.media.files import MediaFiles
from indexer.media.output.thumbnails import jpeg
from indexer.messages import NOTHING, Message
from indexer.settings import Settings
from indexer.stages.base import Source
from indexer.stages.fill import Rows, embed_changing, embed_once, fill_rows
from indexer.stages.segments import Segment, build_segments, plan_segments
from indexer.vocabulary import StageName

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

THUMBNAIL_WIDTH = 320
REVISION = 1  # counts changes of sampling or segmentation that make older rows worth replacing


@dataclass(frozen=True, slots=True)
class PictureResult:
    """Frames, segments and damage of a chunk."""

    block: FrameBlock
    segments: list[NewSegment]
    damage: Message


@dataclass(frozen=True, slots=True)
class PictureStage:
    """`fast`: from keyframes alone; `adaptive`: in full only where something happens."""

    embedder: Embedder
    settings: Settings
    artefacts: Artefacts
    fast: bool = False
    adaptive: bool = False
    name: str = StageName.PICTURE

    @property
    def key(self) -> str:
        """`EMBEDDER/SAMPLING`: vectors are comparable when what stands before the last slash is
        equal.
        """
        if self.fast:
            return f"{self.embedder.key}/keyframes.{REVISION}"
        share = f"{self.settings.adaptive_budget:g}of" if self.adaptive else ""
        return f"{self.embedder.key}/{share}{self._sampled}"

    @property
    def better_key(self) -> str | None:
        """That of the full pass: what was done so is not done again in parts."""
        return f"{self.embedder.key}/{self._sampled}" if self.adaptive else None

    @property
    def _sampled(self) -> str:
        lengths = f"{self.settings.segment_min_s:g}-{self.settings.segment_max_s:g}s"
        return f"{self.settings.frame_rate_hz:g}hz-{lengths}.{REVISION}"

    @property
    def reads_sound(self) -> bool:
        """False: pictures alone."""
        return False

    def changed_s(self, path: Path) -> float:
        """0: it depends on the video alone."""
        del path
        return 0.0

    @property
    def sampling(self) -> Sampling:
        """Pictures of the embedder's size."""
        budget = self.settings.adaptive_budget if self.adaptive else None
        return Sampling(self.settings.frame_rate_hz, self.embedder.short_side, self.fast, budget)

    def read(
        self, media: MediaFiles, source: Source, span: Span, pictures: PictureRead | None
    ) -> PictureRead | None:
        """The sampled pictures; None where the video has none."""
        del media, source, span
        return pictures

    def compute(self, item: ClaimedTask, read: PictureRead | None) -> PictureResult:
        """Embeds the frames, builds segments and writes their thumbnails."""
        if read is None:
            empty = np.empty(0)
            return PictureResult(
                FrameBlock(empty, np.empty((0, self.embedder.dimension), np.float16), empty),
                [],
                NOTHING,
            )
        frames = read.frames
        vectors, known = self._embed(frames, read.cuts_s)
        rows = fill_rows(
            frames, vectors, known, read.gaps, read.cuts_s, self.settings.frame_rate_hz
        )
        planned = plan_segments(
            item.span,
            read.cuts_s.tolist(),
            self.settings.segment_min_s,
            self.settings.segment_max_s,
        )
        segments = build_segments(planned, rows.times_s, rows.vectors)
        if isinstance(self.embedder, ClipEmbedder):
            segments = _embed_as_clips(self.embedder, segments, frames, rows)
        pictures = {int(rows.picture[segment.thumbnail]) for segment in segments}
        for picture in sorted(pictures):
            data = jpeg(frames.images[picture], THUMBNAIL_WIDTH)
            time_s = float(frames.times_s[picture])
            self.artefacts.write_thumbnail(item.video_id, time_s, data)
        return PictureResult(
            FrameBlock(rows.times_s, rows.vectors.astype(np.float16), read.cuts_s, rows.filled),
            [
                NewSegment(
                    segment.span,
                    segment.vector,
                    float(frames.times_s[rows.picture[segment.thumbnail]]),
                )
                for segment in segments
            ],
            read.damage,
        )

    def _embed(self, frames: Frames, cuts_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, D) vectors and which of them are known: all, unless only what changes is wanted."""
        if self.adaptive and len(frames):
            return embed_changing(self.embedder.embed_frames, frames, cuts_s)
        vectors = embed_once(self.embedder.embed_frames, frames.images)
        return vectors, np.ones(len(frames), bool)

    def commit(
        self, session: Session, item: ClaimedTask, owner: str, result: PictureResult, seconds: float
    ) -> bool:
        """Stores frames and segments."""
        return commit_picture(session, item.task_id, owner, result.block, result.segments, seconds)

    def damage(self, result: PictureResult) -> Message:
        """Of the pictures."""
        return result.damage


def _embed_as_clips(
    embedder: ClipEmbedder, segments: list[Segment], frames: Frames, rows: Rows
) -> list[Segment]:
    """The segments with the vectors of their clips in place of the means of their frames."""
    shown = [rows.picture[segment.rows] for segment in segments]
    clips = [frames.images[pictures] for pictures in shown]
    times_s = [rows.times_s[segment.rows] for segment in segments]
    vectors = embedder.embed_clips(clips, [times - times[0] for times in times_s])
    return [replace(one, vector=row) for one, row in zip(segments, vectors, strict=True)]
