"""Which chunks are live, that is searchable: their task is done under the key that their video
serves. The pair (chunk, revision) names the rows of one commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import in_values
from indexer.catalog.tables.library import SERVED_KEY, ChunkTask, Video
from indexer.vocabulary import StageName, TaskState


@dataclass(frozen=True, slots=True)
class LiveState:
    """Fingerprint of what is live under a key: any commit, deletion or change of the served key
    changes it (chance of a miss: 2**-40).
    """

    chunks: int
    revisions: int


def get_live_state(
    s: Session,
    key: str,
    stage: str = StageName.PICTURE,
    collection_ids: Sequence[int] | None = None,
) -> LiveState:
    """Cheap: reads one index, no vectors. `collection_ids`: of these alone; None: of all."""
    statement = (
        select(func.count(), func.coalesce(func.sum(ChunkTask.revision), 0))
        .select_from(ChunkTask)
        .join(Video, is_live(key, stage))
    )
    if collection_ids is not None:
        statement = statement.where(in_values(s, Video.collection_id, collection_ids))
    count, revisions = s.execute(statement).one()
    return LiveState(int(count), int(revisions))


def get_live_chunks(
    s: Session,
    key: str,
    stage: str = StageName.PICTURE,
    collection_ids: Sequence[int] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Chunks that are searchable under `key` and their revisions, both (N,) int64, by rising chunk
    id. `collection_ids`: of these alone; None: of all.
    """
    statement = (
        select(ChunkTask.chunk_id, ChunkTask.revision)
        .select_from(ChunkTask)
        .join(Video, is_live(key, stage))
    )
    if collection_ids is not None:
        statement = statement.where(in_values(s, Video.collection_id, collection_ids))
    found: Iterable[Any] = s.execute(statement)
    # np.array(rows) is forty times slower
    pairs = np.fromiter((number for row in found for number in row), np.int64).reshape(-1, 2)
    pairs = pairs[np.argsort(pairs[:, 0])]
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def is_live(key: str, stage: str) -> Any:
    """SQL: joins `ChunkTask` to `Video` where the task is done under the key that is served."""
    return and_(
        Video.id == ChunkTask.video_id,
        SERVED_KEY[stage] == key,
        ChunkTask.stage == stage,
        ChunkTask.key == key,
        ChunkTask.state == TaskState.DONE,
    )
