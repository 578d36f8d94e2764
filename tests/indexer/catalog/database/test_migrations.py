"""Every database gets to this revision and back, and only a file is upgraded without being asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, inspect, text

from indexer.catalog import Catalog, rows
from indexer.catalog.database import migrate
from indexer.errors import CatalogError, StorageError
from tests.indexer.catalog import support


@pytest.fixture(params=["sqlite", "postgres"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without anything in it."""
    return (
        f"sqlite:///{tmp_path}/home/catalog.sqlite"
        if request.param == "sqlite"
        else request.getfixturevalue("new_postgres_url")
    )


def table_names(url: str) -> set[str]:
    engine = create_engine(url)
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    return names


def test_upgrade_check_downgrade_and_up_again(new_url: str):
    assert migrate.revision(new_url) is None
    migrate.upgrade(new_url)
    migrate.upgrade(new_url)
    assert migrate.revision(new_url) == migrate.head()
    migrate.check(new_url)
    with Catalog(new_url).open() as catalog:
        support.add_ready(catalog, ["a.mp4"], np.random.default_rng(0))
    migrate.downgrade(new_url)
    assert migrate.revision(new_url) is None
    assert table_names(new_url) <= {"alembic_version"}
    migrate.upgrade(new_url)
    migrate.check(new_url)


def test_check_notices_a_difference(new_url: str):
    migrate.upgrade(new_url)
    engine = create_engine(new_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE video ADD COLUMN colour TEXT"))
    engine.dispose()
    with pytest.raises(CatalogError, match="differ"):
        migrate.check(new_url)


def test_a_file_is_made_and_upgraded_when_it_is_opened(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/deep/home/catalog.sqlite"
    with Catalog(url).open() as catalog:
        support.add_video(catalog, "a.mp4")
    assert migrate.revision(url) == migrate.head()


def test_a_server_is_not_upgraded_without_being_asked(new_postgres_url: str):
    with pytest.raises(CatalogError, match=r"no tables yet.*seekpoint db upgrade"):
        Catalog(new_postgres_url).open()
    migrate.upgrade(new_postgres_url)
    Catalog(new_postgres_url).open().close()


def test_a_database_of_a_newer_version_is_refused(new_url: str):
    migrate.upgrade(new_url)
    engine = create_engine(new_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for attempt in (lambda: Catalog(new_url).open(), lambda: migrate.upgrade(new_url)):
        with pytest.raises(CatalogError, match=r"revision 9999, which is newer.*upgrade Seekpoint"):
            attempt()


OPEN = """
import sys
from indexer.catalog import Catalog, collections
with Catalog(sys.argv[1]).open() as catalog, catalog.begin() as s:
    print(collections.ensure_collection(s, "films"))
"""


def test_processes_that_start_at_once_make_one_catalog(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=100) for process in processes]
    assert [out for out, _ in outputs] == ["1\n"] * 3, outputs


def test_a_home_that_cannot_be_made_is_a_storage_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be made"):
        Catalog(f"sqlite:///{tmp_path}/file/catalog.sqlite").open()


def test_altering_a_table_of_a_file_keeps_the_rows_that_hang_on_it(sqlite_catalog: Catalog):
    """Batch mode copies and drops the table; with foreign keys on, that would empty the tables
    below it.
    """
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    support.add_ready(sqlite_catalog, ["a.mp4"], np.random.default_rng(0))
    with sqlite_catalog.connect() as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("work", recreate="always") as batch:
            batch.alter_column("priority", nullable=True)
    with sqlite_catalog.read() as s:
        assert rows.usage(s).segments == 8


def test_migrations_write_nothing_to_stdout(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    migrate.upgrade(url)
    migrate.check(url)
    migrate.downgrade(url)
    assert capfd.readouterr().out == ""
