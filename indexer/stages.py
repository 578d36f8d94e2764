"""The stages of a chunk behind one small interface: read media, compute, commit. The process that runs them may be any."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.artefacts import Artefacts
from indexer.catalog import rows
from indexer.catalog.rows import FrameBlock, NewSegment
from indexer.catalog.work import WorkItem
from indexer.embedders.base import Embedder
from indexer.media.files import MediaFiles
from indexer.media.thumbnails import jpeg
from indexer.segments import Segment, build_segments, plan_segments
from indexer.settings import Settings

THUMBNAIL_WIDTH = 320
PICTURE_REVISION = 1  # counts changes of sampling or segmentation that make older rows worth replacing


class Stage(Protocol):
    """`read` runs ahead of `compute` (another chunk's), so it must touch nothing but the media process."""

    name: str
    key: str

    def read(self, media: MediaFiles, path: Path, span: Span) -> Any: ...

    def compute(self, item: WorkItem, read: Any) -> Any: ...

    def commit(self, session: Session, item: WorkItem, owner: str, result: Any, seconds: float) -> bool:
        """Writes the rows of one chunk; False when the work belongs to somebody else by now (nothing is written)."""
        ...

    def damage(self, result: Any) -> str:
        """What could not be read of the chunk; empty when all of it was."""
        ...


@dataclass(frozen=True, slots=True)
class PictureResult:
    block: FrameBlock
    segments: list[Segment]
    damage: str


@dataclass(frozen=True, slots=True)
class PictureStage:
    """Frames, shots, vectors: after it a chunk is searchable."""

    embedder: Embedder
    settings: Settings
    artefacts: Artefacts
    fast: bool = False
    name: str = "picture"

    @property
    def key(self) -> str:
        return picture_key(self.embedder.key, self.settings, fast=self.fast)

    def read(self, media: MediaFiles, path: Path, span: Span) -> Any:
        rate_hz, short_side = self.settings.frame_rate_hz, self.embedder.short_side
        return media.pictures(path, span, rate_hz=rate_hz, short_side=short_side, keyframes_only=self.fast)

    def compute(self, item: WorkItem, read: Any) -> PictureResult:
        frames = read.frames
        vectors = self.embedder.embed_frames(frames.images)
        span = Span(item.start_s, item.end_s)
        planned = plan_segments(span, read.cuts_s.tolist(), self.settings.segment_min_s, self.settings.segment_max_s)
        segments = build_segments(planned, frames.times_s, vectors)
        for segment in segments:
            picture = jpeg(frames.images[segment.thumbnail], THUMBNAIL_WIDTH)
            self.artefacts.write_thumbnail(item.video_id, float(frames.times_s[segment.thumbnail]), picture)
        block = FrameBlock(frames.times_s, vectors.astype(np.float16), read.cuts_s)
        return PictureResult(block, segments, read.damage)

    def commit(self, session: Session, item: WorkItem, owner: str, result: PictureResult, seconds: float) -> bool:
        new = [NewSegment(s.span, s.vector, float(result.block.times_s[s.thumbnail])) for s in result.segments]
        return rows.commit_picture(session, item.work_id, owner, result.block, new, seconds)

    def damage(self, result: PictureResult) -> str:
        return result.damage


def picture_key(embedder_key: str, settings: Settings, *, fast: bool) -> str:
    """`EMBEDDER/SAMPLING`: vectors are comparable when what stands before the last slash is equal."""
    if fast:
        return f"{embedder_key}/keyframes.{PICTURE_REVISION}"
    sampling = f"{settings.frame_rate_hz:g}hz-{settings.segment_min_s:g}-{settings.segment_max_s:g}s.{PICTURE_REVISION}"
    return f"{embedder_key}/{sampling}"


def embedder_key_of(picture_key: str) -> str:
    return picture_key.rpartition("/")[0]


def run(stage: Stage, item: WorkItem, read: Any) -> tuple[Any, float]:
    """The result of a chunk and the seconds that computing it took."""
    started = time.monotonic()
    return stage.compute(item, read), time.monotonic() - started


def stage_keys(stages: Sequence[Stage]) -> Mapping[str, str]:
    return {stage.name: stage.key for stage in stages}


def short_hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
