"""A hub of the tests: the routes of the hub that a download uses, over real HTTP, with ranges; it
can break off, send wrong bytes and count what it sent.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGE = 5000  # bytes from which on a file is one of LFS, with a SHA-256
COMMIT = "c" * 40


class Hub:
    def __init__(self, repository: str, files: Mapping[str, bytes], licence: str) -> None:
        self.repository = repository
        self.files = dict(files)
        self.licence = licence
        self.sent: list[tuple[str, int, int]] = []
        """(file, first byte, number of bytes) of each answer."""
        self.breaks: dict[str, list[int]] = {}
        """File -> after how many bytes its next answers break off."""
        self.wrong: set[str] = set()
        self.endless: set[str] = set()
        """Files that go on for 100 MB."""
        self.ranges = True

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.split("?")[0]
        if path == f"/api/models/{self.repository}":
            self._reply(request, 200, json.dumps(self._info()).encode())
            return
        prefix = f"/{self.repository}/resolve/{COMMIT}/"
        name = path.removeprefix(prefix)
        if not path.startswith(prefix) or name not in self.files:
            self._reply(request, 404, b'{"error": "not found"}')
            return
        self._send(request, name)

    def _info(self) -> dict:
        return {
            "id": self.repository,
            "modelId": self.repository,
            "sha": COMMIT,
            "cardData": {"license": self.licence},
            "tags": [],
            "siblings": [
                {"rfilename": name, "size": len(data), "blobId": _blob(data)}
                | ({"lfs": _lfs(data)} if len(data) >= LARGE else {})
                for name, data in self.files.items()
            ],
        }

    def _send(self, request: BaseHTTPRequestHandler, name: str) -> None:
        data = self.files[name]
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range") or "")
        first = int(wanted[1]) if wanted and self.ranges else 0
        body = data[first:]
        if name in self.wrong:
            body = bytes(len(body))
        if name in self.endless:
            body = bytes(100_000_000)
        breaks = self.breaks.get(name) or [len(body)]
        sent = body[: breaks.pop(0)]
        self.sent.append((name, first, len(sent)))
        self._reply(request, 206 if wanted and self.ranges else 200, sent, len(body))

    def _reply(
        self, request: BaseHTTPRequestHandler, status: int, body: bytes, length: int | None = None
    ) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body) if length is None else length))
        request.end_headers()
        with suppress(OSError):  # nobody reads on
            request.wfile.write(body)
        request.close_connection = True


def _blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _lfs(data: bytes) -> dict:
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}


@contextmanager
def serving_hub(
    repository: str, files: Mapping[str, bytes], licence: str = "apache-2.0"
) -> Iterator[tuple[Hub, str]]:
    """The hub and its address, which goes into HF_ENDPOINT."""
    hub = Hub(repository, files, licence)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.answer(self)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.daemon = True
    thread.start()
    try:
        yield hub, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
