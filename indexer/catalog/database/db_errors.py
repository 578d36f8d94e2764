"""What a database driver reports, in words that a person can act on, told by the driver's codes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from indexer.errors import CatalogBusy, CatalogError, SeekpointError, StorageError

Translation = Callable[[str, str], SeekpointError]
"""From the catalog's place and the driver's words to the error that a person sees."""


def _refused(place: str, detail: str) -> SeekpointError:
    return CatalogError(
        "the catalog {place} refused a statement ({detail})",
        "`seekpoint doctor` checks it",
        place=place,
        detail=detail,
    )


def _old_tables(place: str, detail: str) -> SeekpointError:
    return CatalogError(
        "the catalog {place} lacks a table or column of this version ({detail})",
        "run: seekpoint db upgrade",
        place=place,
        detail=detail,
    )


def _no_space(place: str, detail: str) -> SeekpointError:
    return StorageError(
        "no space left for the catalog {place} ({detail})",
        "free space there, then run the same command again",
        place=place,
        detail=detail,
    )


# --- SQLite ---


def _locked(place: str, detail: str) -> SeekpointError:
    del detail
    return CatalogError(
        "the catalog {place} is locked by another program",
        "wait for it to finish, or stop it; then try again",
        place=place,
    )


def _not_writable(place: str, detail: str) -> SeekpointError:
    return StorageError(
        "the catalog {place} cannot be opened for writing ({detail})",
        "check that its folder exists and is yours to write",
        place=place,
        detail=detail,
    )


def _damaged(place: str, detail: str) -> SeekpointError:
    return CatalogError(
        "the catalog {place} is damaged or is not a catalog ({detail})",
        "restore a backup, or move it away and ingest again",
        place=place,
        detail=detail,
    )


def _disk_failed(place: str, detail: str) -> SeekpointError:
    return StorageError(
        "the disk under the catalog {place} failed ({detail})",
        "check free space, quota and the disk",
        place=place,
        detail=detail,
    )


# Primary result codes: https://www.sqlite.org/rescode.html
_SQLITE: dict[int, Translation] = {
    # SQLITE_ERROR: our statements are the same for every catalog, so its tables are others.
    1: _old_tables,
    3: _not_writable,  # SQLITE_PERM
    5: _locked,  # SQLITE_BUSY
    6: _locked,  # SQLITE_LOCKED
    8: _not_writable,  # SQLITE_READONLY
    10: _disk_failed,  # SQLITE_IOERR
    11: _damaged,  # SQLITE_CORRUPT
    13: _no_space,  # SQLITE_FULL
    14: _not_writable,  # SQLITE_CANTOPEN
    26: _damaged,  # SQLITE_NOTADB
}

# --- PostgreSQL ---


def _wrong_password(place: str, detail: str) -> SeekpointError:
    del detail
    return CatalogError(
        "the database {place} refused user or password",
        "check SEEKPOINT_DATABASE_URL",
        place=place,
    )


def _no_database(place: str, detail: str) -> SeekpointError:
    del detail
    return CatalogError(
        "the server of {place} has no such database",
        "create it (createdb), then run: seekpoint db upgrade",
        place=place,
    )


def _busy(place: str, detail: str) -> SeekpointError:
    return CatalogBusy(
        "the database {place} was busy with the same rows ({detail})",
        "try again",
        place=place,
        detail=detail,
    )


def _read_only(place: str, detail: str) -> SeekpointError:
    return CatalogError(
        "the database {place} is read-only ({detail})",
        "point SEEKPOINT_DATABASE_URL at the primary server",
        place=place,
        detail=detail,
    )


def _unreachable(place: str, detail: str) -> SeekpointError:
    return CatalogBusy(
        "the database server of {place} is unreachable ({detail})",
        "check that it runs, and SEEKPOINT_DATABASE_URL",
        place=place,
        detail=detail,
    )


# SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRES: dict[str, Translation] = {
    "28P01": _wrong_password,
    "28000": _wrong_password,
    "3D000": _no_database,
    "53100": _no_space,  # disk_full
    "53200": _no_space,  # out_of_memory
    "55P03": _busy,  # lock_not_available
    "40P01": _busy,  # deadlock_detected
    "40001": _busy,  # serialization_failure
    "42P01": _old_tables,  # undefined_table
    "42703": _old_tables,  # undefined_column
    "25006": _read_only,
}
_LOST_CONNECTION = ("08", "57P")  # classes: connection exception, operator intervention


def translate(error: SQLAlchemyError, url: URL) -> SeekpointError:
    """The error that a person sees in place of the driver's. `url`: that of the catalog."""
    place = url.render_as_string(hide_password=True)
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        return _SQLITE.get(code, _refused)(url.database or place, _first_line(cause))
    if cause is not None:
        return _from_sqlstate(cause)(place, _first_line(cause))
    return CatalogError(
        "the catalog {place} could not be used: {detail}",
        "`seekpoint doctor` checks it",
        place=place,
        detail=_first_line(error),
    )


def _from_sqlstate(error: BaseException) -> Translation:
    state = getattr(error, "sqlstate", None)
    if not state:
        return _from_refusal(_first_line(error))
    if state.startswith(_LOST_CONNECTION):
        return _unreachable
    return _POSTGRES.get(state, _refused)


def _from_refusal(detail: str) -> Translation:
    """libpq gives no code for a connection that was refused, only the server's sentence: where that
    is not English, the answer is that the server is unreachable, with its sentence.
    """
    if "authentication failed" in detail:
        return _wrong_password
    if "database" in detail and "does not exist" in detail:
        return _no_database
    return _unreachable


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
