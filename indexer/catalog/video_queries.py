"""Videos by what is known about their files: length, recording date, title and file name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.database.dialect import in_values, is_sqlite
from indexer.catalog.tables.library import Path, Video
from indexer.vocabulary import VideoState


@dataclass(frozen=True, slots=True)
class Filters:
    """`recorded_from`, `recorded_to`: days in UTC, both included; a video without a date fits
    neither. Lengths in seconds.

    `name`: a piece of the title or the file's name, in any case of letters. `content_hash`: SHA-256
    of the file, as hexadecimal digits.
    """

    recorded_from: date | None = None
    recorded_to: date | None = None
    shortest_s: float = 0.0
    longest_s: float | None = None
    name: str = ""
    content_hash: str = ""

    @property
    def is_empty(self) -> bool:
        """Every video passes."""
        return self == Filters()


@dataclass(frozen=True, slots=True)
class NamedVideo:
    """A video with the words that name it: title, paths (joined by line breaks), and the day it was
    recorded.
    """

    video_id: int
    duration_s: float
    title: str
    paths: str
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListedVideo:
    """What a long list of videos is ordered and narrowed by. `path`: one of its files, relative to
    its root; `has_error`: it failed, or a part of it could not be read. Times in UTC.
    """

    video_id: int
    title: str | None
    path: str | None
    state: VideoState
    has_error: bool
    duration_s: float
    size_bytes: int
    recorded_at: datetime | None
    created_at: datetime


def find_videos(
    s: Session, collection_ids: Sequence[int] | None, filters: Filters, newest: int | None = None
) -> list[int]:
    """Ids of the videos that pass every filter, in the order in which they were added; `newest`: at
    most so many, those added last.
    """
    conditions: list[Any] = [Video.duration_s >= filters.shortest_s]
    if filters.longest_s is not None:
        conditions.append(Video.duration_s <= filters.longest_s)
    if filters.recorded_from is not None:
        conditions.append(Video.recorded_at >= _midnight(filters.recorded_from))
    if filters.recorded_to is not None:
        conditions.append(Video.recorded_at < _midnight(filters.recorded_to) + timedelta(days=1))
    if filters.name:
        conditions.append(_is_named(s, filters.name))
    if filters.content_hash:
        conditions.append(Video.content_hash == filters.content_hash)
    return _ids(s, collection_ids, conditions, newest)


def list_briefly(
    s: Session, collection_ids: Sequence[int] | None, named: str = ""
) -> list[ListedVideo]:
    """Videos of these collections (None: of all) in the order in which they were added. `named`: a
    piece of the title or the file's name.
    """
    statement = (
        select(
            Video.id,
            Video.title,
            func.min(Path.relative_path),
            Video.state,
            Video.error.is_not(None),
            Video.duration_s,
            Video.size_bytes,
            Video.recorded_at,
            Video.created_at,
        )
        .outerjoin(Path, or_(Path.video_id == Video.id, Path.next_video_id == Video.id))
        .group_by(Video.id)
        .order_by(Video.id)
    )
    if collection_ids is not None:
        statement = statement.where(in_values(s, Video.collection_id, collection_ids))
    if named:
        statement = statement.where(_is_named(s, named))
    return [ListedVideo(*row) for row in s.execute(statement)]


def find_named_videos(
    s: Session, collection_ids: Sequence[int] | None, words: Sequence[str], limit: int
) -> list[NamedVideo]:
    """Videos whose title or path holds any of the words as letters (maybe inside other words), at
    most `limit`.
    """
    named = (
        select(
            Video.id, Video.duration_s, Video.title, func.max(Path.relative_path), Video.recorded_at
        )
        .outerjoin(Path, Path.video_id == Video.id)
        .where(_is_named(s, *words))
        .group_by(Video.id)
        .order_by(Video.id.desc())
        .limit(limit)
    )
    if collection_ids is not None:
        named = named.where(in_values(s, Video.collection_id, collection_ids))
    return [
        NamedVideo(row[0], row[1], row[2] or "", row[3] or "", row[4]) for row in s.execute(named)
    ]


def find_ready_since(
    s: Session, collection_ids: Sequence[int] | None, since: datetime, limit: int
) -> list[int]:
    """Ids of the videos that became ready after a time, the last ones first, at most `limit`."""
    found = (
        select(Video.id)
        .where(Video.ready_at > since, Video.state == VideoState.READY)
        .order_by(Video.ready_at.desc())
        .limit(limit)
    )
    if collection_ids is not None:
        found = found.where(in_values(s, Video.collection_id, collection_ids))
    return list(s.scalars(found))


def has_ready(s: Session, collection_ids: Sequence[int] | None) -> bool:
    """Whether any video of the collections (None: of all) is ready."""
    found = select(Video.id).where(Video.state == VideoState.READY).limit(1)
    if collection_ids is not None:
        found = found.where(in_values(s, Video.collection_id, collection_ids))
    return s.scalar(found) is not None


def find_recorded_videos(
    s: Session, collection_ids: Sequence[int] | None, first: date, last: date
) -> list[int]:
    """Ids of the videos recorded from one day to another, both included."""
    return find_videos(s, collection_ids, Filters(recorded_from=first, recorded_to=last))


def _ids(
    s: Session, collection_ids: Sequence[int] | None, conditions: Sequence[Any], newest: int | None
) -> list[int]:
    statement = select(Video.id).where(*conditions).order_by(Video.id.desc()).limit(newest)
    if collection_ids is not None:
        statement = statement.where(in_values(s, Video.collection_id, collection_ids))
    return list(s.scalars(statement))[::-1]


def _is_named(s: Session, *pieces: str) -> Any:
    """Title or path holds any of the pieces. Paths are read once, not looked up for each video: ten
    times faster over 40,000 videos.
    """
    texts = [sanitize_text(piece) for piece in pieces]

    def holds(column: Any) -> list[Any]:
        # SQLite's LIKE knows no case of letters: lowering each name first took twice as long.
        name = "contains" if is_sqlite(s) else "icontains"
        return [getattr(column, name)(text, autoescape=True) for text in texts]

    at_path = select(Path.video_id).where(or_(*holds(Path.relative_path)))
    return or_(*holds(Video.title), Video.id.in_(at_path))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
