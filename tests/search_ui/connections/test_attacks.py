"""The real page, attacked from 127.0.0.1, with few descriptors to attack."""

from __future__ import annotations

import contextlib
import json
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.search_ui.browser import serving
from tests.support import colour_video, demo_library, free_port

DESCRIPTORS = 260
PATIENCE_S = 120


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """Address and log of a page that may open `DESCRIPTORS` files; its ffmpeg cuts for ever, and
    notes its number beside itself.
    """
    folder = tmp_path_factory.mktemp("attacked")
    home = folder / "home"
    library = demo_library(home)
    library.ingest([colour_video(folder / "a.mp4", [("green", 2)])])
    library.catalog.close()
    (folder / "ffmpeg").write_text('#!/bin/sh\necho $$ > "$0.pid"\nexec sleep 600\n')
    (folder / "ffmpeg").chmod(0o755)
    port = free_port()
    limited = ["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"]
    with serving(
        home,
        port=port,
        before=limited,
        log_format="json",
        ui_connections="9999",
        ffmpeg=str(folder / "ffmpeg"),
    ) as url:
        yield url, home.parent / f"server-{port}.log"


def status(url: str, method: str = "GET", body: bytes | None = None) -> int:
    request = urllib.request.Request(url, body, {"Host": "127.0.0.1:1"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_more_connections_than_descriptors(attacked):
    url, log = attacked
    port = int(url.rpartition(":")[2])
    with contextlib.ExitStack() as held:
        for _ in range(DESCRIPTORS * 2 // 3):
            connection = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
            held.callback(connection.close)
            connection.sendall(b"GET / HTTP/1.1\r\n")
    deadline = time.monotonic() + PATIENCE_S
    while status(f"{url}/healthz") != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert log.stat().st_size < 100_000


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/upload_file/session/file",
        "/_stcore/metrics",
        "/_stcore/script-health-check",
        "/_stcore/message",
        "/_stcore/bidi-components/seekpoint_cards/cards.js",
        "/media/0123456789abcdef.png",
        "/component/anything/index.html",
        "/app/static/anything",
        "/auth/login",
        "/oauth2callback",
        "/anything",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
def test_what_the_page_does_not_use_is_closed(attacked, path, method):
    body = bytes(1_000_000) if method == "PUT" else None
    with contextlib.suppress(ConnectionError, urllib.error.URLError):
        assert status(attacked[0] + path, method, body) == 404


def test_a_clip_that_nobody_waits_for_is_given_up(attacked):
    url, log = attacked
    noted = log.parent / "ffmpeg.pid"
    for _ in range(3):  # more than are cut at once: none may keep a place
        noted.unlink(missing_ok=True)
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as connection:
            connection.sendall(b"GET /clip/1/0/1000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            pid = int(await_text(noted))
        deadline = time.monotonic() + PATIENCE_S
        while Path(f"/proc/{pid}").exists():
            assert time.monotonic() < deadline, "ffmpeg runs on"
            time.sleep(0.1)


def await_text(path: Path) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return path.read_text()


def test_every_line_of_the_log_is_json(attacked):
    url, log = attacked
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
        connection.sendall(b"\x16\x03\x01\x1b[2J\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    lines = log.read_text().splitlines()
    assert [line for line in lines if not line.startswith("{")] == []
    assert "Invalid HTTP request" in json.loads(lines[-1])["message"]
