"""Every database gets to this revision and back; only a file is upgraded without being asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, delete, inspect, select, text

from grounding.spans import Span
from indexer.catalog import Catalog, accounts, audit, collections, videos
from indexer.catalog.audit import Actor
from indexer.catalog.database import migrate
from indexer.catalog.database.usage import measure_usage
from indexer.catalog.leasing import chunk_tasks, jobs, page_job_files, page_jobs, processes
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.people import alerts, feedback, saved_searches, sessions, tokens, uploads
from indexer.catalog.tables.library import ChunkTask, CollectionFolder
from indexer.catalog.tables.work import Job
from indexer.errors import CatalogError, StorageError, UsageError
from indexer.messages import Message
from indexer.vocabulary import AuditAction, PageJobKind
from tests.indexer.catalog import support

pytestmark = pytest.mark.usefixtures("real_migrations")


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


REASON = Message("{path}: {reason}", {"path": "a.mp4", "reason": Message("no video stream")})


def fill(catalog: Catalog) -> None:
    """A video that is done, a chunk task that failed, jobs in three states, and a search."""
    (video_id,) = support.add_ready(catalog, ["a.mp4"], np.random.default_rng(0))
    with catalog.begin() as s:
        collection_id = videos.get_video(s, video_id).collection_id
        plan_tasks(s, video_id, [], {"events": "e1"})
        task = chunk_tasks.claim_task(s, "me", 60, ["events"])
        assert task is not None
        chunk_tasks.queue.fail(s, task.task_id, "me", REASON, max_attempts=1)
        for name in ("failed", "running", "waits", "gone"):
            jobs.add_job(s, "plan", collection_id, name, {"relative_path": name}, size=1.0)
        job = jobs.claim_job(s, "me", 60, "plan", 3)
        assert job is not None
        jobs.queue.fail(s, job.id, "me", REASON, max_attempts=1)
        jobs.claim_job(s, "other", 60, "plan", 3)
        s.execute(delete(Job).where(Job.name == "gone"))
        saved_searches.save_search(s, None, "a dog", "/?q=a+dog")


def contents(url: str, tables: dict[str, str]) -> dict[str, list]:
    """The rows of each table, by column; the names are those of the newest revision."""
    renamed = {"work_id": "task_id", "claimed_s": "last_claimed_s"}
    found: dict[str, list] = {}
    engine = create_engine(url)
    with engine.connect() as connection:
        for name, newest in tables.items():
            rows = connection.execute(text(f"SELECT * FROM {name}")).mappings()
            found[newest] = sorted(
                (
                    sorted(
                        (renamed.get(column, column), str(value))
                        for column, value in row.items()
                        if column not in ("priority", "started_at", "error", "vectors")
                    )
                    for row in rows
                ),
                key=str,
            )
    engine.dispose()
    return found


TABLES = {
    "work": "chunk_task",
    "errand": "job",
    "kept_search": "search",
    "collection": "collection",
    "frame_block": "frame_block",
    "segment": "segment",
    "video": "video",
}


def test_renaming_work_to_chunk_tasks_keeps_all_rows(new_url: str):
    """Down to the older names with rows in the tables, and up again."""
    migrate.upgrade(new_url)
    with Catalog(new_url).open() as catalog:
        fill(catalog)
    newest = contents(new_url, {name: name for name in TABLES.values()})
    assert len(newest["chunk_task"]) == 4
    assert len(newest["job"]) == 3
    assert len(newest["segment"]) == 8
    migrate.downgrade(new_url, "0004")
    assert {"work", "errand", "kept_search"} <= table_names(new_url)
    assert contents(new_url, TABLES) == without_later_columns(newest)
    assert set(column_of(new_url, "errand", "error")) == {None, "a.mp4: no video stream"}
    assert column_of(new_url, "work", "priority") == [0] * 4
    migrate.upgrade(new_url)
    migrate.check(new_url)
    assert contents(new_url, {name: name for name in TABLES.values()}) == newest
    with Catalog(new_url).open() as catalog, catalog.begin() as s:
        assert chunk_tasks.queue.owners(s) == {}
        assert jobs.queue.owners(s) == {"other": 1}
        ((name, error),) = jobs.list_errors(s)
        assert (name, error) == ("failed", Message("a.mp4: no video stream"))
        (video,) = videos.list_videos(s)
        assert (video.state, video.error) == ("failed", error)
        last_id = jobs.add_job(s, "plan", video.collection_id, "new", {})
        assert last_id > 4, "the id of a job that was deleted is not used again"
        videos.remove_video(s, video.id)
        assert measure_usage(s).segments == 0, "what hangs on a chunk task goes with it"
        assert list(s.scalars(select(ChunkTask.id))) == []


def test_page_jobs_and_the_audit_log_come_and_go_with_rows(new_url: str):
    migrate.upgrade(new_url)
    with Catalog(new_url).open() as catalog, catalog.begin() as s:
        account_id = accounts.add_account(s, "anna", "administrator", None, password_hash="hash")
        collection_id = collections.ensure_collection(s, "films")
        job_id = page_jobs.add_page_job(
            s, PageJobKind.INGEST, collection_id, "a", {"paths": []}, account_id=account_id
        )
        page_job_files.add_file(s, job_id, "local:a.mp4", 1)
        processes.report_process(s, "host/1/2", "worker", ["plan"], {})
        audit.record(s, AuditAction.ADDED, Actor("anna", account_id), "films")
    migrate.downgrade(new_url, "0006")
    assert not {"page_job", "page_job_file", "audit", "process"} & table_names(new_url)
    assert column_of(new_url, "account", "role") == ["editor"]
    migrate.upgrade(new_url)
    migrate.check(new_url)
    with Catalog(new_url).open() as catalog, catalog.begin() as s:
        assert page_jobs.list_page_jobs(s) == []
        assert page_jobs.add_page_job(s, PageJobKind.DEMO, collection_id, "", {}) == 1


def without_later_columns(newest: dict) -> dict:
    """What the tables hold but for the columns that came after the renaming."""
    later = {
        ("video", "sound_key"),
        ("collection", "language"),
        ("search", "token_id"),
        ("frame_block", "filled"),
        ("frame_block", "object_name"),
    }
    return {
        table: [[pair for pair in row if (table, pair[0]) not in later] for row in rows]
        for table, rows in newest.items()
    }


def column_of(url: str, table: str, column: str) -> list:
    engine = create_engine(url)
    with engine.connect() as connection:
        values = list(connection.execute(text(f"SELECT {column} FROM {table}")).scalars())
    engine.dispose()
    return values


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
        with operations.batch_alter_table("chunk_task", recreate="always") as batch:
            batch.alter_column("revision", nullable=True)
    with sqlite_catalog.read() as s:
        assert measure_usage(s).segments == 8


def test_migrations_write_nothing_to_stdout(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    migrate.upgrade(url)
    migrate.check(url)
    migrate.downgrade(url)
    assert capfd.readouterr().out == ""


def test_accounts_get_names_without_case_and_keep_all_else(new_url: str):
    """Up from a revision that let `Vera` and `vera` in, down with rows in the new tables, and up
    again.
    """
    migrate.upgrade(new_url)
    migrate.downgrade(new_url, "0006")
    engine = create_engine(new_url)
    with engine.begin() as connection:
        for name in ("Vera", "vera", "paul"):
            values = "(:name, 'hash', 'editor', '[1]', 3, '2026-01-01 00:00:00.000000')"
            columns = "(name, password_hash, role, collection_ids, epoch, created_at)"
            connection.execute(
                text(f"INSERT INTO account {columns} VALUES {values}"), {"name": name}
            )
        connection.execute(
            text(
                "INSERT INTO search (account_id, saved, title, link, asked_at) "
                "VALUES (1, true, 'a', '/', '2026-01-01 00:00:00.000000')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO collection (name, created_at) "
                "VALUES ('c', '2026-01-01 00:00:00.000000')"
            )
        )
        connection.execute(text("INSERT INTO watched_folder (collection, path) VALUES ('c', '/v')"))
    engine.dispose()
    migrate.upgrade(new_url)
    with Catalog(new_url).open() as catalog:
        with catalog.read() as s:
            assert [one.name for one in accounts.list_accounts(s)] == ["paul", "Vera", "vera (2)"]
            assert accounts.require_account(s, "VERA").collection_ids == (1,)
            assert list(s.scalars(select(CollectionFolder.path))) == ["/v"]
        with catalog.begin() as s:
            sessions.add_session(s, 1, "token", "::1", "Firefox", 60)
            accounts.remove_account(s, "paul")
    migrate.downgrade(new_url, "0006")
    assert sorted(column_of(new_url, "account", "name")) == ["Vera", "vera (2)"]
    assert column_of(new_url, "account", "epoch") == [0, 0]
    assert column_of(new_url, "search", "title") == ["a"], (
        "nothing that hangs on an account is lost"
    )
    migrate.upgrade(new_url)
    migrate.check(new_url)
    with Catalog(new_url).open() as catalog, catalog.begin() as s:
        added = accounts.add_account(s, "new", "viewer", None, password_hash="hash")
        assert added > 3, "the id of an account that was removed is not used again"


def test_tokens_come_and_go(new_url: str):
    migrate.upgrade(new_url)
    with Catalog(new_url).open() as catalog, catalog.begin() as s:
        tokens.add_token(s, "agent", "viewer", [1], 30, Actor())
        accounts.add_account(s, "vera", "viewer", None, password_hash="hash")
    migrate.downgrade(new_url, "0009")
    assert "api_token" not in table_names(new_url)
    assert column_of(new_url, "account", "name") == ["vera"]
    migrate.upgrade(new_url)
    migrate.check(new_url)
    with Catalog(new_url).open() as catalog, catalog.begin() as s:
        assert tokens.list_tokens(s) == []
        tokens.add_token(s, "agent", "viewer", [1], 30, Actor())


def test_a_file_is_copied_before_it_is_upgraded(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    with Catalog(url).open() as catalog:
        support.add_video(catalog, "a.mp4")
    for older in ("0005", "0006", "0007"):
        migrate.downgrade(url, older)
        with Catalog(url).open() as catalog, catalog.read() as s:
            assert len(videos.list_videos(s)) == 1
    copies = sorted(tmp_path.glob("catalog.sqlite.before-*"))
    assert [path.name[-4:] for path in copies] == ["0006", "0007"], "the last two are kept"
    for path, older in zip(copies, ("0006", "0007")):
        assert migrate.revision(f"sqlite:///{path}") == older


def test_a_server_is_not_migrated_while_workers_report(new_postgres_url: str):
    migrate.upgrade(new_postgres_url)
    migrate.require_idle(new_postgres_url)
    with Catalog(new_postgres_url).open() as catalog, catalog.begin() as s:
        processes.report_process(s, "host/1/2", "worker", ["plan"])
    migrate.require_idle(new_postgres_url)  # there is nothing to migrate
    with create_engine(new_postgres_url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0007'"))
    with pytest.raises(UsageError, match="host/1/2"):
        migrate.require_idle(new_postgres_url)
    with create_engine(new_postgres_url).begin() as connection:
        connection.execute(text("UPDATE process SET seen_at_s = 0"))
    migrate.require_idle(new_postgres_url)


def test_what_programs_own_comes_and_goes(new_url: str):
    """Down with rows in the new tables, and up again; ids that were given are not used again."""
    migrate.upgrade(new_url)
    with Catalog(new_url).open() as catalog:
        (video_id,) = support.add_ready(catalog, ["a.mp4"], np.random.default_rng(0))
        with catalog.begin() as s:
            account_id = accounts.add_account(s, "vera", "viewer", None, password_hash="hash")
            tokens.add_token(s, "hers", "viewer", None, 30, Actor(), account_id)
            tokens.add_token(s, "own", "viewer", None, 30, Actor())
            hers, own = (token.id for token in tokens.list_tokens(s))
            saved_searches.save_search(s, account_id, "hers", "/?q=a", token_id=hers)
            search_id = saved_searches.save_search(s, None, "own", "/?q=b", token_id=own)
            alerts.set_alert(s, search_id, alerts.Query("b"), "https://example.com/", "secret")
            alerts.note_ready(s, video_id)
            feedback.add_feedback(s, "b", video_id, Span(1, 2), True, token_id=own)
            uploads.reserve_upload(s, None, 100, 0, token_id=own)
            tokens.revoke_token(s, "own", Actor())
            assert uploads.used_bytes(s, None) == 100, "it stays"
            assert [one.span for one in feedback.list_feedback(s)] == [Span(1, 2)]
            assert alerts.list_alerts(s, [search_id]) == {}
    migrate.downgrade(new_url, "0010")
    assert column_of(new_url, "search", "title") == ["hers"]
    assert column_of(new_url, "api_token", "name") == ["hers"]
    migrate.upgrade(new_url)
    migrate.check(new_url)
    with Catalog(new_url).open() as catalog, catalog.begin() as s:
        tokens.add_token(s, "new", "viewer", None, 30, Actor())
        assert next(one.id for one in tokens.list_tokens(s) if one.name == "new") > own
        assert saved_searches.save_search(s, None, "new", "/?q=c") > search_id
