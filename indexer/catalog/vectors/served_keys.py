"""Which keys of a stage are served: more than one while models change."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import in_values
from indexer.catalog.tables import SERVED_KEY, ChunkTask, Video
from indexer.vocabulary import StageName


def list_served_keys(
    s: Session, stage: str, collection_ids: Sequence[int] | None = None
) -> list[str]:
    """Keys of a stage whose rows are served, by how many videos, most first.

    Asked at every search, so it steps over the index from key to key instead of counting all
    videos; only several keys are counted.
    """
    column = SERVED_KEY[stage]
    chosen = [] if collection_ids is None else [in_values(s, Video.collection_id, collection_ids)]
    served = []
    next_key = select(func.min(ChunkTask.key)).where(ChunkTask.stage == stage)
    key = s.scalar(next_key)
    while key is not None:
        if s.scalar(select(Video.id).where(column == key, *chosen).limit(1)) is not None:
            served.append(key)
        key = s.scalar(next_key.where(ChunkTask.key > key))
    if len(served) < 2:
        return served
    by_count = (
        select(column)
        .where(column.in_(served), *chosen)
        .group_by(column)
        .order_by(func.count().desc(), column)
    )
    return [str(key) for key in s.scalars(by_count)]


def list_vector_keys(
    s: Session, collection_ids: Sequence[int] | None = None
) -> list[tuple[str, str]]:
    """(stage, key) of everything that has vectors."""
    return [
        (stage, key) for stage in StageName for key in list_served_keys(s, stage, collection_ids)
    ]


def list_picture_keys(s: Session, collection_ids: Sequence[int] | None = None) -> list[str]:
    """Keys of `picture` that are served, by how many videos, most first."""
    return list_served_keys(s, StageName.PICTURE, collection_ids)


def count_served_videos(s: Session) -> dict[tuple[str, str], int]:
    """How many videos are served with each key, by (stage, key)."""
    return {
        (str(stage), str(key)): int(count)
        for stage, column in SERVED_KEY.items()
        for key, count in s.execute(
            select(column, func.count()).where(column.is_not(None)).group_by(column)
        )
    }
