"""Folders that are ingested again and again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import count_changed, insert_or_ignore
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.work import WatchedFolder
from indexer.messages import Message


@dataclass(frozen=True, slots=True)
class WatchedFolderRow:
    """`scanned_at`: when it was looked into last; `error`: why that failed."""

    id: int
    collection: str
    path: str
    scanned_at: datetime | None
    error: Message | None


def watch_folder(s: Session, collection: str, path: str) -> None:
    """The folder is ingested into the collection again and again from now on."""
    s.execute(
        insert_or_ignore(s, WatchedFolder, ("collection", "path")),
        {"collection": collection, "path": path},
    )


def unwatch_folder(s: Session, folder_id: int) -> None:
    """The folder is left alone from now on; its videos stay."""
    s.execute(delete(WatchedFolder).where(WatchedFolder.id == folder_id))


def list_watched_folders(s: Session) -> list[WatchedFolderRow]:
    """All folders, by collection and path."""
    found = s.scalars(select(WatchedFolder).order_by(WatchedFolder.collection, WatchedFolder.path))
    return [
        WatchedFolderRow(row.id, row.collection, row.path, row.scanned_at, row.error)
        for row in found
    ]


def claim_scan(s: Session, folder_id: int, age_s: float) -> bool:
    """Whether the folder was looked into longer ago than that: it counts as looked into now, so
    that one process of many looks.
    """
    is_due = or_(
        WatchedFolder.scanned_at.is_(None),
        WatchedFolder.scanned_at <= utc_now() - timedelta(seconds=age_s),
    )
    due = update(WatchedFolder).where(WatchedFolder.id == folder_id, is_due)
    return count_changed(s, due.values(scanned_at=utc_now())) > 0


def note_scan(s: Session, folder_id: int, error: Message | None) -> None:
    """Notes that the folder was looked into now. `error`: why that failed; None: it did not."""
    values = {"scanned_at": utc_now(), "error": error}
    s.execute(update(WatchedFolder).where(WatchedFolder.id == folder_id).values(**values))
