"""Frames of chunks: their times, their unit vectors (float16, one blob per chunk) and the cuts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import and_, insert, select
from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.catalog.database.dialect import in_values
from indexer.catalog.database.half_vector import pack
from indexer.catalog.leasing.chunk_tasks import FinishedTask
from indexer.catalog.tables import Chunk, FrameBlockRow, Video

_COLUMNS = (
    FrameBlockRow.chunk_id,
    FrameBlockRow.dimension,
    FrameBlockRow.times_s,
    FrameBlockRow.vectors,
    FrameBlockRow.cuts_s,
    FrameBlockRow.filled,
)


@dataclass(frozen=True, slots=True)
class FrameBlock:
    """Frames in the order of time: `times_s` (N,) float64, unit `vectors` (N, D) float32 or
    float16, `cuts_s` (K,) float64; `filled` (N,) bool: those that were not decoded, and stand for
    what is around them (none, where it is not given).
    """

    times_s: np.ndarray
    vectors: np.ndarray
    cuts_s: np.ndarray
    filled: np.ndarray = field(default_factory=lambda: np.empty(0, bool))

    def __post_init__(self) -> None:
        if not len(self.filled):
            object.__setattr__(self, "filled", np.zeros(len(self.times_s), bool))
        if (
            self.vectors.ndim != 2
            or self.times_s.shape != self.vectors.shape[:1]
            or self.cuts_s.ndim != 1
            or self.filled.shape != self.times_s.shape
        ):
            raise ValueError(
                "a block has times (N,), vectors (N, D), cuts (K,) and filled (N,), not "
                f"times_s {self.times_s.shape}, vectors {self.vectors.shape}, "
                f"cuts_s {self.cuts_s.shape}, filled {self.filled.shape}"
            )

    def __repr__(self) -> str:
        return f"FrameBlock(vectors {self.vectors.shape}, cuts_s {self.cuts_s.shape})"


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """The frames of a chunk with where it lies."""

    video_id: int
    chunk_id: int
    span: Span
    frames: FrameBlock


def insert_frames(s: Session, task: FinishedTask, frames: FrameBlock) -> None:
    """Stores the frames of a chunk. ValueError where float16 cannot hold a number."""
    s.execute(
        insert(FrameBlockRow).values(
            task_id=task.task_id,
            chunk_id=task.chunk_id,
            video_id=task.video_id,
            key=task.key,
            count=len(frames.times_s),
            dimension=frames.vectors.shape[1],
            times_s=frames.times_s.astype("<f8").tobytes(),
            cuts_s=frames.cuts_s.astype("<f8").tobytes(),
            vectors=pack(frames.vectors),
            filled=np.packbits(frames.filled).tobytes() if frames.filled.any() else None,
        )
    )


def get_frame_blocks(s: Session, chunk_ids: Iterable[int], key: str) -> dict[int, FrameBlock]:
    """Frames of those of the chunks that are done under `key`; vectors are float16, as stored."""
    statement = select(*_COLUMNS).where(
        in_values(s, FrameBlockRow.chunk_id, chunk_ids), FrameBlockRow.key == key
    )
    return {row.chunk_id: _block(row) for row in s.execute(statement)}


def get_video_frames(s: Session, video_id: int, key: str) -> FrameBlock:
    """All frames of a video that are done under `key`, in the order of time, float32; (0, 0)
    vectors when none are.
    """
    statement = (
        select(*_COLUMNS)
        .join(Chunk, Chunk.id == FrameBlockRow.chunk_id)
        .where(FrameBlockRow.video_id == video_id, FrameBlockRow.key == key)
        .order_by(Chunk.number)
    )
    blocks = [_block(row) for row in s.execute(statement)]
    if not blocks:
        return FrameBlock(np.empty(0), np.empty((0, 0), np.float32), np.empty(0))
    return FrameBlock(
        np.concatenate([block.times_s for block in blocks]),
        np.concatenate([block.vectors for block in blocks]).astype(np.float32),
        np.concatenate([block.cuts_s for block in blocks]),
        np.concatenate([block.filled for block in blocks]),
    )


def get_cuts(s: Session, video_ids: Iterable[int]) -> dict[int, np.ndarray]:
    """Video -> starts of its shots (K,) float64, rising, as its served pictures have them."""
    statement = (
        select(FrameBlockRow.video_id, FrameBlockRow.cuts_s)
        .join(
            Video,
            and_(Video.id == FrameBlockRow.video_id, Video.picture_key == FrameBlockRow.key),
        )
        .where(in_values(s, FrameBlockRow.video_id, video_ids))
    )
    found: dict[int, list[np.ndarray]] = {}
    for row in s.execute(statement):
        found.setdefault(row.video_id, []).append(np.frombuffer(row.cuts_s, "<f8"))
    return {id: np.unique(np.concatenate(cuts)) for id, cuts in found.items()}


def get_filled(s: Session, video_id: int) -> list[Span]:
    """The stretches of a video whose served frames were not looked at and stand for those around
    them, each from its first frame to the next one that was, or to its last.
    """
    of_video = and_(Video.id == FrameBlockRow.video_id, Video.picture_key == FrameBlockRow.key)
    statement = (
        select(*_COLUMNS)
        .join(Video, of_video)
        .where(FrameBlockRow.video_id == video_id, FrameBlockRow.filled.is_not(None))
    )
    blocks = [_block(row) for row in s.execute(statement)]
    return sorted(span for block in blocks for span in _filled_spans(block))


def _filled_spans(block: FrameBlock) -> Iterator[Span]:
    edges = np.flatnonzero(np.diff(block.filled.astype(np.int8), prepend=0, append=0))
    last = len(block.times_s) - 1
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        yield Span(float(block.times_s[first]), float(block.times_s[min(end, last)]))


def get_stored_blocks(s: Session, chunk_ids: Iterable[int], key: str) -> list[StoredBlock]:
    """Those of the chunks that are done under `key`, by video and time."""
    statement = (
        select(Chunk.id, Chunk.video_id, Chunk.start_s, Chunk.end_s)
        .where(in_values(s, Chunk.id, chunk_ids))
        .order_by(Chunk.video_id, Chunk.number)
    )
    found = s.execute(statement).all()
    blocks = get_frame_blocks(s, [row.id for row in found], key)
    return [
        StoredBlock(row.video_id, row.id, Span(row.start_s, row.end_s), blocks[row.id])
        for row in found
        if row.id in blocks
    ]


def get_video_blocks(s: Session, video_id: int, key: str) -> list[StoredBlock]:
    """All chunks of a video that are done under `key`, in the order of time."""
    chunk_ids = s.scalars(select(Chunk.id).where(Chunk.video_id == video_id)).all()
    return get_stored_blocks(s, chunk_ids, key)


def _block(row: Any) -> FrameBlock:
    times_s = np.frombuffer(row.times_s, "<f8")
    bits = np.frombuffer(row.filled or b"", np.uint8)
    return FrameBlock(
        times_s,
        np.frombuffer(row.vectors, "<f2").reshape(-1, row.dimension),
        np.frombuffer(row.cuts_s, "<f8"),
        np.unpackbits(bits, count=len(times_s)).astype(bool),
    )
