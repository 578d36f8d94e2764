"""Lets through what the page uses, and nothing else of what Streamlit serves: its own uploads would
be kept in memory, from anybody who is signed in. The API needs nothing of Streamlit's, and what
Streamlit puts before its routes answers errors in its own way.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from search_ui.api.problems import FOLDER, is_api

STREAMLIT_PATHS = frozenset(
    {"/_stcore/health", "/_stcore/host-config", "/_stcore/stream", "/favicon.png"}
)
STREAMLIT_FOLDERS = ("/static/",)
OIDC_PATHS = frozenset({"/auth/login", "/oauth2callback"})


class UsedRoutes:
    """404 for any other path. `missing` answers people who look at such an address; `has_oidc`:
    Streamlit's login with OpenID Connect is in use.
    """

    def __init__(
        self, app: ASGIApp, routes: Sequence[BaseRoute], missing: ASGIApp, has_oidc: bool
    ) -> None:
        self._app = app
        self._missing = missing
        self._routes = routes
        self._api = next((route for route in routes if _is_api_mount(route)), None)
        self._paths = STREAMLIT_PATHS | (OIDC_PATHS if has_oidc else frozenset())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._api is not None and scope["type"] == "http" and is_api(scope["path"]):
            _, more = self._api.matches(scope)
            await self._api.handle({**scope, **more}, receive, send)
        elif scope["type"] == "lifespan" or self._is_used(scope):
            await self._app(scope, receive, send)
        elif _is_page(scope):
            await self._missing(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse("Not found", 404)(scope, receive, send)

    def _is_used(self, scope: Scope) -> bool:
        path = scope["path"]
        return (
            path in self._paths
            or path.startswith(STREAMLIT_FOLDERS)
            or any(route.matches(scope)[0] is not Match.NONE for route in self._routes)
        )


def _is_api_mount(route: BaseRoute) -> bool:
    return isinstance(route, Mount) and route.path == FOLDER.rstrip("/")


def _is_page(scope: Scope) -> bool:
    """Whether a person looks: a browser that shows an address asks for a document."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
