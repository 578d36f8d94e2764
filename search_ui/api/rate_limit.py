"""How often one token, or one person, may ask the API."""

from __future__ import annotations

import math
import time
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from search_ui.api.problems import is_api, problem
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import translator_of


class RateLimit:
    """A token bucket for each who asks: it holds the requests of a minute and fills all the time.
    Whoever sits at the local machine has none. `per_minute` 0: no limit.
    """

    def __init__(self, app: ASGIApp, per_minute: int) -> None:
        self._app = app
        self._per_minute = per_minute
        self._buckets: dict[tuple[str, int], tuple[float, float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait_s = 0.0
        if self._per_minute and scope["type"] == "http" and is_api(scope["path"]):
            key = _key(scope)
            wait_s = self._take(key, time.monotonic()) if key else 0.0
        if not wait_s:
            await self._app(scope, receive, send)
            return
        tr = translator_of(HTTPConnection(scope))
        headers = {"Retry-After": str(math.ceil(wait_s))}
        answer = problem(429, tr("Too many requests. Wait a moment."), headers=headers)
        await answer(scope, receive, send)

    def _take(self, key: tuple[str, int], now_s: float) -> float:
        """Seconds until one more request is allowed; 0: it is now, and is counted."""
        filled, at_s = self._buckets.get(key, (float(self._per_minute), now_s))
        rate = self._per_minute / 60
        filled = min(float(self._per_minute), filled + (now_s - at_s) * rate)
        allowed = filled >= 1
        self._buckets[key] = (filled - 1 if allowed else filled, now_s)
        return 0.0 if allowed else (1 - filled) / rate


def _key(scope: Scope) -> tuple[str, int] | None:
    state: dict[str, Any] = scope.get("state") or {}
    user: User | None = state.get("user")
    if user is None:
        return None
    if user.token_id is not None:
        return "token", user.token_id
    return None if user.account_id is None else ("account", user.account_id)
