"""Which keys of a stage are served: more than one while models change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import in_values
from indexer.catalog.tables.library import SERVED_KEY, ChunkTask, Video
from indexer.vocabulary import StageName


def list_served_keys(
    s: Session, stage: str, collection_ids: Sequence[int] | None = None
) -> list[str]:
    """Keys of a stage whose rows are served, by how many videos, most first."""
    return get_served_keys(s, [stage], collection_ids)[stage]


def get_served_keys(
    s: Session, stages: Iterable[str], collection_ids: Sequence[int] | None = None
) -> dict[str, list[str]]:
    """The same for several stages, with one query and another for each key.

    Asked at every search, so it steps over the index from key to key instead of counting all
    videos; only several keys are counted.
    """
    stages = list(stages)
    firsts = s.execute(select(*(_next_key(stage) for stage in stages))).one()
    chosen = [] if collection_ids is None else [in_values(s, Video.collection_id, collection_ids)]
    return {
        stage: _served(s, stage, key, chosen) for stage, key in zip(stages, firsts, strict=True)
    }


def _next_key(stage: str, after: str | None = None) -> Any:
    key = select(func.min(ChunkTask.key)).where(ChunkTask.stage == stage)
    return (key if after is None else key.where(ChunkTask.key > after)).scalar_subquery()


def _served(s: Session, stage: str, key: str | None, chosen: Sequence[Any]) -> list[str]:
    column = SERVED_KEY[stage]
    served = []
    while key is not None:
        video = select(Video.id).where(column == key, *chosen).limit(1).scalar_subquery()
        found, following = s.execute(select(video, _next_key(stage, key))).one()
        if found is not None:
            served.append(key)
        key = following
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
    served = get_served_keys(s, StageName, collection_ids)
    return [(stage, key) for stage in StageName for key in served[stage]]


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
