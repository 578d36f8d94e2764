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
from search_ui.outages import note_error
from search_ui.supervisor import ThreadState


def routes() -> list[BaseRoute]:
    """Routes for monitoring."""
    return [Route("/healthz", healthz), Route("/metrics", metrics)]


def healthz(request: Request) -> Response:
    """200 where the catalog answers and every thread lives, else 503 with the reason. What a thread
    or the database failed with is told to the local machine and to whoever shows the token.
    """
    shown = app_state()
    is_told = not shown.sign_in or _has_token(request, shown.settings.metrics_token)
    threads = {state.name: _thread(state, is_told) for state in shown.jobs.supervisor.states()}
    dead = [name for name, thread in threads.items() if not thread["alive"]]
    answer: dict[str, object] = {"ok": not dead, "threads": threads}
    if dead:
        answer["error"] = f"threads that ended: {', '.join(dead)}"
    try:
        shown.library.catalog.ping()
    except SeekpointError as error:
        note_error(error, shown.requests, path="/healthz")
        text = error.message if is_told else "the database cannot be reached"
        answer |= {"ok": False, "error": text}
    return JSONResponse(answer, 200 if answer["ok"] else 503)


def _thread(state: ThreadState, is_told: bool) -> dict[str, object]:
    age_s, busy_s = (None if s is None else round(s, 1) for s in (state.age_s, state.busy_s))
    error = state.error if is_told or not state.error else "see the log"
    return {"alive": state.alive, "age_s": age_s, "busy_s": busy_s, "error": error}


def metrics(request: Request) -> Response:
    """For Prometheus: open on the local machine, by token where people sign in."""
    shown = app_state()
    if shown.sign_in and not _has_token(request, shown.settings.metrics_token):
        raise HTTPException(
            401,
            "Show the token of SEEKPOINT_METRICS_TOKEN: Authorization: Bearer ...",
            {"WWW-Authenticate": "Bearer"},
        )
    return Response(as_text(shown.metrics_registry()), headers={"Content-Type": CONTENT_TYPE})


def _has_token(request: Request, token: str) -> bool:
    token_sent = request.headers.get("authorization", "").removeprefix("Bearer ")
    return bool(token) and hmac.compare_digest(token_sent.encode(), token.encode())
