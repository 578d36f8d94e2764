"""Folders that are ingested again and again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import insert_ignoring, storable
from indexer.catalog.tables import WatchedFolder, utc_now


@dataclass(frozen=True, slots=True)
class Watched:
    id: int
    collection: str
    path: str
    scanned_at: datetime | None
    error: str | None


def watch_folder(s: Session, collection: str, path: str) -> None:
    s.execute(
        insert_ignoring(s, WatchedFolder, ("collection", "path")),
        {"collection": collection, "path": path},
    )


def unwatch_folder(s: Session, folder_id: int) -> None:
    s.execute(delete(WatchedFolder).where(WatchedFolder.id == folder_id))


def watched_folders(s: Session) -> list[Watched]:
    found = s.scalars(select(WatchedFolder).order_by(WatchedFolder.collection, WatchedFolder.path))
    return [Watched(row.id, row.collection, row.path, row.scanned_at, row.error) for row in found]


def note_scan(s: Session, folder_id: int, error: str | None) -> None:
    """`error`: why the last look failed, for people; None: it did not."""
    values = {"scanned_at": utc_now(), "error": None if error is None else storable(error)}
    s.execute(update(WatchedFolder).where(WatchedFolder.id == folder_id).values(**values))
