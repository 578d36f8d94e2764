"""How far the chunk tasks are: counts and seconds, by stage and state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import in_values
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.library import Chunk, ChunkTask, Video
from indexer.messages import Message
from indexer.vocabulary import StageName, TaskState, VideoState

SHOWN_ERRORS = 10


@dataclass(frozen=True, slots=True)
class StageProgress:
    """Tasks of a stage by state; `done_s` and `total_s` are seconds of video, `seconds` what the
    done ones took.
    """

    pending: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    done_s: float = 0.0
    total_s: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """`videos` by state; `oldest_waiting`: when the task was planned that has waited longest;
    `errors` (video, error) are the latest ones.
    """

    stages: Mapping[str, StageProgress]
    videos: Mapping[VideoState, int]
    oldest_waiting: datetime | None
    errors: tuple[tuple[int, Message], ...]

    @property
    def unfinished(self) -> int:
        """Tasks that wait or run."""
        return sum(stage.pending + stage.running for stage in self.stages.values())


def get_progress(
    s: Session, collection_ids: Sequence[int] | None = None, video_ids: Sequence[int] | None = None
) -> Progress:
    """Counts over all videos, or those of some collections, or some videos."""
    conditions = []
    if collection_ids is not None:
        conditions.append(in_values(s, Video.collection_id, collection_ids))
    if video_ids is not None:
        conditions.append(in_values(s, Video.id, video_ids))
    rows = _count_by_state(s, conditions)
    by_state = (
        select(Video.state, func.count().label("videos")).where(*conditions).group_by(Video.state)
    )
    stages = {stage: [row for row in rows if row.stage == stage] for stage in StageName}
    return Progress(
        stages={stage: _stage_progress(counts) for stage, counts in stages.items() if counts},
        videos={row.state: row.videos for row in s.execute(by_state)},
        oldest_waiting=min(
            (row.oldest for row in rows if row.state == TaskState.PENDING), default=None
        ),
        errors=_latest_errors(s, conditions),
    )


def _count_by_state(s: Session, conditions: Sequence[Any]) -> Sequence[Any]:
    statement = (
        select(
            ChunkTask.stage,
            ChunkTask.state,
            func.count().label("tasks"),
            func.sum(Chunk.end_s - Chunk.start_s).label("video_s"),
            func.sum(func.coalesce(ChunkTask.seconds, 0.0)).label("seconds"),
            func.min(ChunkTask.created_at).label("oldest"),
        )
        .join(Chunk, Chunk.id == ChunkTask.chunk_id)
        .join(Video, Video.id == ChunkTask.video_id)
        .where(*conditions)
        .group_by(ChunkTask.stage, ChunkTask.state)
    )
    return s.execute(statement).all()


def _latest_errors(s: Session, conditions: Sequence[Any]) -> tuple[tuple[int, Message], ...]:
    statement = (
        select(ChunkTask.video_id, ChunkTask.error)
        .join(Video, Video.id == ChunkTask.video_id)
        .where(ChunkTask.error.is_not(None), ChunkTask.state != TaskState.DONE, *conditions)
        .order_by(ChunkTask.finished_at.desc())
        .limit(SHOWN_ERRORS)
    )
    return tuple((row.video_id, row.error) for row in s.execute(statement))


def _stage_progress(rows: Sequence[Any]) -> StageProgress:
    done = [row for row in rows if row.state == TaskState.DONE]
    return StageProgress(
        **{row.state.value: int(row.tasks) for row in rows},
        done_s=float(sum(row.video_s for row in done)),
        total_s=float(sum(row.video_s for row in rows)),
        seconds=float(sum(row.seconds for row in done)),
    )


def count_waiting(s: Session) -> dict[str, int]:
    """Tasks that nobody has taken, by stage."""
    by_stage = (
        select(ChunkTask.stage, func.count())
        .where(ChunkTask.state == TaskState.PENDING)
        .group_by(ChunkTask.stage)
    )
    return {stage: int(count) for stage, count in s.execute(by_stage)}


def video_seconds_since(s: Session, age_s: float, stage: str = StageName.PICTURE) -> float:
    """Seconds of video whose stage was done within the last `age_s`."""
    is_recent = and_(
        ChunkTask.finished_at >= utc_now() - timedelta(seconds=age_s),
        ChunkTask.state == TaskState.DONE,
        ChunkTask.stage == stage,
    )
    length_s = func.sum(Chunk.end_s - Chunk.start_s)
    statement = select(length_s).join(ChunkTask, ChunkTask.chunk_id == Chunk.id).where(is_recent)
    return float(s.scalar(statement) or 0.0)
