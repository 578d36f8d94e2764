"""Times of the thumbnails that the segments of a video have."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import in_values
from indexer.catalog.tables.library import Chunk, ChunkTask, Segment
from indexer.vocabulary import StageName, TaskState

NEAR_S = 8.0
"""A thumbnail of a neighbouring chunk may be the nearest: chunks this near to a time count."""


def nearest_thumbnail_s(s: Session, video_id: int, time_s: float) -> float | None:
    """Time of the stored thumbnail of the segment that is nearest to `time_s`; None where the video
    has no segment near it.
    """
    return nearest_thumbnails_s(s, [(video_id, time_s)])[0]


def nearest_thumbnails_s(s: Session, places: Sequence[tuple[int, float]]) -> list[float | None]:
    """The same for several (video, time), in their order, with two queries for all."""
    if not places:
        return []
    chunk_at = [
        and_(
            Chunk.video_id == video, Chunk.start_s <= time_s + NEAR_S, Chunk.end_s > time_s - NEAR_S
        )
        for video, time_s in places
    ]
    near = s.scalars(select(Chunk.id).where(or_(*chunk_at))).all()
    tasks = select(ChunkTask.id).where(
        in_values(s, ChunkTask.chunk_id, near), ChunkTask.stage == StageName.PICTURE
    )
    stored_s: dict[int, list[float]] = {}
    for video_id, time_s in s.execute(
        select(Segment.video_id, Segment.thumbnail_s).where(Segment.task_id.in_(tasks))
    ):
        stored_s.setdefault(video_id, []).append(time_s)
    return [
        min(stored_s.get(video, ()), key=lambda found_s: abs(found_s - time_s), default=None)
        for video, time_s in places
    ]


def list_thumbnail_times(s: Session, video_id: int, key: str) -> list[float]:
    """Times of the thumbnails that a video has under a picture key, seconds, rising."""
    done = select(ChunkTask.id).where(
        ChunkTask.video_id == video_id,
        ChunkTask.stage == StageName.PICTURE,
        ChunkTask.key == key,
        ChunkTask.state == TaskState.DONE,
    )
    return sorted(set(s.scalars(select(Segment.thumbnail_s).where(Segment.task_id.in_(done)))))
