"""Files that came through the search page: whose they are, and how much each person may keep."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import count_changed, in_values, is_sqlite
from indexer.catalog.people.owner import belongs_to
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.people import Upload
from indexer.errors import StorageError
from indexer.formatting import format_bytes

STALLED = timedelta(days=1)
_LOCK = 0x5EE4_0003  # of PostgreSQL: one reservation at a time


def reserve_upload(
    s: Session,
    account_id: int | None,
    size_bytes: int,
    quota_bytes: int,
    upload_id: int | None = None,
    *,
    token_id: int | None = None,
) -> int:
    """Room for a file that is coming, or (`upload_id`) more of it, up to `size_bytes` in all: its
    id. Uploads at the same time count together. `quota_bytes` 0: as much as there is. `token_id`:
    of a program that stands for itself.

    Raises StorageError where the person would have more than that.
    """
    if not is_sqlite(s):
        s.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    stalled = Upload.name.is_(None) & (Upload.created_at < utc_now() - STALLED)
    count_changed(s, delete(Upload).where(stalled))
    others = used_bytes(s, account_id, but=upload_id, token_id=token_id)
    if quota_bytes and others + size_bytes > quota_bytes:
        raise StorageError(
            "you have {used} of uploads; {quota} are allowed",
            "delete some of them, or ask whoever runs this page",
            used=format_bytes(others),
            quota=format_bytes(quota_bytes),
        )
    now = utc_now()
    if upload_id is not None:
        same = update(Upload).where(Upload.id == upload_id)
        if count_changed(s, same.values(size_bytes=size_bytes, created_at=now)):
            return upload_id
    own = token_id if account_id is None else None
    upload = Upload(account_id=account_id, token_id=own, size_bytes=size_bytes, created_at=now)
    s.add(upload)
    s.flush()
    return upload.id


def finish_upload(s: Session, upload_id: int, name: str, size_bytes: int) -> None:
    """The file is whole, under this name."""
    count_changed(s, delete(Upload).where(Upload.name == name, Upload.id != upload_id))
    values = {"name": name, "size_bytes": size_bytes, "created_at": utc_now()}
    count_changed(s, update(Upload).where(Upload.id == upload_id).values(**values))


def drop_upload(s: Session, upload_id: int) -> None:
    """The file did not come."""
    count_changed(s, delete(Upload).where(Upload.id == upload_id))


def forget_uploads(s: Session, names: Iterable[str]) -> None:
    """Files of these names are deleted."""
    count_changed(s, delete(Upload).where(in_values(s, Upload.name, names)))


def used_bytes(
    s: Session, account_id: int | None, *, but: int | None = None, token_id: int | None = None
) -> int:
    """What the person, or the program, keeps here, and what is coming."""
    counted = select(func.coalesce(func.sum(Upload.size_bytes), 0))
    counted = counted.where(belongs_to(Upload, account_id, token_id))
    return int(s.scalar(counted if but is None else counted.where(Upload.id != but)) or 0)
