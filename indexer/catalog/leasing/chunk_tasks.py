"""Chunk tasks: one stage of one chunk each, in a lease queue."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.catalog.collections import touch_last_claimed
from indexer.catalog.database.dialect import in_values, is_sqlite
from indexer.catalog.leasing.lease_queue import OPEN_STATES, LeaseQueue
from indexer.catalog.tables.library import (
    Chunk,
    ChunkTask,
    Collection,
    FrameBlockRow,
    Passage,
    Segment,
    Video,
)
from indexer.catalog.videos import lock_video
from indexer.messages import Message
from indexer.vocabulary import TaskState, VideoState

REVISION_BITS = 40
"""A sum over 8 million revisions still fits into SQLite's 63 bits."""

CANCELLED = "cancelled before all of it was done"


@dataclass(frozen=True, slots=True)
class ClaimedTask:
    """What a worker needs in order to do a stage of a chunk; `attempts` counts this one."""

    task_id: int
    chunk_id: int
    video_id: int
    number: int
    start_s: float
    end_s: float
    stage: str
    key: str
    attempts: int

    @property
    def span(self) -> Span:
        """Where the chunk lies in its video."""
        return Span(self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class FinishedTask:
    """A task that is done, as the rows that were made in it name it."""

    task_id: int
    chunk_id: int
    video_id: int
    collection_id: int
    key: str

    @property
    def row_values(self) -> dict[str, Any]:
        """Columns of a segment or passage of this task."""
        return {
            "task_id": self.task_id,
            "chunk_id": self.chunk_id,
            "video_id": self.video_id,
            "collection_id": self.collection_id,
            "key": self.key,
        }


class ChunkTaskQueue(LeaseQueue[ChunkTask]):
    """A task is locked after its video; one that has failed for good fails its video."""

    def lock_parent(self, s: Session, row_id: int) -> bool:
        """Locks the video of the chunk; whether there is one."""
        return _lock_video_of(s, row_id) is not None

    def dead_letter(self, s: Session, row_id: int, error: Message) -> None:
        """Chunks of the video that are done stay searchable."""
        video = _lock_video_of(s, row_id)
        if video is not None:
            video.state, video.error = VideoState.FAILED, error
            s.flush()


queue = ChunkTaskQueue(ChunkTask)


def _lock_video_of(s: Session, task_id: int) -> Video | None:
    video_id = s.scalar(_column(ChunkTask.video_id, task_id))
    return None if video_id is None else lock_video(s, video_id)


def _column(column: Any, task_id: int) -> Any:
    return select(column).where(ChunkTask.id == task_id)


# --- taking ---


def claim_task(
    s: Session,
    owner: str,
    lease_s: float,
    stages: Sequence[str],
    video_id: int | None = None,
    keys: Iterable[str] | None = None,
    chunk_id: int | None = None,
) -> ClaimedTask | None:
    """Takes the next task for `owner` until `lease_s` from now; None: nothing to do.

    Small videos before large, then in the order of planning. `keys` limits it to tasks that this
    owner's models can do.
    """
    row, candidates = queue.candidates(s)
    # SQLite would look up the stage and sort all that waits, where walking the partial index in
    # order finds the first at once.
    stage = row.stage.concat("") if is_sqlite(s) and video_id is None else row.stage
    candidates = candidates.where(stage.in_(stages)).order_by(row.video_s, row.id)
    if video_id is not None:
        candidates = candidates.where(row.video_id == video_id)
    if chunk_id is not None:
        candidates = candidates.where(row.chunk_id == chunk_id)
    if keys is not None:
        candidates = candidates.where(in_values(s, row.key, keys))
    return _load_claimed(s, queue.claim(s, row, candidates, owner, lease_s))


def claim_fairly(
    s: Session,
    owner: str,
    lease_s: float,
    stage: str,
    keys: Iterable[str],
    max_attempts: int,
    *,
    without: Sequence[int] = (),
) -> ClaimedTask | None:
    """As `claim_task`, for a worker that serves all collections: the one that has waited longest
    for a worker comes first, and in it small videos before large.

    Lost tasks that were tried often enough are left to the reaper. `without`: these videos.
    """
    keys = list(keys)
    for collection_id in _collections_by_wait(s, stage):
        row, candidates = queue.candidates(s, max_attempts)
        candidates = candidates.where(
            row.stage == stage, row.collection_id == collection_id, in_values(s, row.key, keys)
        ).order_by(row.video_s, row.id)
        if without:
            candidates = candidates.where(~in_values(s, row.video_id, list(without)))
        task = _load_claimed(s, queue.claim(s, row, candidates, owner, lease_s))
        if task is not None:
            touch_last_claimed(s, collection_id)
            return task
    return None


def _collections_by_wait(s: Session, stage: str) -> list[int]:
    """Those with open tasks of the stage, the one that waited longest first."""
    is_open = and_(
        ChunkTask.collection_id == Collection.id,
        ChunkTask.stage == stage,
        ChunkTask.state.in_(OPEN_STATES),
    )
    has_open = select(ChunkTask.id).where(is_open).correlate(Collection).exists()
    order = (func.coalesce(Collection.last_claimed_s, 0.0), Collection.id)
    return list(s.scalars(select(Collection.id).where(has_open).order_by(*order)))


def _load_claimed(s: Session, task_id: int | None) -> ClaimedTask | None:
    if task_id is None:
        return None
    statement = (
        select(
            ChunkTask.id,
            ChunkTask.chunk_id,
            ChunkTask.video_id,
            Chunk.number,
            Chunk.start_s,
            Chunk.end_s,
            ChunkTask.stage,
            ChunkTask.key,
            ChunkTask.attempts,
        )
        .join(Chunk, Chunk.id == ChunkTask.chunk_id)
        .where(ChunkTask.id == task_id)
    )
    return ClaimedTask(*s.execute(statement).one())


# --- what becomes of a task ---


def finish_task(
    s: Session, task_id: int, owner: str, seconds: float, stage: str | None = None
) -> FinishedTask | None:
    """Marks the task (of this stage, if one is named) done under a new revision and deletes what an
    earlier attempt left; None when the owner had lost it. `seconds`: what it took.
    """
    columns = (ChunkTask.chunk_id, ChunkTask.video_id, ChunkTask.collection_id, ChunkTask.key)
    found = select(*columns, ChunkTask.stage, ChunkTask.revision).where(ChunkTask.id == task_id)
    task = s.execute(found).one_or_none()
    if task is None or lock_video(s, task.video_id) is None:
        return None
    if stage is not None and stage != task.stage:
        return None
    revision = 1 + secrets.randbelow(2**REVISION_BITS - 1)
    if not queue.finish(s, task_id, owner, revision=revision, seconds=float(seconds)):
        return None
    if task.revision:  # it was done before; one that was not has left no rows
        for table in (FrameBlockRow, Segment, Passage):
            s.execute(delete(table).where(table.task_id == task_id))
    return FinishedTask(task_id, task.chunk_id, task.video_id, task.collection_id, task.key)


def note_damage(s: Session, task_id: int, damage: Message) -> None:
    """What could not be read of a chunk that is done stands where the error of another would."""
    is_done = (ChunkTask.id == task_id, ChunkTask.state == TaskState.DONE)
    s.execute(update(ChunkTask).where(*is_done).values(error=damage))


def count_failed_tasks(s: Session, video_id: int) -> int:
    """How many tasks of a video have failed."""
    failed = select(func.count()).where(
        ChunkTask.video_id == video_id, ChunkTask.state == TaskState.FAILED
    )
    return s.scalar(failed) or 0


def retry_tasks(s: Session, video_ids: Sequence[int] | None = None) -> int:
    """Failed tasks of these videos wait again with their attempts forgotten; how many. None: of all
    videos.
    """
    tasks = [] if video_ids is None else [in_values(s, ChunkTask.video_id, video_ids)]
    videos = [] if video_ids is None else [in_values(s, Video.id, video_ids)]
    with_failed = select(ChunkTask.video_id).where(ChunkTask.state == TaskState.FAILED, *tasks)
    s.execute(
        update(Video)
        .where(Video.state == VideoState.FAILED, Video.id.in_(with_failed), *videos)
        .values(state=VideoState.INGESTING, error=None),
        execution_options={"synchronize_session": False},
    )
    return queue.retry(s, *tasks)


def cancel_tasks(s: Session, video_ids: Sequence[int]) -> int:
    """Deletes the unfinished tasks of videos, which have failed then; what is done stays
    searchable. How many tasks.

    Planning such a video again adds what is missing.
    """
    for video_id in sorted(video_ids):
        video = lock_video(s, video_id)
        if video is not None and video.state in (VideoState.PENDING, VideoState.INGESTING):
            video.state, video.error = VideoState.FAILED, Message(CANCELLED)
    s.flush()
    return queue.cancel(s, in_values(s, ChunkTask.video_id, video_ids))
