"""Connections, attacked: half-open, slow, unread, too many, with too much in their head."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from search_ui.connections import http_protocol, slow_bodies
from search_ui.connections.http_protocol import limit_protocol
from search_ui.connections.limits import LARGEST_HEAD_BYTES, ConnectionLimits, networks
from search_ui.connections.slow_bodies import SlowBodies
from tests.support import free_port

PATIENCE_S = 120
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def hello(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


def endless(request: Request) -> Response:
    del request

    async def pieces():
        while True:
            yield bytes(1_000_000)
            await asyncio.sleep(0)  # what writes to nobody waits for nothing else

    return StreamingResponse(pieces())


@contextlib.contextmanager
def serving(limits: ConnectionLimits) -> Iterator[tuple[int, uvicorn.Server]]:
    """The port of a server with these limits in this process, and the server."""
    routes = [Route("/", hello, methods=["GET", "POST"]), Route("/endless", endless)]
    app = Starlette(routes=routes, middleware=[Middleware(SlowBodies)])
    port = free_port()
    config = uvicorn.Config(
        app,
        port=port,
        http=limit_protocol(limits),
        h11_max_incomplete_event_size=LARGEST_HEAD_BYTES,
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield port, server
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
    assert not thread.is_alive(), "it would go on beside all other tests"


@pytest.fixture
def connect() -> Iterator:
    made = []

    def connect(port: int, sent: bytes = b"") -> socket.socket:
        made.append(socket.create_connection(("127.0.0.1", port), PATIENCE_S))
        made[-1].sendall(sent)
        return made[-1]

    yield connect
    for connection in made:
        connection.close()


@pytest.fixture
def hurried(monkeypatch) -> None:
    monkeypatch.setattr(http_protocol, "REQUEST_S", 0.3)
    monkeypatch.setattr(http_protocol, "UNREAD_S", 0.3)
    monkeypatch.setattr(slow_bodies, "BODY_PAUSE_S", 0.3)


MANY = ConnectionLimits(100, 100)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n", GET + b"GET"])
def test_half_a_request_is_not_waited_for(connect, sent):
    with serving(MANY) as (port, _):
        connection = connect(port, sent)
        while connection.recv(65536):
            pass  # until the server closes it


@pytest.mark.usefixtures("hurried")
def test_a_head_that_trickles_is_not_waited_for(connect):
    with serving(MANY) as (port, _):
        connection = connect(port, b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(OSError):
            for _ in range(PATIENCE_S * 20):
                connection.sendall(b"A: b\r\n")
                time.sleep(0.05)
            raise AssertionError("it is waited for still")


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("every_s", [0.05, PATIENCE_S])
def test_a_body_that_trickles_or_stops_is_given_up(connect, every_s):
    with serving(MANY) as (port, _):
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
        connection = connect(port, head)
        connection.settimeout(every_s)
        answer = b""
        while not answer:
            with contextlib.suppress(TimeoutError):
                answer = connection.recv(1000)
            if not answer:
                connection.sendall(b"x")
        assert answer.startswith(b"HTTP/1.1 408")


@pytest.mark.usefixtures("hurried")
def test_an_answer_that_nobody_reads_is_given_up(connect):
    with serving(MANY) as (port, server):
        connect(port, b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        while not server.server_state.tasks:
            time.sleep(0.01)
        deadline = time.monotonic() + PATIENCE_S
        while server.server_state.connections:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def whole(connection: socket.socket) -> bytes:
    """An answer of `hello`, whose body is one letter."""
    answer = b""
    while not answer.partition(b"\r\n\r\n")[2]:
        answer += connection.recv(1000)
    return answer


def test_one_too_many_is_told_so_and_others_go_on(connect):
    with serving(ConnectionLimits(5, 5)) as (port, _):
        held = [connect(port, GET) for _ in range(5)]
        assert all(whole(one).startswith(b"HTTP/1.1 200") for one in held)
        assert connect(port).recv(1000).startswith(b"HTTP/1.1 503")
        held[0].sendall(GET)
        assert whole(held[0]).startswith(b"HTTP/1.1 200")
        for one in held:
            one.close()
        deadline = time.monotonic() + PATIENCE_S
        while connect(port, GET).recv(1000).startswith(b"HTTP/1.1 503"):
            assert time.monotonic() < deadline


@pytest.mark.parametrize(("proxies", "code"), [([], b"503"), (["127.0.0.0/8"], b"200")])
def test_one_address_takes_no_more_than_its_share(connect, proxies, code):
    with serving(ConnectionLimits(100, 3, networks(proxies))) as (port, _):
        held = [connect(port, GET) for _ in range(3)]
        assert all(one.recv(1000).startswith(b"HTTP/1.1 200") for one in held)
        assert connect(port, GET).recv(1000).split()[1] == code


def test_a_head_that_is_too_large_is_refused(connect):
    with serving(MANY) as (port, _):
        connection = connect(port, b"GET / HTTP/1.1\r\nHost: x\r\n")
        answer = b""
        with contextlib.suppress(OSError):
            for _ in range(100):
                connection.sendall(b"A: " + b"b" * 1000 + b"\r\n")
            answer = connection.recv(1000)
        assert not answer or answer.startswith(b"HTTP/1.1 400")
