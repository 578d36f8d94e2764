"""Vectors of segments, under the keys of `picture` and `sound`, and of passages, under those of
the other stages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import in_values
from indexer.catalog.tables.library import (
    SEGMENT_STAGES,
    ChunkTask,
    FrameBlockRow,
    Passage,
    Segment,
    Video,
)
from indexer.catalog.vectors.live_chunks import get_live_chunks, is_live
from indexer.errors import CatalogError
from indexer.vocabulary import StageName, TaskState

SAMPLED_CHUNKS = 200
SAMPLED_PER_VIDEO = 10


@dataclass(frozen=True, slots=True)
class VectorRows:
    """Segments or passages by row: `ids`, `chunk_ids`, `video_ids`, `collection_ids` (N,) int64,
    `vectors` (N, D) float32.
    """

    ids: np.ndarray
    chunk_ids: np.ndarray
    video_ids: np.ndarray
    collection_ids: np.ndarray
    vectors: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


def chunk_vectors(
    s: Session, chunk_ids: Iterable[int], key: str, stage: str = StageName.PICTURE
) -> VectorRows:
    """Rows of chunks that are searchable under `key`, by rising id. Raises CatalogError when their
    vectors differ in length.
    """
    table = vector_table(stage)
    statement = (
        _select_vectors(table)
        .join(ChunkTask, ChunkTask.id == table.task_id)
        .join(Video, is_live(key, stage))
        .where(in_values(s, ChunkTask.chunk_id, chunk_ids))
        .order_by(table.id)
    )
    return _vector_rows(s.execute(statement).all(), key)


def iterate_vectors(
    s: Session, key: str, batch: int = 20_000, stage: str = StageName.PICTURE
) -> Iterator[VectorRows]:
    """All rows that are searchable under `key`, by rising id, at most `batch` at a time."""
    last_id = 0
    table = vector_table(stage)
    # Asked of each row: a list of all tasks would be made again for each batch.
    is_served = (
        select(ChunkTask.id)
        .join(Video, is_live(key, stage))
        .where(ChunkTask.id == table.task_id)
        .correlate(table)
        .exists()
    )
    while True:
        statement = (
            _select_vectors(table)
            .where(table.id > last_id, is_served)
            .order_by(table.id)
            .limit(batch)
        )
        rows = s.execute(statement).all()
        if not rows:
            return
        last_id = rows[-1][0]
        yield _vector_rows(rows, key)


def count_vectors(
    s: Session, key: str, chunk_ids: Iterable[int], stage: str = StageName.PICTURE
) -> int:
    """How many rows with a vector these chunks have that are searchable under `key`."""
    table = vector_table(stage)
    served = (
        select(ChunkTask.id)
        .join(Video, is_live(key, stage))
        .where(in_values(s, ChunkTask.chunk_id, chunk_ids))
    )
    counted = (
        select(func.count())
        .select_from(table)
        .where(table.task_id.in_(served), table.vector.is_not(None))
    )
    return s.scalar(counted) or 0


def sample_vectors(
    s: Session,
    key: str,
    count: int,
    seed: int = 0,
    collection_ids: Sequence[int] | None = None,
) -> np.ndarray:
    """At most `count` segment vectors (N, D) float32 from random searchable chunks, few of each
    video, so that a long one does not decide what is usual; the same for the same library and seed.
    `collection_ids`: of these alone; None: of all.
    """
    chunk_ids, _ = get_live_chunks(s, key, collection_ids=collection_ids)
    if not len(chunk_ids):
        return np.empty((0, dimension_of(s, key) or 0), np.float32)
    random = np.random.default_rng(seed)
    chosen = random.choice(chunk_ids, min(len(chunk_ids), SAMPLED_CHUNKS), replace=False)
    found = chunk_vectors(s, np.sort(chosen).tolist(), key)
    order = random.permutation(len(found.ids))
    videos = found.video_ids[order]
    by_video = np.argsort(videos, kind="stable")
    firsts = np.searchsorted(videos[by_video], videos[by_video], side="left")
    few = order[by_video[np.arange(len(order)) - firsts < SAMPLED_PER_VIDEO]]
    if len(few) > count:
        few = random.choice(few, count, replace=False)
    return found.vectors[np.sort(few)]


def dimension_of(s: Session, key: str) -> int | None:
    """Numbers in a frame's vector under a picture key; None where there is none."""
    done = (
        select(ChunkTask.id)
        .where(
            ChunkTask.stage == StageName.PICTURE,
            ChunkTask.key == key,
            ChunkTask.state == TaskState.DONE,
        )
        .limit(1)
    )
    return s.scalar(
        select(FrameBlockRow.dimension).where(FrameBlockRow.task_id == done.scalar_subquery())
    )


def vector_table(stage: str) -> type[Segment] | type[Passage]:
    """The table whose rows hold the vectors of a stage."""
    return Segment if stage in SEGMENT_STAGES else Passage


def _select_vectors(table: type[Segment] | type[Passage]) -> Any:
    columns = (table.id, table.chunk_id, table.video_id, table.collection_id, table.vector)
    return select(*columns).where(table.vector.is_not(None))


def _vector_rows(rows: Sequence[Any], key: str) -> VectorRows:
    numbers = np.array([row[:4] for row in rows], np.int64).reshape(-1, 4)
    byte_counts = {len(row[4]) for row in rows}
    if len(byte_counts) > 1:
        raise CatalogError(
            "vectors of {key} have {dimensions} numbers",
            "run: seekpoint reindex",
            key=key,
            dimensions=sorted(count // 2 for count in byte_counts),
        )
    vectors = np.empty((0, 0), np.float32)
    if rows:
        stored = np.frombuffer(b"".join(row[4] for row in rows), "<f2")
        vectors = stored.astype(np.float32).reshape(len(rows), -1)
    ids, chunk_ids, video_ids, collection_ids = (numbers[:, n].copy() for n in range(4))
    return VectorRows(ids, chunk_ids, video_ids, collection_ids, vectors)
