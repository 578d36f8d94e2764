"""What a library takes on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import is_sqlite
from indexer.catalog.tables.library import Chunk, ChunkTask, FrameBlockRow, Passage, Segment
from indexer.vocabulary import StageName, TaskState


@dataclass(frozen=True, slots=True)
class Usage:
    """`kinds`: bytes of vectors, times and texts; `database_bytes`: all that the database takes;
    `video_s`: seconds of video indexed.
    """

    kinds: Mapping[str, int]
    database_bytes: int
    segments: int
    frames: int
    passages: int
    video_s: float

    @property
    def mb_per_hour(self) -> float:
        """Megabytes of the whole database per hour of video that is indexed; 0 where nothing is."""
        return self.database_bytes / 1e6 / (self.video_s / 3600) if self.video_s else 0.0


def measure_usage(s: Session) -> Usage:
    """Sizes from one pass over the lengths of the blobs; slow (seconds) on a million segments."""
    segment_bytes, segment_count = s.execute(
        select(_total(_vector_bytes(s, Segment.vector)), func.count()).select_from(Segment)
    ).one()
    frame_bytes, frame_count = s.execute(
        select(_total(_frame_bytes()), _total(FrameBlockRow.count))
    ).one()
    passage_bytes, passage_count = s.execute(
        select(_total(func.length(Passage.text)), func.count()).select_from(Passage)
    ).one()
    return Usage(
        {
            "segments": int(segment_bytes),
            "frames": int(frame_bytes),
            "passages": int(passage_bytes),
        },
        _database_bytes(s),
        int(segment_count),
        int(frame_count),
        int(passage_count),
        _indexed_s(s),
    )


def _indexed_s(s: Session) -> float:
    done = and_(
        ChunkTask.chunk_id == Chunk.id,
        ChunkTask.stage == StageName.PICTURE,
        ChunkTask.state == TaskState.DONE,
    )
    length_s = _total(Chunk.end_s - Chunk.start_s)
    return float(s.scalar(select(length_s).select_from(Chunk).join(ChunkTask, done)) or 0)


def _frame_bytes() -> Any:
    return (
        func.length(FrameBlockRow.vectors)
        + func.length(FrameBlockRow.times_s)
        + func.length(FrameBlockRow.cuts_s)
    )


def _vector_bytes(s: Session, column: Any) -> Any:
    return func.length(column) if is_sqlite(s) else 2 * func.vector_dims(column)


def _total(column: Any) -> Any:
    return func.coalesce(func.sum(column), 0)


def _database_bytes(s: Session) -> int:
    if not is_sqlite(s):
        return s.scalar(select(func.pg_database_size(func.current_database()))) or 0
    connection = s.connection()
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
    return (pages - free) * connection.exec_driver_sql("PRAGMA page_size").scalar_one()
