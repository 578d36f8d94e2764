"""Whole copies of a catalog, consistent while others write: a file of SQLite, or a dump of
PostgreSQL by its own programs.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy import func, inspect, select, text
from sqlalchemy.engine import URL

from indexer.catalog.database.session import Catalog
from indexer.catalog.tables.metadata import metadata
from indexer.errors import CatalogError, StorageError, UsageError, os_reason

SQLITE_NAME, POSTGRES_NAME = "catalog.sqlite", "catalog.dump"
TIMEOUT_S = 24 * 3600.0


def dump(catalog: Catalog, folder: Path) -> tuple[Path, dict[str, int]]:
    """Copies the catalog into the folder: the file, and the rows of each table that are in it.

    Raises CatalogError, StorageError; UsageError where PostgreSQL's programs are missing.
    """
    if catalog.sqlite_path is not None:
        copy = folder / SQLITE_NAME
        copy_file(catalog.sqlite_path, copy)
        with Catalog(f"sqlite:///{copy}") as opened:
            return copy, count_rows(opened)
    copy = folder / POSTGRES_NAME
    with catalog.read() as session:
        # The dump and the counts see one state.
        snapshot = session.scalar(text("SELECT pg_export_snapshot()"))
        counts = {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }
        options = ["--format=custom", "--no-owner", f"--snapshot={snapshot}", f"--file={copy}"]
        _run("pg_dump", [*options, f"--dbname={_without_password(catalog.url)}"], catalog.url)
    return copy, counts


def copy_file(source: Path, copy: Path) -> None:
    """A consistent copy of a SQLite file, whoever writes it meanwhile; whole or absent."""
    aside = copy.with_name(f".{copy.name}.part")
    aside.unlink(missing_ok=True)
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(aside)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")
        shutil.copymode(source, aside)
        aside.replace(copy)
    except (OSError, sqlite3.Error) as error:
        aside.unlink(missing_ok=True)
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        raise StorageError(
            "the catalog {path} cannot be copied to {copy}: {reason}",
            "free space there, or choose another folder",
            path=source,
            copy=copy,
            reason=reason,
        ) from error


def load(catalog: Catalog, dumped: Path) -> None:
    """Puts a copy in the place of a catalog that is not there: no file, or an empty database.
    Raises CatalogError, StorageError, UsageError.
    """
    path = catalog.sqlite_path
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in (f"{path}-wal", f"{path}-shm"):
            Path(leftover).unlink(missing_ok=True)
        copy_file(dumped, path)
        return
    options = ["--no-owner", "--exit-on-error", "--single-transaction"]
    _run(
        "pg_restore",
        [*options, f"--dbname={_without_password(catalog.url)}", str(dumped)],
        catalog.url,
    )


def is_there(catalog: Catalog) -> bool:
    """Whether there is a catalog: a file, or a table of ours in the database."""
    if catalog.sqlite_path is not None:
        return catalog.sqlite_path.exists()
    with catalog.read() as session:
        return session.scalar(text("SELECT to_regclass('video')")) is not None


def count_rows(catalog: Catalog) -> dict[str, int]:
    """Rows of each table that this version knows; those that are missing have none."""
    with catalog.read() as session:
        there = set(_table_names(catalog))
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
            if table.name in there
        }


def find_damage(catalog: Catalog) -> str:
    """What SQLite finds wrong with its file; empty where it is whole, and for a server, which has
    read every row that it restored.
    """
    if catalog.sqlite_path is None:
        return ""
    with catalog.read() as session:
        found = [str(row[0]) for row in session.execute(text("PRAGMA integrity_check"))]
        orphans = session.execute(text("PRAGMA foreign_key_check")).first()
    if found != ["ok"]:
        return found[0]
    return "" if orphans is None else f"a row of {orphans[0]} belongs to nothing"


def _table_names(catalog: Catalog) -> list[str]:
    return inspect(catalog.engine).get_table_names()


def _without_password(url: URL) -> str:
    """For the arguments of a program, which everybody on the machine can read: without the
    password.
    """
    plain = url.set(drivername="postgresql", password=None)
    return plain.render_as_string(hide_password=False)


def _run(program: str, arguments: list[str], url: URL) -> None:
    if shutil.which(program) is None:
        raise UsageError(
            "{program} is not installed",
            "install the client programs of PostgreSQL, not older than the server "
            "(Debian: apt install postgresql-client), or add their folder to PATH",
            program=program,
        )
    secret: Mapping[str, str] = {"PGPASSWORD": str(url.password)} if url.password else {}
    done = subprocess.run(
        [program, *arguments],
        env={**os.environ, **secret},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise CatalogError(
            "{program} failed: {reason}",
            "check that it is not older than the server, and SEEKPOINT_DATABASE_URL",
            program=program,
            reason=lines[0],
        )
