from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workers.fleet import Fleet, start_with_tables
from tests.workers.servers import PostgresServer


def needs_redis() -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed (tests/install_tools.sh)")


@pytest.fixture(scope="session")
def tables() -> Iterator[PostgresServer]:
    """A server whose database has the tables of this version; fleets get copies of it."""
    folder = Path(tempfile.mkdtemp(prefix="seekpoint-tables-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user
    server = PostgresServer(folder / "postgres")
    start_with_tables(server)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def fleet(tables: PostgresServer) -> Iterator[Fleet]:
    """Redis, a database and a library of its own; prints what the workers said when the test
    fails.
    """
    needs_redis()
    with Fleet(tables=tables) as made:
        yield made
        print(made.logs())
