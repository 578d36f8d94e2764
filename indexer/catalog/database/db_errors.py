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
        "the catalog {place} could not be used: {error}",
        "run: seekpoint doctor",
        place=place,
        error=_first_line(error),
    )


def _from_sqlite(error: sqlite3.Error, path: str) -> SeekpointError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    said = _first_line(error)
    if code in (_BUSY, _LOCKED):
        return CatalogError(
            "the catalog {path} is locked by another program",
            "wait for it to finish, or stop it; then try again",
            path=path,
        )
    if code == _FULL:
        return StorageError(
            "no space left for the catalog {path}",
            "free space there, then run the same command again",
            path=path,
        )
    if code == _IOERR:
        return StorageError(
            "the disk under the catalog {path} failed ({reason})",
            "check free space, quota and the disk",
            path=path,
            reason=said,
        )
    if code in (_PERM, _READONLY, _CANTOPEN):
        return StorageError(
            "the catalog {path} cannot be opened for writing ({reason})",
            "check that its folder exists and is yours to write",
            path=path,
            reason=said,
        )
    if code in (_CORRUPT, _NOTADB):
        return CatalogError(
            "the catalog {path} is damaged or not a catalog ({reason})",
            "restore a backup, or move it away and ingest again",
            path=path,
            reason=said,
        )
    if "no such table" in said or "no such column" in said:
        return CatalogError(
            "the catalog {path} lacks a table of this version ({reason})",
            "run: seekpoint db upgrade",
            path=path,
            reason=said,
        )
    return CatalogError(
        "the catalog {path} refused a statement ({reason})",
        "run: seekpoint doctor",
        path=path,
        reason=said,
    )


def _from_postgres(error: BaseException, place: str) -> SeekpointError:
    state = getattr(error, "sqlstate", None) or ""
    said = _first_line(error)
    if state == "28P01" or state == "28000" or "authentication failed" in said:
        return CatalogError(
            "the database {place} refused user or password",
            "check SEEKPOINT_DATABASE_URL",
            place=place,
        )
    if state == "3D000" or ("database" in said and "does not exist" in said):
        return CatalogError(
            "the server of {place} has no such database",
            "create it (createdb), then run: seekpoint db upgrade",
            place=place,
        )
    if state in ("53100", "53200"):
        return StorageError(
            "the server of {place} has no space left ({reason})",
            "free space there, then try again",
            place=place,
            reason=said,
        )
    if state in ("55P03", "40P01", "40001"):
        return CatalogBusy(
            "the database {place} was busy with the same rows ({reason})",
            "try again",
            place=place,
            reason=said,
        )
    if state in ("42P01", "42703"):
        return CatalogError(
            "the database {place} lacks a table of this version ({reason})",
            "run: seekpoint db upgrade",
            place=place,
            reason=said,
        )
    if state == "25006":
        return CatalogError(
            "the database {place} is read-only ({reason})",
            "point SEEKPOINT_DATABASE_URL at the primary server",
            place=place,
            reason=said,
        )
    if not state or state.startswith(("08", "57P")):
        return CatalogBusy(
            "the database server of {place} is unreachable ({reason})",
            "check that it runs, and SEEKPOINT_DATABASE_URL",
            place=place,
            reason=said,
        )
    return CatalogError(
        "the database {place} refused a statement ({reason})",
        "run: seekpoint doctor",
        place=place,
        reason=said,
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
