"""Engines of SQLAlchemy: how SQLite and PostgreSQL are opened."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from indexer.catalog import database
from indexer.errors import CatalogError, UsageError

CONNECT_TIMEOUT_S = 5
_WRITES = "seekpoint_writes"


def parse_url(url: str) -> URL:
    """Raises UsageError where it is not a URL of SQLite or PostgreSQL."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise UsageError(
            "SEEKPOINT_DATABASE_URL={url!r} is not a database URL: {error}",
            "use sqlite:////path/of/file or postgresql://user:password@host/database",
            url=url,
            error=error,
        ) from None
    if backend not in ("sqlite", "postgresql"):
        raise UsageError(
            "SEEKPOINT_DATABASE_URL names {backend}, which is not supported",
            "use sqlite:////path/of/file or postgresql://user:password@host/database",
            backend=backend,
        )
    if backend == "sqlite" and not parsed.database:
        raise UsageError(
            "SEEKPOINT_DATABASE_URL names SQLite without a file",
            "use sqlite:////path/of/file or postgresql://user:password@host/database",
        )
    return parsed


def make_engine(url: URL, busy_timeout_s: float, *, foreign_keys: bool = True) -> Engine:
    """Raises CatalogError where the driver is not installed. `foreign_keys`: of SQLite."""
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, busy_timeout_s, foreign_keys=foreign_keys)
    options = {"connect_timeout": CONNECT_TIMEOUT_S}
    database.postgresql.adapt_tables()
    try:
        return create_engine(url, pool_pre_ping=True, connect_args=options, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise CatalogError(
            "PostgreSQL needs the Python package {name}",
            "pip install 'seekpoint[postgres]'",
            name=error.name,
        ) from None


def _sqlite_engine(url: URL, busy_timeout_s: float, *, foreign_keys: bool) -> Engine:
    # What people asked must not stand in a log: an error shows no values of its statement.
    engine = create_engine(url, connect_args={"timeout": busy_timeout_s}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # The driver must not begin transactions of its own: the listener below does.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(busy_timeout_s * 1000)}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.execute("PRAGMA cache_size = -65536")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        # As strict as a server; there are many transactions, so only a change is said.
        if connection.info.get(_WRITES) is not writes:
            connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
            connection.info[_WRITES] = writes
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
