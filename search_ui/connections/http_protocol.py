"""uvicorn's HTTP protocol with limits: it would wait for ever for the head of a request and for
somebody to read an answer, and take connections until there are no descriptors left.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from search_ui.connections.limits import REQUEST_S, UNREAD_S, ConnectionLimits

BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 22\r\n\r\nToo many connections.\n"
)


class LimitedProtocol(H11Protocol):
    """One connection. `limits` are those of the process (`limit_protocol`)."""

    limits = ConnectionLimits(1000, 250)
    _head_timer: asyncio.TimerHandle | None = None
    _unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Answers 503 at once where there are too many."""
        super().connection_made(transport)
        if self._is_one_too_many():
            transport.write(BUSY)
            transport.close()
        else:
            self._watch_head()

    def data_received(self, data: bytes) -> None:
        """Head and body; the time for a head runs from its first byte."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._watch_head()

    def on_response_complete(self) -> None:
        """The next head may have come already."""
        super().on_response_complete()
        self._watch_head(began=bool(self.conn.trailing_data[0]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever is waited for will not come."""
        self._head_timer = _cancel(self._head_timer)
        self._unread_timer = _cancel(self._unread_timer)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The other end reads slower than we write."""
        super().pause_writing()
        self._unread_timer = self.loop.call_later(UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The other end has read on."""
        self._unread_timer = _cancel(self._unread_timer)
        super().resume_writing()

    def _is_one_too_many(self) -> bool:
        limits, client = self.limits, self.client
        if len(self.connections) > limits.connections:
            return True
        if client is None or limits.is_proxy(client[0]):
            return False
        # As many as there may be in all are few enough to be counted.
        others = [getattr(other, "client", None) for other in self.connections]
        same = sum(1 for other in others if other and other[0] == client[0])
        return same > limits.of_an_address

    def _watch_head(self, *, began: bool = True) -> None:
        # A WebSocket has taken the connection over once it is not among ours.
        waits = self.conn.their_state is h11.IDLE and self in self.connections
        if not waits:
            self._head_timer = _cancel(self._head_timer)
        elif began and self._head_timer is None:
            self._head_timer = self.loop.call_later(REQUEST_S, self._give_up)

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()


def limit_protocol(limits: ConnectionLimits) -> type[LimitedProtocol]:
    """The protocol of a process with these limits."""
    return type("LimitedProtocol", (LimitedProtocol,), {"limits": limits})


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
