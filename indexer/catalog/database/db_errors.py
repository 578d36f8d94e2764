"""What a database driver says, in words that a person can act on."""

from __future__ import annotations

import sqlite3

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from indexer.errors import CatalogBusy, CatalogError, SeekpointError, StorageError

# Primary result codes of SQLite: https://www.sqlite.org/rescode.html
_PERM, _BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = (
    3,
    5,
    6,
    8,
    10,
    11,
    13,
    14,
    26,
)


def translate(error: SQLAlchemyError, url: URL) -> SeekpointError:
    place = url.render_as_string(hide_password=True)
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        return _from_sqlite(cause, url.database or place)
    if cause is not None:
        return _from_postgres(cause, place)
    return CatalogError(
        "The catalog {place} could not be used: {error}",
        "seekpoint doctor checks it",
        place=place,
        error=_first_line(error),
    )


def _from_sqlite(error: sqlite3.Error, path: str) -> SeekpointError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    said = _first_line(error)
    if code in (_BUSY, _LOCKED):
        return CatalogError(
            "The catalog {path} is locked by another program",
            "Wait for it to finish, or stop it; then try again",
            path=path,
        )
    if code == _FULL:
        return StorageError(
            "No space left for the catalog {path}",
            "Free space there, then run the same command again",
            path=path,
        )
    if code == _IOERR:
        return StorageError(
            "The disk under the catalog {path} failed ({said})",
            "Check free space, quota and the disk",
            path=path,
            said=said,
        )
    if code in (_PERM, _READONLY, _CANTOPEN):
        return StorageError(
            "The catalog {path} cannot be opened for writing ({said})",
            "Check that its folder exists and is yours to write",
            path=path,
            said=said,
        )
    if code in (_CORRUPT, _NOTADB):
        return CatalogError(
            "The catalog {path} is damaged or is no catalog ({said})",
            "Restore a backup, or move it away and ingest again",
            path=path,
            said=said,
        )
    if "no such table" in said or "no such column" in said:
        return CatalogError(
            "The catalog {path} lacks a table of this version ({said})",
            "Run: seekpoint db upgrade",
            path=path,
            said=said,
        )
    return CatalogError(
        "The catalog {path} refused a statement ({said})",
        "seekpoint doctor checks it",
        path=path,
        said=said,
    )


def _from_postgres(error: BaseException, place: str) -> SeekpointError:
    state = getattr(error, "sqlstate", None) or ""
    said = _first_line(error)
    if state == "28P01" or state == "28000" or "authentication failed" in said:
        return CatalogError(
            "The database {place} refused user or password",
            "Check SEEKPOINT_DATABASE_URL",
            place=place,
        )
    if state == "3D000" or ("database" in said and "does not exist" in said):
        return CatalogError(
            "The server of {place} has no such database",
            "Create it (createdb), then run: seekpoint db upgrade",
            place=place,
        )
    if state in ("53100", "53200"):
        return StorageError(
            "The server of {place} has no space left ({said})",
            "Free space there, then try again",
            place=place,
            said=said,
        )
    if state in ("55P03", "40P01", "40001"):
        return CatalogBusy(
            "The database {place} was busy with the same rows ({said})",
            "Try again",
            place=place,
            said=said,
        )
    if state in ("42P01", "42703"):
        return CatalogError(
            "The database {place} lacks a table of this version ({said})",
            "Run: seekpoint db upgrade",
            place=place,
            said=said,
        )
    if state == "25006":
        return CatalogError(
            "The database {place} is read-only ({said})",
            "Point SEEKPOINT_DATABASE_URL at the primary server",
            place=place,
            said=said,
        )
    if not state or state.startswith(("08", "57P")):
        return CatalogBusy(
            "The database server of {place} is away ({said})",
            "Check that it runs, and SEEKPOINT_DATABASE_URL",
            place=place,
            said=said,
        )
    return CatalogError(
        "The database {place} refused a statement ({said})",
        "seekpoint doctor checks it",
        place=place,
        said=said,
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
