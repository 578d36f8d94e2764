"""Transactions, and what people are text when a database cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, make_url, text

from indexer.catalog import Catalog, collections, videos
from indexer.catalog.vectors.live_chunks import get_live_state
from indexer.errors import CatalogError, StorageError, UsageError
from tests.indexer.catalog import support


def test_an_error_rolls_everything_back(catalog: Catalog):
    def fail_after_writing() -> None:
        with catalog.begin() as s:
            collections.ensure_collection(s, "films")
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_writing()
    with catalog.read() as s:
        assert collections.list_collections(s) == []


def test_a_reader_sees_one_state_and_does_not_wait_for_writers(catalog: Catalog):
    rng = np.random.default_rng(0)
    support.add_ready(catalog, ["a.mp4"], rng)
    with catalog.read() as s:
        before = get_live_state(s, "k1")

        def write() -> None:
            support.add_ready(catalog, ["b.mp4"], rng)

        writer = threading.Thread(target=write)
        writer.start()
        writer.join(60)
        assert not writer.is_alive()
        assert get_live_state(s, "k1") == before
    with catalog.read() as s:
        assert get_live_state(s, "k1") != before


def test_a_reader_may_not_write(catalog: Catalog):
    with pytest.raises((CatalogError, StorageError)), catalog.read() as s:
        collections.ensure_collection(s, "films")
    with catalog.begin() as s:
        collections.ensure_collection(s, "films")


def test_a_transaction_inside_a_transaction_is_refused_at_once(catalog: Catalog):
    with catalog.begin(), pytest.raises(RuntimeError, match="inside"), catalog.begin():
        pass
    with catalog.begin() as s:
        collections.ensure_collection(s, "films")


def test_many_threads_write_in_turn(catalog: Catalog):
    def work(number: int) -> None:
        for step in range(5):
            with catalog.begin() as s:
                collections.list_collections(s)
                collections.ensure_collection(s, f"{number}-{step}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with catalog.read() as s:
        assert len(collections.list_collections(s)) == 30


def test_watch_notices_every_commit_and_nothing_else(sqlite_catalog: Catalog):
    watch = sqlite_catalog.watch()
    assert watch.has_changed()
    assert not watch.has_changed()
    with sqlite_catalog.read() as s:
        collections.list_collections(s)
    assert not watch.has_changed()
    with sqlite_catalog.begin() as s:
        collections.ensure_collection(s, "films")
    assert watch.has_changed()
    assert not watch.has_changed()
    watch.close()


def test_a_forked_child_gets_connections_of_its_own(catalog_url: str):
    program = """
import os, sys
from indexer.catalog import Catalog, collections
catalog = Catalog(sys.argv[1])
with catalog.begin() as s:
    collections.ensure_collection(s, "parent")
pid = os.fork()
if pid == 0:
    with catalog.begin() as s:
        collections.ensure_collection(s, "child")
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
with catalog.begin() as s:
    assert len(collections.list_collections(s)) == 2
