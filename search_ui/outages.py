"""What every request ends with when something is away or wrong: an answer in words, one line in the
log, and a count; never a parameter, a path of the server or a traceback.
"""

from __future__ import annotations

import logging
from html import escape
from urllib.parse import unquote_to_bytes

from prometheus_client import CollectorRegistry, Counter
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.errors import CatalogError, SeekpointError, StorageError, UsageError
from search_ui.i18n.translator import Translator, translator_of

log = logging.getLogger(__name__)

RETRY_AFTER_S = 5
TRY_AGAIN_LATER = 1013  # of WebSockets
GROUPS = frozenset({"stream", "thumbnail", "clip", "upload", "picture", "sign-in", "healthz"})
"""First parts of paths that are counted by name; all others are `page`."""


class RequestMetrics:
    """Answers by what was asked for and by status; what failed behind them, by what it was."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.answers = Counter(
            "seekpoint_http_responses",
            "Answers of the page by route and status",
            ["route", "status"],
            registry=registry,
        )
        self.errors = Counter(
            "seekpoint_errors",
            "Requests and runs of the page that failed, by error",
            ["error"],
            registry=registry,
        )


class Outages:
    """The outermost of our middleware."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        started = False

        async def counting(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                self._metrics.answers.labels(_group(scope), str(message["status"])).inc()
            started = started or message["type"] != "websocket.close"
            await send(message)

        if not _is_text(scope):
            await self._answer(scope, receive, counting, _refusal(scope))
            return
        try:
            await self._app(scope, receive, counting)
        except Exception as error:  # noqa: BLE001 whatever it is, somebody waits for words
            response = self._response(scope, error)
            if not started:
                await self._answer(scope, receive, counting, response)

    def _response(self, scope: Scope, error: Exception) -> Response:
        note_error(error, self._metrics, method=scope.get("method", "WS"), path=scope["path"])
        tr = translator_of(HTTPConnection(scope))
        if isinstance(error, UsageError):
            return PlainTextResponse(tr(error.what), 400)
        if isinstance(error, (CatalogError, StorageError)):
            words = tr("The database of this page cannot be reached now. Try again in a moment.")
            return _document(scope, tr, words, 503)
        return _document(scope, tr, tr("Something went wrong"), 500)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, response: Response) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
        else:
            await response(scope, receive, send)


def note_error(error: Exception, metrics: RequestMetrics, **fields: str) -> None:
    """One line in the log; a defect with its traceback, which holds no values of statements."""
    metrics.errors.labels(type(error).__name__).inc()
    is_defect = not isinstance(error, SeekpointError)
    words = error.message if isinstance(error, SeekpointError) else type(error).__name__
    extra = {"fields": {**fields, "error": type(error).__name__}}
    log.error("the page failed: %s", words, exc_info=error if is_defect else None, extra=extra)


def _document(scope: Scope, tr: Translator, words: str, status: int) -> Response:
    headers = {"Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if "text/html" not in Headers(scope=scope).get("accept", ""):
        return PlainTextResponse(words, status, headers)
    body = (
        f'<!doctype html><html lang="{tr.language}"><head><meta charset="utf-8">'
        f"<title>Seekpoint</title></head><body><h1>Seekpoint</h1><p>{escape(words)}</p></body>"
        "</html>"
    )
    return HTMLResponse(body, status, headers)


def _refusal(scope: Scope) -> Response:
    tr = translator_of(HTTPConnection(scope))
    return PlainTextResponse(tr("This request holds characters that are no text."), 400)


def _is_text(scope: Scope) -> bool:
    """Whether path, query and name of a file are UTF-8 without NUL, however they are escaped."""
    name = dict(scope.get("headers", ())).get(b"x-file-name", b"")
    parts = (scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass"),)
    for part in (*parts, scope.get("query_string", b""), name):
        try:
            text = unquote_to_bytes(part).decode("utf-8")
        except UnicodeDecodeError:
            return False
        if "\x00" in text:
            return False
    return True


def _group(scope: Scope) -> str:
    first = scope["path"].split("/")[1] if "/" in scope["path"] else ""
    return first if first in GROUPS else "page"
