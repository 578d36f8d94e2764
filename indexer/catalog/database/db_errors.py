"""What a database driver reports, in words that a person can act on, told by the driver's codes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from indexer.errors import CatalogBusy, CatalogError, SeekpointError, StorageError, UsageError

Translation = Callable[[str, str], SeekpointError]
"""From the catalog's place and the driver's words to the error that a person sees."""


def _statement_error(place: str, detail: str) -> SeekpointError:
    return CatalogError(
        "the catalog {place} refused a statement ({detail})",
        "`seekpoint doctor` checks it",
        place=place,
        detail=detail,
    )


def _schema_error(place: str, detail: str) -> SeekpointError:
    return CatalogError(
        "the catalog {place} lacks a table or column of this version ({detail})",
        "run: seekpoint db upgrade",
        place=place,
        detail=detail,
    )


def _space_error(place: str, detail: str) -> SeekpointError:
    return StorageError(
        "no space left for the catalog {place} ({detail})",
        "free space there, then run the same command again",
        place=place,
        detail=detail,
    )


def text_error(place: str = "", detail: str = "") -> SeekpointError:
    """Of text with NUL or half of a surrogate pair."""
    del place, detail
    return UsageError(
        "a text has a NUL character, or bytes that are not UTF-8", "write it as text in UTF-8"
    )


# --- SQLite ---


def _lock_error(place: str, detail: str) -> SeekpointError:
    del detail
    return CatalogError(
        "the catalog {place} is locked by another program",
        "wait for it to finish, or stop it; then try again",
        place=place,
    )


def _write_error(place: str, detail: str) -> SeekpointError:
    return StorageError(
        "the catalog {place} cannot be opened for writing ({detail})",
        "check that its folder exists and is yours to write",
        place=place,
        detail=detail,
    )


def _damage_error(place: str, detail: str) -> SeekpointError:
    return CatalogError(
        "the catalog {place} is damaged or is not a catalog ({detail})",
        "restore a backup, or move it away and ingest again",
        place=place,
        detail=detail,
    )


def _disk_error(place: str, detail: str) -> SeekpointError:
    return StorageError(
        "the disk under the catalog {place} failed ({detail})",
        "check free space, quota and the disk",
        place=place,
        detail=detail,
    )


# Primary result codes: https://www.sqlite.org/rescode.html
_SQLITE: dict[int, Translation] = {
    # SQLITE_ERROR: our statements are the same for every catalog, so its tables are others.
    1: _schema_error,
    3: _write_error,  # SQLITE_PERM
    5: _lock_error,  # SQLITE_BUSY
    6: _lock_error,  # SQLITE_LOCKED
    8: _write_error,  # SQLITE_READONLY
    10: _disk_error,  # SQLITE_IOERR
    11: _damage_error,  # SQLITE_CORRUPT
    13: _space_error,  # SQLITE_FULL
    14: _write_error,  # SQLITE_CANTOPEN
    26: _damage_error,  # SQLITE_NOTADB
}

# --- PostgreSQL ---


def _password_error(place: str, detail: str) -> SeekpointError:
    del detail
    return CatalogError(
        "the database {place} refused user or password",
        "check SEEKPOINT_DATABASE_URL",
        place=place,
    )


def _database_error(place: str, detail: str) -> SeekpointError:
    del detail
    return CatalogError(
        "the server of {place} has no such database",
        "create it (createdb), then run: seekpoint db upgrade",
        place=place,
    )


def _busy_error(place: str, detail: str) -> SeekpointError:
    return CatalogBusy(
        "the database {place} was busy with the same rows ({detail})",
        "try again",
        place=place,
        detail=detail,
    )


def _read_only_error(place: str, detail: str) -> SeekpointError:
    return CatalogError(
        "the database {place} is read-only ({detail})",
        "point SEEKPOINT_DATABASE_URL at the primary server",
        place=place,
        detail=detail,
    )


def _unreachable_error(place: str, detail: str) -> SeekpointError:
    return CatalogBusy(
        "the database server of {place} is unreachable ({detail})",
        "check that it runs, and SEEKPOINT_DATABASE_URL",
        place=place,
        detail=detail,
    )


# SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRES: dict[str, Translation] = {
    "28P01": _password_error,
    "28000": _password_error,
    "3D000": _database_error,
    "53100": _space_error,  # disk_full
    "53200": _space_error,  # out_of_memory
    "55P03": _busy_error,  # lock_not_available
    "40P01": _busy_error,  # deadlock_detected
    "40001": _busy_error,  # serialization_failure
    "42P01": _schema_error,  # undefined_table
    "42703": _schema_error,  # undefined_column
    "25006": _read_only_error,
    "22021": text_error,  # character_not_in_repertoire
}
_LOST_CONNECTION = ("08", "57P")  # classes: connection exception, operator intervention


def translate(error: SQLAlchemyError, url: URL) -> SeekpointError:
    """The error that a person sees in place of the driver's. `url`: that of the catalog."""
    place = url.render_as_string(hide_password=True)
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        return _SQLITE.get(code, _statement_error)(url.database or place, _first_line(cause))
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
        return _unreachable_error
    return _POSTGRES.get(state, _statement_error)


def _from_refusal(detail: str) -> Translation:
    """libpq gives no code for a connection that was refused, only the server's sentence: where that
    is not English, the answer is that the server is unreachable, with its sentence.
    """
    if "NUL (0x00)" in detail:  # the driver itself refuses it
        return text_error
    if "authentication failed" in detail:
        return _password_error
    if "database" in detail and "does not exist" in detail:
        return _database_error
    return _unreachable_error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
