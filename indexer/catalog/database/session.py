"""`Catalog`: one database, an engine per process, three kinds of transaction.

`begin()` writes. On SQLite it takes the write lock at once: a transaction that first reads and then
writes would otherwise fail (SQLITE_BUSY_SNAPSHOT) without waiting when another writer came between.
`read()` sees one consistent state and never waits for writers. `read_replica()` may be a moment
behind.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from indexer.catalog import database
from indexer.catalog.database.change_watcher import ChangeWatcher
from indexer.catalog.database.db_errors import text_error, translate
from indexer.catalog.database.engine import make_engine, parse_url
from indexer.catalog.database.replica import Replica
from indexer.catalog.database.revisions import is_current
from indexer.catalog.objects.frame_store import IN_SESSION, FrameStore
from indexer.errors import CatalogBusy

BUSY_TIMEOUT_S = 30.0
READ_LAG_S = 2.0
RETRY_WAITS_S = (0.2, 1.0, 3.0)

log = logging.getLogger(__name__)

T = TypeVar("T")


class Catalog:
    """The catalog at an SQLAlchemy `url` (`sqlite:///file` or `postgresql://...`).

    Threads may share it; a forked child gets an engine of its own. `busy_timeout_s` is how long a
    writer waits for another one on SQLite. `read_url`: a streaming replica, which may be behind by
    `read_lag_s`; empty: none. `frames`: where frame vectors are written; None: into the database.
    """

    def __init__(
        self,
        url: str,
        *,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        read_url: str = "",
        read_lag_s: float = READ_LAG_S,
        frames: FrameStore | None = None,
    ) -> None:
        self.url = parse_url(url)
        self.frames = frames
        self.replica = (
            Replica(self, Catalog(read_url, frames=frames), read_lag_s) if read_url else None
        )
        self._busy_timeout_s = busy_timeout_s
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._pid = 0
        self._writing = threading.local()
        self._reading = threading.local()

    def __repr__(self) -> str:
        return f"Catalog({self.url.render_as_string(hide_password=True)!r})"

    @property
    def is_sqlite(self) -> bool:
        """Whether the catalog is a file of this machine."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def sqlite_path(self) -> Path | None:
        """File of a SQLite catalog; None for a server."""
        return Path(self.url.database or "") if self.is_sqlite else None

    @property
    def engine(self) -> Engine:
        """The engine of this process."""
        with self._lock:
            if self._engine is None or self._pid != os.getpid():
                if self._engine is not None:
                    # The parent's connections must not be closed from the child: forget them.
                    self._engine.dispose(close=False)
                self._engine = make_engine(self.url, self._busy_timeout_s)
                self._pid = os.getpid()
            return self._engine

    def open(self) -> Catalog:
        """Makes or upgrades a SQLite file; a server of another revision raises CatalogError."""
        if not is_current(self):
            database.migrate.prepare(self)
        return self

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A transaction that writes: committed at the end of the block, rolled back on any error.
        Raises CatalogError, StorageError.

        One thread has one at a time: a second one inside it would wait for the first for ever.
        """
        if getattr(self._writing, "now", False):
            raise RuntimeError(
                "Catalog.begin() inside Catalog.begin(): pass the session on instead"
            )
        self._writing.now = True
        try:
            with self._session(writes=True) as session:
                yield session
        finally:
            self._writing.now = False
        self.require_current()

    def write(self, work: Callable[[Session], T]) -> T:
        """`work` in a transaction of `begin`, up to three times more when a server was unreachable
        or busy: it must be safe to repeat. What `work` returns.
        """
        for wait_s in RETRY_WAITS_S:
            try:
                with self.begin() as session:
                    return work(session)
            except CatalogBusy as error:
                log.warning("%s; trying again in %g s", error.message, wait_s)
                time.sleep(wait_s)
        with self.begin() as session:
            return work(session)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A read-only transaction that sees one state throughout. Raises CatalogError."""
        with self._session(writes=False) as session:
            yield session

    @contextmanager
    def read_replica(self) -> Iterator[Session]:
        """As `read`, from the replica where there is one that shows all that this process wrote and
        is not too far behind; else from the primary. For what others may have written a moment ago
        without anybody being told that it is there.
        """
        chosen = getattr(self._reading, "chosen", None)
        replica = self._usable_replica() if chosen is None else chosen[0]
        with self.read() if replica is None else replica.read() as session:
            yield session

    @contextmanager
    def read_from_one_server(self, *, primary: bool = False) -> Iterator[None]:
        """All of this thread's `read_replica` inside go to the same server: none sees less than one
        before it. `primary`: to that one.
        """
        self._reading.chosen = (None if primary else self._usable_replica(),)
        try:
            yield
        finally:
            self._reading.chosen = None

    def require_current(self) -> None:
        """What anybody committed before this call is seen by `read_replica` in this process after
        it.
        """
        if self.replica is not None:
            self.replica.note_write()

    def _usable_replica(self) -> Replica | None:
        return self.replica if self.replica is not None and self.replica.is_usable() else None

    @contextmanager
    def _session(self, *, writes: bool) -> Iterator[Session]:
        engine = self.engine
        if writes:
            engine = engine.execution_options(seekpoint_writes=True)
        elif not self.is_sqlite:
            engine = engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        try:
            info = {IN_SESSION: self.frames}
            with Session(engine, expire_on_commit=False, info=info) as session, session.begin():
                yield session
        except SQLAlchemyError as error:
            raise translate(error, self.url) from error
        except UnicodeEncodeError as error:  # half of a surrogate pair, which no driver takes
            raise text_error() from error

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection of its own for migrations, in a transaction that writes.

        Foreign keys are off on SQLite: altering a table there copies and drops it, which would
        delete the rows that hang on it.
        """
        engine = make_engine(self.url, self._busy_timeout_s, foreign_keys=False).execution_options(
            seekpoint_writes=True
        )
        try:
            with engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise translate(error, self.url) from error
        finally:
            engine.dispose()

    @contextmanager
    def advisory_lock(self, number: int) -> Iterator[None]:
        """Held by one at a time among all users of a server; a file has nobody else to wait for."""
        if self.is_sqlite:
            yield
            return
        try:
            with self.engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            ) as connection:
                connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": number})
                try:
                    yield
                finally:
                    connection.execute(
                        text("SELECT pg_advisory_unlock(:number)"), {"number": number}
                    )
        except SQLAlchemyError as error:
            raise translate(error, self.url) from error

    @contextmanager
    def outside_transactions(self) -> Iterator[Connection]:
        """A connection of its own to a server whose statements are each their own transaction, as
        building an index beside others needs.

        It is closed at the end, so what was set in its session is gone. Raises CatalogError.
        """
        try:
            with self.engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            ) as connection:
                try:
                    yield connection
                finally:
                    connection.invalidate()
        except SQLAlchemyError as error:
            raise translate(error, self.url) from error

    def ping(self) -> None:
        """Raises CatalogError where the database does not answer."""
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def watch(self) -> ChangeWatcher:
        """Tells cheaply whether anything was committed since it was asked last."""
        return ChangeWatcher(self)

    def close(self) -> None:
        """Closes the idle connections; the catalog can be used again."""
        with self._lock:
            if self._engine is not None and self._pid == os.getpid():
                self._engine.dispose()
            self._engine = None
        if self.replica is not None:
            self.replica.standby.close()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
