"""Revisions of the tables: what a database has, what this version needs, and how to get from one to
the other.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from filelock import FileLock, Timeout
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from indexer.catalog.database import copies
from indexer.catalog.database.session import Catalog
from indexer.catalog.leasing.processes import LIVE_S
from indexer.catalog.vectors.vector_query import GRAPH_PREFIX
from indexer.errors import CatalogError, StorageError, UsageError, os_reason
from indexer.paths import make_private_file, make_private_folder

LOCK_TIMEOUT_S = 120
KEPT_COPIES = 2
# Two programs that upgrade one server at once take turns by this number of an advisory lock.
_ADVISORY_LOCK = 0x5EE4_0001
# The word index, and the vector indexes of a server, which come and go with the keys.
NOT_COMPARED = ("passage_words", "ix_passage_words", *GRAPH_PREFIX.values())


def prepare(catalog: Catalog) -> None:
    """Brings a SQLite file to this version; a server of another revision is an error, since other
    machines may be using it.
    """
    path = catalog.sqlite_path
    if path is not None:
        if _make_file(path) or _revision(catalog) != head():
            _upgrade(catalog)
        return
    found = _revision(catalog)
    if found == head():
        return
    _refuse_newer(found, catalog.url)
    if found is None:
        raise CatalogError(
            "the database {place} has no tables yet",
            "run: seekpoint db upgrade",
            place=catalog.url.render_as_string(hide_password=True),
        )
    raise CatalogError(
        "the database {place} has tables of revision {found}, this version needs {needed}",
        "run: seekpoint db upgrade",
        place=catalog.url.render_as_string(hide_password=True),
        found=found,
        needed=head(),
    )


def upgrade(url: str) -> None:
    """Brings the database at `url` to the revision of this version. Raises CatalogError,
    StorageError.
    """
    with Catalog(url) as catalog:
        if catalog.sqlite_path is not None:
            _make_file(catalog.sqlite_path)
        _upgrade(catalog)


def require_idle(url: str) -> None:
    """Raises UsageError where a server is to be migrated while workers or pages report."""
    with Catalog(url) as catalog:
        found = None if catalog.is_sqlite else _revision(catalog)
        if found in (None, head()):
            return
        with catalog.read() as session:
            reported = _live_processes(session)
    if reported:
        raise UsageError(
            "workers or pages of an older version are at work: {processes}",
            "stop them, then migrate; one that was killed is forgotten after {seconds:g} s; or say "
            "--anyway",
            processes=", ".join(reported),
            seconds=LIVE_S,
        )


def _live_processes(session: Session) -> list[str]:
    """Read by name: the tables may be those of an older revision."""
    if session.scalar(text("SELECT to_regclass('process')")) is None:
        return []
    live = text(
        "SELECT owner FROM process "
        "WHERE seen_at_s >= extract(epoch FROM clock_timestamp()) - :live_s ORDER BY owner"
    )
    return list(session.scalars(live, {"live_s": LIVE_S}))


def downgrade(url: str, revision: str = "base") -> None:
    """Takes the database back to an older revision (`base`: no tables). Rows that the older tables
    cannot hold are lost.
    """
    with Catalog(url) as catalog, _lock(catalog) as connection:
        command.downgrade(_config(connection), revision)


def check(url: str) -> None:
    """Raises CatalogError when the tables of the database are not those of the models."""
    with Catalog(url) as catalog, catalog.connect() as connection:
        try:
            command.check(_config(connection))
        except CommandError as error:
            raise CatalogError(
                "tables and models differ: {error}",
                "write a migration for the difference",
                error=error,
            ) from error


def revision(url: str) -> str | None:
    """Revision of the database at `url`; None: no tables yet."""
    with Catalog(url) as catalog:
        path = catalog.sqlite_path
        return None if path is not None and not path.exists() else _revision(catalog)


@cache
def head() -> str:
    """Revision that this version needs."""
    newest = _scripts().get_current_head()
    if newest is None:
        raise CatalogError("no migrations are installed", "install seekpoint again")
    return newest


def is_compared(name: str | None, kind: str, parents: object) -> bool:
    """Which database objects Alembic compares with the models: not what each database keeps in a
    way of its own.
    """
    del parents
    return not (kind in ("table", "column", "index") and (name or "").startswith(NOT_COMPARED))


def _upgrade(catalog: Catalog) -> None:
    with _lock(catalog) as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        _refuse_newer(found, catalog.url)
        if found != head():
            _keep_copy(catalog, found)
            command.upgrade(_config(connection), "head")


def _keep_copy(catalog: Catalog, found: str | None) -> None:
    """A SQLite file as it was before it is migrated; the last two such copies are kept."""
    path = catalog.sqlite_path
    if path is None or found is None:
        return
    copy = path.with_name(f"{path.name}.before-{head()}-was-{found}")
    copies.copy_file(path, copy)
    make_private_file(copy)
    kept = sorted(path.parent.glob(f"{path.name}.before-*"), key=lambda one: one.stat().st_mtime)
    for old in kept[:-KEPT_COPIES]:
        old.unlink(missing_ok=True)


def _revision(catalog: Catalog) -> str | None:
    with catalog.read() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def _refuse_newer(found: str | None, url: URL) -> None:
    if found is not None and found not in _known_revisions():
        place = url.render_as_string(hide_password=True)
        raise CatalogError(
            "the catalog {place} has revision {found}, which is newer than this version of "
            "Seekpoint",
            "upgrade Seekpoint",
            place=place,
            found=found,
        )


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(None))


@cache
def _known_revisions() -> frozenset[str]:
    return frozenset(script.revision for script in _scripts().walk_revisions())


def _config(connection: Connection | None) -> Config:
    config = Config(stdout=io.StringIO())  # stdout belongs to the command's own answer
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _lock(catalog: Catalog) -> Iterator[Connection]:
    path = catalog.sqlite_path
    if path is None:
        with catalog.connect() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            yield connection
        return
    try:
        with FileLock(f"{path}.lock", timeout=LOCK_TIMEOUT_S), catalog.connect() as connection:
            yield connection
    except Timeout:
        raise CatalogError(
            "another program has been upgrading {path} for {lock_timeout_s} s",
            "stop it, then try again",
            path=path,
            lock_timeout_s=LOCK_TIMEOUT_S,
        ) from None
    except PermissionError as error:
        raise StorageError(
            "{filename} cannot be written",
            "check that the folder is yours to write",
            filename=error.filename,
        ) from None


def _make_file(path: Path) -> bool:
    """The file with its folder, for its owner alone; whether it was not there."""
    try:
        make_private_folder(path.parent, is_ours=path.exists())
        if path.exists():
            return False
        # SQLite gives the files beside it the same mode. Another process may have been faster.
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StorageError(
            "the folder {folder} cannot be made ({reason})",
            "choose another SEEKPOINT_HOME",
            folder=path.parent,
            reason=os_reason(error),
        ) from None
    return True