"""
    done = subprocess.run(
        [sys.executable, "-c", program, catalog_url],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_locked_file_is_named(sqlite_catalog: Catalog):
    impatient = Catalog(str(sqlite_catalog.url), busy_timeout_s=0.1)
    with sqlite_catalog.begin() as s:
        collections.ensure_collection(s, "films")
        with (
            pytest.raises(CatalogError, match=r"locked by another program.*wait"),
            impatient.begin() as other,
        ):
            collections.ensure_collection(other, "clips")


def test_a_file_that_is_no_database_is_named(tmp_path: Path):
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(CatalogError, match=r"catalog.sqlite is damaged or is not a catalog"):
        Catalog(f"sqlite:///{path}").open()


def test_a_catalog_without_tables_says_how_to_make_them(tmp_path: Path):
    with (
        pytest.raises(CatalogError, match=r"lacks a table.*seekpoint db upgrade"),
        Catalog(f"sqlite:///{tmp_path}/x.sqlite").read() as s,
    ):
        collections.list_collections(s)


def fill(catalog: Catalog) -> None:
    rng = np.random.default_rng(0)
    for number in range(1000):
        support.add_ready(catalog, [f"{number}.mp4"], rng, chunks=1)


def test_a_full_database_is_a_storage_error_and_keeps_what_was(sqlite_catalog: Catalog):
    support.add_ready(sqlite_catalog, ["first.mp4"], np.random.default_rng(0))

    with sqlite_catalog.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 20}")
    with pytest.raises(StorageError, match=r"no space left.*free space"):
        fill(sqlite_catalog)
    with sqlite_catalog.read() as s:
        ready = videos.list_videos(s, states=["ready"])
        assert ready[0].paths[0].relative_path == "first.mp4"
        live = get_live_state(s, "k1").chunks
        assert live == sum(1 if video.duration_s == 90 else 2 for video in ready)


def test_a_disk_that_takes_no_more_is_a_storage_error(sqlite_catalog: Catalog):
    program = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
from indexer.catalog import Catalog
from indexer.errors import StorageError
from tests.indexer.catalog.database.test_session import fill
try:
    fill(Catalog(sys.argv[1]))
except StorageError as error:
    print("storage error:", error)
"""
    command = [sys.executable, "-c", program, str(sqlite_catalog.url)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert "storage error:" in done.stdout, done.stderr
    with sqlite_catalog.read() as s:
        assert get_live_state(s, "k1").chunks == len(videos.list_videos(s, states=["ready"])) > 0


def test_a_server_that_is_unreachable_is_named_soon(postgres_url: str, tmp_path: Path):
    nowhere = make_url(postgres_url).update_query_dict({"host": str(tmp_path)})
    started = time.monotonic()
    with pytest.raises(CatalogError, match="is unreachable"):
        Catalog(nowhere.render_as_string(hide_password=False)).open()
    with pytest.raises(CatalogError, match="is unreachable"):
        Catalog("postgresql://someone:secret@127.0.0.1:9/catalog").open()
    assert time.monotonic() - started < 10


def test_a_missing_database_is_named(postgres_url: str):
    with pytest.raises(CatalogError, match=r"no such database.*createdb"):
        Catalog(
            make_url(postgres_url).set(database="nowhere").render_as_string(hide_password=False)
        ).open()


def test_a_wrong_password_is_named_and_not_shown(postgres_url: str):
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        rules = Path(connection.execute(text("SHOW hba_file")).scalar_one())
        before = rules.read_text()
        connection.execute(text("DROP ROLE IF EXISTS guarded"))
        connection.execute(text("CREATE ROLE guarded LOGIN PASSWORD 'right'"))
        rules.write_text("local all guarded scram-sha-256\n" + before)
        connection.execute(text("SELECT pg_reload_conf()"))
        url = make_url(postgres_url).set(username="guarded", password="wrong-secret")
        try:
            message = ""
            deadline = time.monotonic() + 10
            while not message and time.monotonic() < deadline:  # until the new rule is in force
                message = _error_of(url.render_as_string(hide_password=False))
            assert "refused user or password" in message
            assert "wrong-secret" not in message
        finally:
            rules.write_text(before)
            connection.execute(text("SELECT pg_reload_conf()"))
            connection.execute(text("DROP ROLE guarded"))
    engine.dispose()


def _error_of(url: str) -> str:
    try:
        with Catalog(url).read() as s:
            s.execute(text("SELECT 1"))
    except CatalogError as error:
        return str(error)
    return ""


def test_a_connection_that_was_cut_is_replaced(new_postgres_url: str):
    from indexer.catalog.database.migrate import upgrade

    upgrade(new_postgres_url)
    with Catalog(new_postgres_url).open() as catalog, Catalog(new_postgres_url).open() as other:
        with catalog.begin() as s:
            collections.ensure_collection(s, "films")

        def lose_the_connection() -> None:
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            with catalog.begin() as s:
                collections.ensure_collection(s, "lost")
                with other.begin() as killer:
                    killer.execute(
                        text(
                            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
                        )
                    )
                collections.ensure_collection(s, "lost too")

        with pytest.raises(CatalogError, match="is unreachable"):
            lose_the_connection()
        with catalog.begin() as s:
            assert [found.name for found in collections.list_collections(s)] == ["films"]


@pytest.mark.parametrize(
    "url", ["mysql://host/db", "nonsense", "sqlite://", "", "postgresql+nothing://host/db"]
)
def test_urls_that_cannot_be_used_are_named(url: str):
    with pytest.raises(UsageError, match="SEEKPOINT_DATABASE_URL"):
        Catalog(url)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_a_storage_error(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError):
        Catalog(f"sqlite:///{tmp_path}/catalog.sqlite").open()
