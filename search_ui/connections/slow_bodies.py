"""Gives up bodies that stop or trickle, so that nobody holds an upload open for ever."""

from __future__ import annotations

import asyncio
import time

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search_ui.connections.limits import BODY_PAUSE_S, SLOWEST_BYTES_PER_S


class SlowBodies:
    """Raises 408 where a route reads a body that does not come."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        within = receive if scope["type"] != "http" else _Body(receive).receive
        await self._app(scope, within, send)


class _Body:
    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._began = time.monotonic()
        self._bytes = 0
        self._whole = False

    async def receive(self) -> Message:
        # Behind its end routes wait for the other end to hang up, as long as that takes.
        if self._whole:
            return await self._receive()
        try:
            # In this task: a message that another one had taken would be lost with it.
            async with asyncio.timeout(BODY_PAUSE_S):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, headers={"Connection": "close"}) from None
        self._bytes += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        took_s = time.monotonic() - self._began
        if not self._whole and took_s > BODY_PAUSE_S and self._bytes < took_s * SLOWEST_BYTES_PER_S:
            raise HTTPException(408, headers={"Connection": "close"})
        return message
