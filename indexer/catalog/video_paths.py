"""Paths at which the bytes of videos were seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, aliased

from indexer.catalog.database.dialect import in_values, insert_or_ignore
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.library import SERVED_KEY, Path, Video
from indexer.errors import CatalogError


@dataclass(frozen=True, slots=True)
class PathStamp:
    """Where bytes were seen, and the size and modification time by which they are recognised
    without reading them.
    """

    root: str
    relative_path: str
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class KnownPath:
    """A path as it was seen last.

    `content_hash`, `state` and `keys` (served key by stage) are those of the bytes that are there
    now: of `next_video_id` where it is set.
    """

    path_id: int
    video_id: int
    next_video_id: int | None
    size_bytes: int
    mtime_ns: int
    offline: bool
    content_hash: str
    state: str
    keys: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class PathRow:
    """A path of a video. `root` is the name of a media root; size and time are of the bytes that
    were seen there last.
    """

    path_id: int
    root: str
    relative_path: str
    offline: bool
    size_bytes: int = 0
    mtime_ns: int = 0


def list_paths_below(s: Session, root: str, folder: str) -> set[str]:
    """Relative paths of a root that begin with `folder` and are of a video of any collection."""
    below = Path.relative_path.startswith(f"{folder}/", autoescape=True)
    return set(s.scalars(select(Path.relative_path).where(Path.root == root, below)))


def get_known_paths(s: Session, collection_id: int) -> dict[tuple[str, str], KnownPath]:
    """All paths of a collection by (root, relative path), in one query."""
    newest = aliased(Video)
    statement = (
        select(
            Path.root,
            Path.relative_path,
            Path.id,
            Path.video_id,
            Path.next_video_id,
            Path.size_bytes,
            Path.mtime_ns,
            Path.offline,
            newest.content_hash,
            newest.state,
            *(getattr(newest, column.key) for column in SERVED_KEY.values()),
        )
        .join(newest, newest.id == func.coalesce(Path.next_video_id, Path.video_id))
        .where(Path.collection_id == collection_id)
    )
    return {(row[0], row[1]): _known_path(row) for row in s.execute(statement)}


def _known_path(row: Any) -> KnownPath:
    return KnownPath(*row[2:10], keys=dict(zip(SERVED_KEY, row[10:], strict=True)))


def attach_path(s: Session, video_id: int, stamp: PathStamp) -> None:
    """Notes that the bytes of `video_id` are at `stamp`. Raises CatalogError when there is no such
    video.

    Where that path led to other bytes, those are served until `finalize_video(video_id)` finds this
    video ready.
    """
    collection_id = s.scalar(select(Video.collection_id).where(Video.id == video_id))
    if collection_id is None:
        raise no_such_video(video_id)
    seen = {
        "size_bytes": stamp.size_bytes,
        "mtime_ns": stamp.mtime_ns,
        "offline": False,
        "seen_at": utc_now(),
    }
    place = {
        "collection_id": collection_id,
        "root": stamp.root,
        "relative_path": stamp.relative_path,
    }
    s.execute(insert_or_ignore(s, Path, tuple(place)), {**place, **seen, "video_id": video_id})
    path = s.execute(select(Path.id, Path.video_id).filter_by(**place)).one()
    next_video_id = None if path.video_id == video_id else video_id
    s.execute(update(Path).where(Path.id == path.id).values(**seen, next_video_id=next_video_id))


def set_offline(s: Session, path_ids: Iterable[int], offline: bool) -> None:
    """Notes whether the files at these paths are there."""
    s.execute(update(Path).where(in_values(s, Path.id, path_ids)).values(offline=offline))


def delete_paths(s: Session, path_ids: Iterable[int]) -> None:
    """Deletes paths of files that moved. A video without any path goes with `remove_orphans`."""
    s.execute(delete(Path).where(in_values(s, Path.id, path_ids)))


def get_paths(s: Session, video_ids: Iterable[int]) -> dict[int, list[PathRow]]:
    """Paths by video, online ones first; those that lead to it now come before those that wait
    for it.
    """
    ids = list(video_ids)
    found: dict[int, list[PathRow]] = {}
    for column in (Path.video_id, Path.next_video_id):
        statement = select(Path).where(in_values(s, column, ids)).order_by(Path.offline, Path.id)
        for path in s.scalars(statement):
            row = PathRow(
                path.id,
                path.root,
                path.relative_path,
                path.offline,
                path.size_bytes,
                path.mtime_ns,
            )
            found.setdefault(getattr(path, column.key), []).append(row)
    return found


def no_such_video(video_id: int) -> CatalogError:
    """The error for a number that no video has."""
    return CatalogError(
        "there is no video {video_id}", "`seekpoint videos` lists them", video_id=video_id
    )
