"""Refuses bodies that are larger than any document that a program has to send, before they are in
memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BYTES = 1_000_000


class SmallBodies:
    """Raises 413 where a route reads more. `but`: paths that take files and count by themselves."""

    def __init__(self, app: ASGIApp, but: Sequence[str] = ()) -> None:
        self._app = app
        self._but = frozenset(but)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._but:
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        got = int(declared) if declared.isdecimal() else 0
        too_large = got > LARGEST_BYTES
        got = 0

        async def counting() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if too_large or got > LARGEST_BYTES:
                raise HTTPException(413, headers={"Connection": "close"})
            return message

        await self._app(scope, counting, send)
