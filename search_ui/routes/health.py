"""For monitors: whether the page can answer, and its figures for Prometheus."""

from __future__ import annotations

import hmac

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from indexer.admin.metrics import CONTENT_TYPE, as_text
from indexer.errors import SeekpointError
from search_ui.app_state import app_state


def routes() -> list[BaseRoute]:
    """Routes for monitoring."""
    return [Route("/healthz", healthz), Route("/metrics", metrics)]


def healthz(request: Request) -> Response:
    """200 where the catalog answers, 503 with the reason where it does not."""
    del request
    try:
        app_state().library.catalog.ping()
    except SeekpointError as error:
        return JSONResponse({"ok": False, "error": error.message}, 503)
    return JSONResponse({"ok": True})


def metrics(request: Request) -> Response:
    """For Prometheus: open on the local machine, by token where people sign in."""
    shown = app_state()
    if shown.sign_in and not _has_token(request, shown.settings.metrics_token):
        raise HTTPException(
            401,
            "Show the token of SEEKPOINT_METRICS_TOKEN: Authorization: Bearer ...",
            {"WWW-Authenticate": "Bearer"},
        )
    return Response(as_text(shown.registry), headers={"Content-Type": CONTENT_TYPE})


def _has_token(request: Request, token: str) -> bool:
    token_sent = request.headers.get("authorization", "").removeprefix("Bearer ")
    return bool(token) and hmac.compare_digest(token_sent.encode(), token.encode())
