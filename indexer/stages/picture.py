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
    segments: list[Segment]
    damage: Message


@dataclass(frozen=True, slots=True)
class PictureStage:
    """`fast`: from keyframes alone."""

    embedder: Embedder
    settings: Settings
    artefacts: Artefacts
    fast: bool = False
    name: str = StageName.PICTURE

    @property
    def key(self) -> str:
        """`EMBEDDER/SAMPLING`: vectors are comparable when what stands before the last slash is
        equal.
        """
        if self.fast:
            return f"{self.embedder.key}/keyframes.{REVISION}"
        lengths = f"{self.settings.segment_min_s:g}-{self.settings.segment_max_s:g}s"
        return f"{self.embedder.key}/{self.settings.frame_rate_hz:g}hz-{lengths}.{REVISION}"

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
        return Sampling(self.settings.frame_rate_hz, self.embedder.short_side, self.fast)

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
        vectors = self.embedder.embed_frames(frames.images)
        planned = plan_segments(
            item.span,
            read.cuts_s.tolist(),
            self.settings.segment_min_s,
            self.settings.segment_max_s,
        )
        segments = build_segments(planned, frames.times_s, vectors)
        if isinstance(self.embedder, ClipEmbedder):
            segments = _embed_as_clips(self.embedder, segments, frames)
        for segment in segments:
            picture = jpeg(frames.images[segment.thumbnail], THUMBNAIL_WIDTH)
            self.artefacts.write_thumbnail(
                item.video_id, float(frames.times_s[segment.thumbnail]), picture
            )
        return PictureResult(
            FrameBlock(frames.times_s, vectors.astype(np.float16), read.cuts_s),
            segments,
            read.damage,
        )

    def commit(
        self, session: Session, item: ClaimedTask, owner: str, result: PictureResult, seconds: float
    ) -> bool:
        """Stores frames and segments."""
        new = [
            NewSegment(s.span, s.vector, float(result.block.times_s[s.thumbnail]))
            for s in result.segments
        ]
        return commit_picture(session, item.task_id, owner, result.block, new, seconds)

    def damage(self, result: PictureResult) -> Message:
        """Of the pictures."""
        return result.damage


def _embed_as_clips(
    embedder: ClipEmbedder, segments: list[Segment], frames: Frames
) -> list[Segment]:
    """The segments with the vectors of their clips in place of the means of their frames."""
    clips = [frames.images[segment.rows] for segment in segments]
    times_s = [frames.times_s[segment.rows] for segment in segments]
    vectors = embedder.embed_clips(clips, [times - times[0] for times in times_s])
    return [replace(one, vector=row) for one, row in zip(segments, vectors, strict=True)]
