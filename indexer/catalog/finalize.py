"""What follows for a video from the chunk tasks that are done: which keys are served, when it is
ready, and what it supersedes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import in_values
from indexer.catalog.people.alerts import note_ready
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.library import SERVED_KEY, Chunk, ChunkTask, Path, Video
from indexer.catalog.videos import lock_video, remove_orphans
from indexer.messages import Message
from indexer.vocabulary import TaskState, VideoState


@dataclass(frozen=True, slots=True)
class Finalized:
    """`state`: of the video, None when it is gone. `served`: stages whose new rows took over now.

    Artefacts of `removed_video_ids` can go after the commit.
    """

    state: VideoState | None
    served: tuple[str, ...] = ()
    removed_video_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _StageState:
    """`key` is the one that was planned last; `stale`: there are tasks under other keys."""

    key: str
    complete: bool
    started: bool
    stale: bool


def finalize_video(s: Session, video_id: int) -> Finalized:
    """Complete keys are served and replace older rows; a complete video is ready and supersedes.

    Called after each commit of a chunk and when recovering; repeating it changes nothing.
    """
    video = lock_video(s, video_id)
    if video is None:
        return Finalized(None)
    stages = _stage_states(s, video)
    served = _serve_complete(video, stages)
    _delete_stale(s, video_id, stages)
    removed: tuple[int, ...] = ()
    if stages and all(stage.complete for stage in stages.values()):
        video.error = _first_damage(s, video_id)
        if video.state != VideoState.READY:
            if video.ready_at is None:
                note_ready(s, video_id)
            video.state, video.ready_at = VideoState.READY, utc_now()
        removed = _supersede(s, video)
    elif video.state == VideoState.PENDING and any(stage.started for stage in stages.values()):
        video.state = VideoState.INGESTING
    s.flush()
    return Finalized(video.state, served, removed)


def _first_damage(s: Session, video_id: int) -> Message | None:
    """What could not be read of the video, from its beginning on; None: all of it was."""
    damaged = (
        select(ChunkTask.error)
        .join(Chunk, Chunk.id == ChunkTask.chunk_id)
        .where(ChunkTask.video_id == video_id, ChunkTask.error.is_not(None))
        .order_by(Chunk.number)
        .limit(1)
    )
    return s.scalar(damaged)


def _serve_complete(video: Video, stages: Mapping[str, _StageState]) -> tuple[str, ...]:
    """The stages whose key changed."""
    changed = tuple(
        name
        for name, stage in stages.items()
        if stage.complete and stage.key != getattr(video, SERVED_KEY[name].key)
    )
    for name in changed:
        setattr(video, SERVED_KEY[name].key, stages[name].key)
    return changed


def _delete_stale(s: Session, video_id: int, stages: Mapping[str, _StageState]) -> None:
    for name, stage in stages.items():
        if stage.complete and stage.stale:
            stale = (
                ChunkTask.video_id == video_id,
                ChunkTask.stage == name,
                ChunkTask.key != stage.key,
            )
            s.execute(delete(ChunkTask).where(*stale))


def _stage_states(s: Session, video: Video) -> dict[str, _StageState]:
    chunks = s.scalar(select(func.count()).select_from(Chunk).where(Chunk.video_id == video.id))
    columns = (ChunkTask.stage, ChunkTask.key, ChunkTask.state)
    by_state = (
        select(*columns, func.count()).where(ChunkTask.video_id == video.id).group_by(*columns)
    )
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for stage, key, state, count in s.execute(by_state):
        counts.setdefault(stage, {}).setdefault(key, {})[state] = count
    found: dict[str, _StageState] = {}
    for stage, keys in counts.items():
        key = _planned_key(keys, getattr(video, SERVED_KEY[stage].key))
        states = keys[key]
        found[stage] = _StageState(
            key,
            complete=states.get(TaskState.DONE, 0) == chunks,
            started=set(states) != {TaskState.PENDING},
            stale=len(keys) > 1,
        )
    return found


def _planned_key(keys: Iterable[str], served: str | None) -> str:
    """`plan_tasks` leaves at most two keys of a stage: the served one and the one that should be
    served next.
    """
    return next((key for key in keys if key != served), str(served))


def _supersede(s: Session, video: Video) -> tuple[int, ...]:
    """Paths that waited for this video lead to it now; videos that lost their last path are
    deleted.
    """
    waiting = s.scalars(select(Path.id).where(Path.next_video_id == video.id)).all()
    if not waiting:
        return ()
    s.execute(
        update(Path)
        .where(in_values(s, Path.id, waiting))
        .values(video_id=video.id, next_video_id=None)
    )
    return remove_orphans(s, video.collection_id)
