"""Which chunk tasks a video needs: planned from its length and the keys of its stages, planned
again where something changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.catalog.database.dialect import count_changed
from indexer.catalog.tables.library import SERVED_KEY, Chunk, ChunkTask, Video
from indexer.catalog.videos import lock_video
from indexer.vocabulary import TaskState, VideoState


def plan_tasks(
    s: Session, video_id: int, spans: Sequence[Span], keys: Mapping[str, str | None]
) -> int:
    """Adds the tasks that are missing so that the video is done under `keys`; how many. Repeating
    it changes nothing.

    Chunks are made from `spans` once per video; later plans keep them. A stage that `keys` does not
    name is left alone, one with None has its unfinished tasks deleted. Rows under a key that is
    served stay served until `finalize_video` finds the new key complete.
    """
    video = lock_video(s, video_id)
    if video is None:
        return 0
    chunk_ids = _ensure_chunks(s, video_id, spans)
    added = sum(_plan_stage(s, video, stage, key, chunk_ids) for stage, key in keys.items())
    if added and video.state != VideoState.PENDING:
        video.state, video.error = VideoState.INGESTING, None
    s.flush()
    return added


def _plan_stage(
    s: Session, video: Video, stage: str, key: str | None, chunk_ids: Sequence[int]
) -> int:
    of_stage = and_(ChunkTask.video_id == video.id, ChunkTask.stage == stage)
    if key is None:
        s.execute(delete(ChunkTask).where(of_stage, ChunkTask.state != TaskState.DONE))
        return 0
    column = SERVED_KEY[stage].key
    served: str | None = getattr(video, column)
    if served != key and not _has_done(s, video.id, stage, served):
        setattr(video, column, key)
        served = key
    # Other keys go with their rows, except what is served: of that only what is not done goes,
    # since nobody will do it.
    is_unwanted = or_(ChunkTask.key != served, ChunkTask.state != TaskState.DONE)
    s.execute(delete(ChunkTask).where(of_stage, ChunkTask.key != key, is_unwanted))
    return _add_missing(s, video, stage, key, chunk_ids)


def _ensure_chunks(s: Session, video_id: int, spans: Sequence[Span]) -> list[int]:
    """Ids of the chunks of a video in order, made from `spans` where it has none."""
    chunk_ids = select(Chunk.id).where(Chunk.video_id == video_id).order_by(Chunk.number)
    known = list(s.scalars(chunk_ids))
    if known or not spans:
        return known
    rows = [
        {
            "video_id": video_id,
            "number": number,
            "start_s": float(span.start_s),
            "end_s": float(span.end_s),
        }
        for number, span in enumerate(spans)
    ]
    s.execute(insert(Chunk), rows)
    return list(s.scalars(chunk_ids))


def _has_done(s: Session, video_id: int, stage: str, key: str | None) -> bool:
    if key is None:
        return False
    done = _is_done(video_id, [stage])
    found = select(ChunkTask.id).where(done, ChunkTask.key == key).limit(1)
    return s.scalar(found) is not None


def _add_missing(s: Session, video: Video, stage: str, key: str, chunk_ids: Sequence[int]) -> int:
    of_key = (ChunkTask.video_id == video.id, ChunkTask.stage == stage, ChunkTask.key == key)
    known = set(s.scalars(select(ChunkTask.chunk_id).where(*of_key)))
    shared = {
        "video_id": video.id,
        "collection_id": video.collection_id,
        "stage": stage,
        "key": key,
        "state": TaskState.PENDING,
        "video_s": video.duration_s,
    }
    rows = [{"chunk_id": chunk_id, **shared} for chunk_id in chunk_ids if chunk_id not in known]
    if rows:
        s.execute(insert(ChunkTask), rows)
    return len(rows)


def was_done_before(s: Session, video_id: int, stage: str, time_s: float) -> bool:
    """Whether some task of a stage that is done was begun before a time (Unix time)."""
    is_older = ChunkTask.started_at < datetime.fromtimestamp(time_s, UTC)
    found = select(ChunkTask.id).where(_is_done(video_id, [stage]), is_older).limit(1)
    return s.scalar(found) is not None


def invalidate_tasks(s: Session, video_id: int, stages: Sequence[str]) -> int:
    """Done tasks of these stages wait to be done again, though their key is the same: what they
    were made from changed. How many.

    Their rows stay until the task is committed again; vectors are not searched until then.
    """
    if not stages:
        return 0
    video = lock_video(s, video_id)
    again = (
        update(ChunkTask)
        .where(_is_done(video_id, stages))
        .values(state=TaskState.PENDING, attempts=0, started_at=None, finished_at=None)
    )
    count = count_changed(s, again)
    if video is not None and count:
        video.state, video.error = VideoState.INGESTING, None
        s.flush()
    return count


def _is_done(video_id: int, stages: Sequence[str]) -> ColumnElement[bool]:
    return and_(
        ChunkTask.video_id == video_id,
        ChunkTask.stage.in_(stages),
        ChunkTask.state == TaskState.DONE,
    )
