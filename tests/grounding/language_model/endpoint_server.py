"""An endpoint of the tests' own: a real HTTP server whose answers a function decides, and which can
be slow, broken or rude.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    text: str = ""
    """Becomes a chat completion, unless `body` says otherwise."""
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    finish: str = "stop"
    tokens: int | None = 10
    wait_s: float = 0.0
    cut: bool = False
    """Promises more bytes than it sends, then closes the connection."""

    def encoded(self) -> bytes:
        if self.body is not None:
            return self.body
        usage = {} if self.tokens is None else {"usage": {"total_tokens": self.tokens}}
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": self.text},
            "finish_reason": self.finish,
        }
        return json.dumps({"object": "chat.completion", "choices": [choice], **usage}).encode()


Decide = Callable[[dict[str, Any], int], Reply]
"""(body of the request, which request to the server it is, from 0) -> what to answer."""


class Server:
    def __init__(self, decide: Decide, models: Reply) -> None:
        self.decide = decide
        self.models = models
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def questions(self) -> list[str]:
        return [request["messages"][-1]["content"] for request in self.requests]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.answer(self)

            def do_GET(self) -> None:
                server.write(self, server.models)

            def log_message(self, *arguments: object) -> None:
                pass

        return Handler

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        with self._lock:
            number = len(self.requests)
            self.requests.append(body)
            self.headers.append({name.lower(): value for name, value in request.headers.items()})
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        reply = self.decide(body, number)
        time.sleep(reply.wait_s)
        with self._lock:
            self._at_once -= 1
        self.write(request, reply)

    def write(self, request: BaseHTTPRequestHandler, reply: Reply) -> None:
        content = reply.encoded()
        try:
            request.send_response(reply.status)
            for name, value in reply.headers.items():
                request.send_header(name, value)
            request.send_header("Content-Length", str(len(content) + 1000 * reply.cut))
            request.end_headers()
            request.wfile.write(content)
        except OSError:
            pass  # the client has gone
        request.close_connection = True

    def __enter__(self) -> Server:
        threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()


@contextmanager
def serving(decide: Decide | list[Reply], models: Reply = Reply(status=404)) -> Iterator[Server]:
    """With a list: one after the other, the last again and again. `models`: what it answers to
    the question which models it serves.
    """
    replies = decide
    chosen = (
        replies if callable(replies) else lambda _, number: replies[min(number, len(replies) - 1)]
    )
    with Server(chosen, models) as server:
        yield server
