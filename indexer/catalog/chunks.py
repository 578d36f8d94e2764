"""Chunks and what is in them, for searching."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.catalog.database.dialect import among
from indexer.catalog.rows import FrameBlock, chunk_vectors, frame_blocks, live_chunks
from indexer.catalog.tables import Chunk, FrameBlockRow, Segment, Work

NEAR_S = 8.0  # a thumbnail of a neighbouring chunk may be the nearest
SAMPLED_CHUNKS = 200
SAMPLED_OF_A_VIDEO = 10


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """The frames of a chunk with where it lies."""

    video_id: int
    chunk_id: int
    span: Span
    frames: FrameBlock


def stored_blocks(s: Session, chunk_ids: Iterable[int], key: str) -> list[StoredBlock]:
    """Those of the chunks that are done under `key`, by video and time."""
    statement = (
        select(Chunk.id, Chunk.video_id, Chunk.start_s, Chunk.end_s)
        .where(among(s, Chunk.id, chunk_ids))
        .order_by(Chunk.video_id, Chunk.number)
    )
    found = s.execute(statement).all()
    blocks: Mapping[int, FrameBlock] = frame_blocks(s, [row.id for row in found], key)
    return [
        StoredBlock(row.video_id, row.id, Span(row.start_s, row.end_s), blocks[row.id])
        for row in found
        if row.id in blocks
    ]


def video_blocks(s: Session, video_id: int, key: str) -> list[StoredBlock]:
    """All chunks of a video that are done under `key`, in the order of time."""
    return stored_blocks(
        s, s.scalars(select(Chunk.id).where(Chunk.video_id == video_id)).all(), key
    )


def thumbnail_near(s: Session, video_id: int, time_s: float) -> float | None:
    """Time of the stored thumbnail of the segment that is nearest to `time_s`; None where the video
    has no segment near it.
    """
    return thumbnails_near(s, [(video_id, time_s)])[0]


def thumbnails_near(s: Session, places: Sequence[tuple[int, float]]) -> list[float | None]:
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
    done = select(Work.id).where(among(s, Work.chunk_id, near), Work.stage == "picture")
    stored: dict[int, list[float]] = {}
    for video_id, time_s in s.execute(
        select(Segment.video_id, Segment.thumbnail_s).where(Segment.work_id.in_(done))
    ):
        stored.setdefault(video_id, []).append(time_s)
    return [
        min(stored.get(video, ()), key=lambda stored_s: abs(stored_s - time_s), default=None)
        for video, time_s in places
    ]


def thumbnail_times(s: Session, video_id: int, key: str) -> list[float]:
    """Times of the thumbnails that the segments of a video have under a picture key, rising."""
    done = select(Work.id).where(
        Work.video_id == video_id, Work.stage == "picture", Work.key == key, Work.state == "done"
    )
    return sorted(set(s.scalars(select(Segment.thumbnail_s).where(Segment.work_id.in_(done)))))


def sample_vectors(s: Session, key: str, count: int, seed: int = 0) -> np.ndarray:
    """At most `count` segment vectors (N, D) float32 from random searchable chunks, few of each
    video, so that a long one does not decide what is usual; the same for the same library and seed.
    """
    chunk_ids, _ = live_chunks(s, key)
    if not len(chunk_ids):
        return np.empty((0, dimension_of(s, key) or 0), np.float32)
    random = np.random.default_rng(seed)
    chosen = random.choice(chunk_ids, min(len(chunk_ids), SAMPLED_CHUNKS), replace=False)
    found = chunk_vectors(s, np.sort(chosen).tolist(), key)
    order = random.permutation(len(found.ids))
    videos = found.video_ids[order]
    by_video = np.argsort(videos, kind="stable")
    firsts = np.searchsorted(videos[by_video], videos[by_video], side="left")
    few = order[by_video[np.arange(len(order)) - firsts < SAMPLED_OF_A_VIDEO]]
    return found.vectors[
        np.sort(few if len(few) <= count else random.choice(few, count, replace=False))
    ]


def dimension_of(s: Session, key: str) -> int | None:
    """Numbers in a vector under `key`; None where there is none."""
    done = (
        select(Work.id)
        .where(Work.stage == "picture", Work.key == key, Work.state == "done")
        .limit(1)
    )
    return s.scalar(
        select(FrameBlockRow.dimension).where(FrameBlockRow.work_id == done.scalar_subquery())
    )
