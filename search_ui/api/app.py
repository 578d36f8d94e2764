"""The REST API: its routes, how its errors are answered, and its OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount

from indexer.errors import ModelError, SeekpointError
from search_ui.api import feedback, jobs, library, saved_searches, search, upkeep, watching
from search_ui.api.docs_page import docs_page
from search_ui.api.problems import FOLDER, MEDIA_TYPE, problem, problem_of, status_of
from search_ui.app_state import app_state
from search_ui.compression import LongAnswers
from search_ui.connections.small_bodies import SmallBodies
from search_ui.i18n.translator import translator_of
from search_ui.outages import note_error

VERSION = "1"
OF_FILES = ("/v1/uploads", "/v1/pictures")
"""Routes whose bodies are files, which they limit themselves."""
DESCRIPTION = """Ask a library of videos when something happens. Show a token with each request:
`Authorization: Bearer TOKEN`; `seekpoint tokens add NAME` makes one. Errors are problem documents
(RFC 9457) with a `code`. Times are seconds from the start of a video."""
PROBLEM: Mapping[str, Any] = {
    "title": "Problem",
    "type": "object",
    "description": "What went wrong (RFC 9457). `hint`: what to do about it.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}
ANY_PROBLEM: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


def routes() -> list[BaseRoute]:
    """The API below its folder."""
    return [Mount(FOLDER.rstrip("/"), app=make_api())]


def make_api() -> FastAPI:
    """The application: a test of rights goes through its routes one by one."""
    api = FastAPI(
        title="Seekpoint",
        version=VERSION,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=ANY_PROBLEM,
    )
    # Questions are asked most, and routes are tried one after the other.
    for part in (search, library, watching, jobs, feedback, saved_searches, upkeep):
        api.include_router(part.router, prefix="/v1")
    api.add_middleware(LongAnswers)
    api.add_middleware(SmallBodies, but=tuple(FOLDER.rstrip("/") + path for path in OF_FILES))
    api.openapi = lambda: _document(api)
    api.get("/docs", include_in_schema=False)(_docs)
    api.exception_handler(RequestValidationError)(_invalid)
    api.exception_handler(HTTPException)(_answer_refusal)
    api.exception_handler(SeekpointError)(_answer_failure)
    api.exception_handler(Exception)(_defect)
    return api


def _docs(request: Request) -> HTMLResponse:
    return docs_page(request.app.openapi())


def _document(api: FastAPI) -> dict[str, Any]:
    if api.openapi_schema is None:
        document = get_openapi(
            title=api.title,
            version=api.version,
            description=api.description,
            routes=api.routes,
            servers=[{"url": FOLDER.rstrip("/")}],
        )
        parts = document.setdefault("components", {})
        parts.setdefault("schemas", {})["Problem"] = PROBLEM
        parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
        document["paths"]["/v1/health"]["get"]["security"] = []
        api.openapi_schema = document
    return api.openapi_schema


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = [
        {"where": ".".join(map(str, one["loc"])), "what": str(one["msg"])} for one in error.errors()
    ]
    words = translator_of(request)("The request does not fit: see its errors.")
    return problem(422, words, "invalid", errors=found)


def _answer_refusal(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail, headers=error.headers)


def _answer_failure(request: Request, error: Exception) -> Response:
    assert isinstance(error, SeekpointError)
    # What no installed model can do, such as a question in another script, is no failure.
    if status_of(error) >= 500 and not isinstance(error, ModelError):
        note_error(error, app_state().requests, method=request.method, path=request.url.path)
    return problem_of(error, translator_of(request))


def _defect(request: Request, error: Exception) -> Response:
    del error  # the outermost middleware writes it to the log
    return problem(500, translator_of(request)("Something went wrong"))
