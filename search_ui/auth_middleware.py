"""The door: every request and every WebSocket passes here before Streamlit or a route of ours sees
it.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search_ui.app_state import Site
from search_ui.strings import texts_of
from search_ui.user import LOCAL, Viewer

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# What somebody who has not signed in may fetch: the way in, and the files that make up Streamlit's
# own front end. (/metrics asks for a token of its own.)
OPEN_PATHS = frozenset(
    {
        "/sign-in",
        "/sign-in/oidc",
        "/auth/login",
        "/oauth2callback",
        "/_stcore/health",
        "/favicon.png",
        "/healthz",
        "/metrics",
    }
)
OPEN_FOLDERS = ("/static/",)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Streamlit's front end needs inline styles and compiles its charts; nothing is ever fetched from,
# or sent to, another place.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "frame-src 'self'; frame-ancestors 'self'; object-src 'none'; base-uri 'self'; form-action 'self'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": POLICY,
}


class Guard:
    """Puts the viewer into `request.state.viewer`, or answers by itself."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        if reason := self._foreign(scope, connection.headers):
            await _answer(
                scope, receive, send, PlainTextResponse(texts_of(connection)(reason), 403)
            )
            return
        viewer = await self._viewer(connection)
        if viewer is None and not _is_open(scope["path"]):
            await _answer(scope, receive, send, _way_in(scope))
            return
        connection.state.viewer = viewer
        await self._app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)

    async def _viewer(self, connection: HTTPConnection) -> Viewer | None:
        if not self._site.sign_in:
            return LOCAL
        return await run_in_threadpool(self._site.sessions.viewer, connection.cookies)

    def _foreign(self, scope: Scope, headers: Headers) -> str:
        """Key of the text that says why another site's page (or a name that points here) gets no
        answer; empty when it is ours.
        """
        host = headers.get("host", "")
        if not self._site.sign_in and host_name(host) not in LOOPBACK:
            return "door.local"
        origin = headers.get("origin")
        acts = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if acts and origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return "door.foreign"
        return ""


def host_name(host: str) -> str:
    """`localhost` of `localhost:8501`, `::1` of `[::1]:8501`; empty for what is no host."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_open(path: str) -> bool:
    # A path with dots or doubled slashes is nobody's: whatever is behind this door may read it in
    # another way.
    return path in OPEN_PATHS or (
        path.startswith(OPEN_FOLDERS) and ".." not in path and "//" not in path and "\\" not in path
    )


def _way_in(scope: Scope) -> Response:
    """Pages lead to the sign-in and back; anything else is told no."""
    if (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and "text/html" in Headers(scope=scope).get("accept", "")
    ):
        here = scope["path"] + (
            f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        )
        step = "/sign-in/oidc" if "_streamlit_user" in HTTPConnection(scope).cookies else "/sign-in"
        return RedirectResponse(f"{step}?next={quote(here, safe='')}", 303)
    return PlainTextResponse(texts_of(HTTPConnection(scope))("door.sign_in"), 401)


async def _answer(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await response(scope, receive, send)


def _with_headers(send: Send) -> Send:
    async def adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return adding
