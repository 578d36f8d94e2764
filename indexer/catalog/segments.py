"""Segments: 2 to 8 seconds inside one shot, or of sound, each with one vector (float16), that of
pictures unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.catalog.database.dialect import in_values
from indexer.catalog.database.half_vector import pack
from indexer.catalog.frames import FrameBlock, insert_frames
from indexer.catalog.leasing.chunk_tasks import FinishedTask, finish_task
from indexer.catalog.passages import NewPassage, insert_passages
from indexer.catalog.tables.library import Segment
from indexer.vocabulary import StageName


@dataclass(frozen=True, slots=True)
class NewSegment:
    """A segment to be stored: `vector` (D,) unit; `thumbnail_s` is the time of the frame that shows
    it best.
    """

    span: Span
    vector: np.ndarray
    thumbnail_s: float


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A stored segment; `thumbnail_s`: time of the frame that shows it best."""

    id: int
    video_id: int
    collection_id: int
    chunk_id: int
    span: Span
    thumbnail_s: float


def commit_picture(
    s: Session,
    task_id: int,
    owner: str,
    frames: FrameBlock,
    segments: Sequence[NewSegment],
    seconds: float,
) -> bool:
    """Stores frames and segments of a chunk and marks its task done, all or nothing; rows of an
    earlier attempt go.

    False: the owner had lost the task (its lease ran out and another took it, or the video was
    removed), and nothing was written. ValueError where segments and frames differ in dimension.
    """
    task = finish_task(s, task_id, owner, seconds, StageName.PICTURE)
    if task is None:
        return False
    _insert(s, task, frames, segments)
    return True


def commit_sound(
    s: Session,
    task_id: int,
    owner: str,
    frames: FrameBlock,
    segments: Sequence[NewSegment],
    passages: Sequence[NewPassage],
    seconds: float,
) -> bool:
    """The same for sound, whose events are passages."""
    task = finish_task(s, task_id, owner, seconds, StageName.SOUND)
    if task is None:
        return False
    _insert(s, task, frames, segments)
    insert_passages(s, task, passages)
    return True


def _insert(
    s: Session, task: FinishedTask, frames: FrameBlock, segments: Sequence[NewSegment]
) -> None:
    dimension = frames.vectors.shape[1]
    for segment in segments:
        if segment.vector.shape != (dimension,):
            raise ValueError(
                f"segment vector has the shape {segment.vector.shape}, "
                f"the frames of its chunk have {dimension} numbers"
            )
    insert_frames(s, task, frames)
    rows = [
        {
            **task.row_values,
            "start_s": float(segment.span.start_s),
            "end_s": float(segment.span.end_s),
            "thumbnail_s": float(segment.thumbnail_s),
            "vector": pack(segment.vector),
        }
        for segment in segments
    ]
    if rows:
        s.execute(insert(Segment), rows)


def get_segments(s: Session, ids: Iterable[int]) -> list[SegmentRow]:
    """The segments in the order of `ids`; those that are gone meanwhile are left out."""
    wanted = [int(segment_id) for segment_id in ids]
    columns = (
        Segment.id,
        Segment.video_id,
        Segment.collection_id,
        Segment.chunk_id,
        Segment.start_s,
        Segment.end_s,
        Segment.thumbnail_s,
    )
    found = s.execute(select(*columns).where(in_values(s, Segment.id, wanted)))
    by_id = {row.id: row for row in found}
    return [
        SegmentRow(*row[:4], span=Span(row.start_s, row.end_s), thumbnail_s=row.thumbnail_s)
        for row in (by_id[segment_id] for segment_id in wanted if segment_id in by_id)
    ]
