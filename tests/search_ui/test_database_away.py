"""PostgreSQL goes away under the page for longer than connections and retries last: it says so in
words, and everything goes on when the database is back.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog import watched_folders
from indexer.catalog.database.migrate import upgrade
from tests.search_ui.browser import serving
from tests.support import colour_video, demo_library, free_port
from tests.workers.servers import PostgresServer, is_listening, wait_until

OFTEN = ("jobs", "copies", "handed-over", "folders")
"""Threads that look into the database every few seconds."""


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="seekpoint-away-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user
    server = PostgresServer(folder / "postgres")
    server.create()
    server.start()
    upgrade(server.url)
    yield server
    if is_listening(server.port):
        server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def ask(url: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def threads(url: str) -> dict[str, dict]:
    return json.loads(ask(f"{url}/healthz")[1])["threads"]


def test_without_the_database(tmp_path, postgres):
    library = demo_library(tmp_path / "home", database_url=postgres.url)
    watched = tmp_path / "watched"
    colour_video(watched / "before.mp4", [("red", 1)])
    with library.catalog.begin() as session:
        watched_folders.watch_folder(session, "c", str(watched))
    settings = {
        "database_url": postgres.url,
        "log_format": "json",
        "ui_rescan_minutes": "0.02",
    }
    port = free_port()
    with serving(tmp_path / "home", port=port, **settings) as url:
        wait_until(lambda: len(library.videos()) == 1, 120, "the watched folder is read")
        library.catalog.close()
        postgres.stop()
        status, text = ask(f"{url}/healthz")
        assert (status, json.loads(text)["ok"]) == (503, False)
        status, text = ask(f"{url}/?q=a+secret+question", Accept="text/html")
        assert status == 503
        assert "database" in text
        assert ask(f"{url}/stream/1?x=a+secret+question")[0] == 503
        # Retries are over by then: a thread that an error could end has ended.
        wait_until(lambda: all(threads(url)[name]["error"] for name in OFTEN), 120, "all fail")
        assert all(threads(url)[name]["alive"] for name in OFTEN)
        postgres.start()
        colour_video(watched / "after.mp4", [("blue", 1)])
        wait_until(lambda: len(library.videos()) == 2, 120, "the watcher goes on")
        wait_until(
            lambda: not any(state["error"] for state in threads(url).values()),
            120,
            "all threads are well",
        )
        assert all(state["alive"] for state in threads(url).values())
        assert ask(f"{url}/", Accept="text/html")[0] == 200
    log = (tmp_path / f"server-{port}.log").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    failed = [line for line in lines if line["message"].startswith("the page failed")]
    assert {line["path"] for line in failed} == {"/", "/healthz", "/stream/1"}
    assert not any("traceback" in line for line in lines)
    assert "secret" not in log
    assert "parameters" not in log
