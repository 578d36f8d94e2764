"""Checks every request and every WebSocket before Streamlit or a route of ours sees it."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.messages import N_
from search_ui.api.problems import is_api, problem
from search_ui.app_state import AppState
from search_ui.auth.access_rights import LOCAL_USER, User
from search_ui.auth.tokens import bearer_token
from search_ui.i18n.translator import translator_of

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# What may be fetched without signing in: the sign-in itself and the files of Streamlit's front end.
# (/metrics asks for a token of its own.)
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
        "/api/v1/health",
    }
)
API_DOCS = "/api/docs"
# A link that was shared shows its moments without an account (routes/shared.py).
OPEN_FOLDERS = ("/static/", "/shared/")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Streamlit's front end needs inline styles and compiles its charts; nothing is ever fetched from,
# or sent to, another place.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": POLICY,
}


class AuthMiddleware:
    """Puts the user into `request.state.user`, or answers by itself."""

    def __init__(self, app: ASGIApp, app_state: AppState) -> None:
        self._app = app
        self._app_state = app_state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        if reason := self._foreign(scope, connection.headers):
            await _answer(scope, receive, send, _refusal(connection, reason))
            return
        user = await self._user(connection)
        if user is None and not _is_open(scope["path"]):
            await _answer(scope, receive, send, _sign_in_first(scope))
            return
        connection.state.user = user
        await self._app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)

    async def _user(self, connection: HTTPConnection) -> User | None:
        token = bearer_token(connection.headers) if is_api(connection.scope["path"]) else None
        if token is not None:
            return await run_in_threadpool(self._app_state.tokens.user, token)
        if not self._app_state.sign_in:
            return LOCAL_USER
        return await run_in_threadpool(self._app_state.sessions.user, connection.cookies)

    def _foreign(self, scope: Scope, headers: Headers) -> str:
        """Why a page of another site (or a host name that points here) gets no answer, in
        English; empty where the request is ours.
        """
        host = headers.get("host", "")
        if not self._app_state.sign_in and host_name(host) not in LOOPBACK:
            return N_("This page is served to the local machine only")
        origin = headers.get("origin")
        acts = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if acts and origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return N_("This request comes from another site")
        return ""


def host_name(host: str) -> str:
    """`localhost` of `localhost:8501`, `::1` of `[::1]:8501`; empty for what is not a host."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_open(path: str) -> bool:
    # A path with dots or doubled slashes is never open: what comes after may read it differently.
    return path in OPEN_PATHS or (
        path.startswith(OPEN_FOLDERS) and ".." not in path and "//" not in path and "\\" not in path
    )


def _refusal(connection: HTTPConnection, reason: str) -> Response:
    words = translator_of(connection)(reason)
    if is_api(connection.scope["path"]):
        return problem(403, words)
    return PlainTextResponse(words, 403)


def _sign_in_first(scope: Scope) -> Response:
    """Pages lead to the sign-in and back; anything else gets 401."""
    if is_api(scope["path"]) and scope["path"] != API_DOCS:
        tr = translator_of(HTTPConnection(scope))
        words = tr("Show a token that is valid: Authorization: Bearer TOKEN")
        return problem(401, words, headers={"WWW-Authenticate": "Bearer"})
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
    return PlainTextResponse(translator_of(HTTPConnection(scope))("Sign in first"), 401)


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
