"""Errors of the API: problem documents (RFC 9457) with codes of our own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from indexer import errors
from indexer.errors import SeekpointError
from search_ui.i18n.translator import Translator

MEDIA_TYPE = "application/problem+json"
FOLDER = "/api/"
"""What is below it is the API: it takes tokens, and answers errors with problem documents."""
RETRY_AFTER_S = 5
KINDS: tuple[tuple[type[SeekpointError], int, str], ...] = (
    (errors.TooManyAttempts, 429, "too-many-attempts"),
    (errors.UsageError, 400, "usage"),
    (errors.MediaTimeout, 504, "media-timeout"),
    (errors.MediaError, 410, "media"),
    (errors.ModelError, 501, "model"),
    (errors.CatalogBusy, 503, "catalog-busy"),
    (errors.CatalogError, 503, "catalog"),
    (errors.QueueError, 503, "queue"),
    (errors.SnapshotError, 503, "snapshot"),
    (errors.StorageError, 507, "storage"),
    (SeekpointError, 500, "error"),
)
"""Status and code of each kind of error; the first that fits counts."""

CODES: dict[int, tuple[str, str]] = {
    400: ("bad-request", "The request cannot be read."),
    401: ("unauthorized", "No token, or one that is unknown, revoked or over."),
    403: ("forbidden", "The token does not open this."),
    404: ("not-found", "There is none, or the token does not open it."),
    405: ("method-not-allowed", "The address does not take this method."),
    408: ("timeout", "The request did not come in time."),
    409: ("not-ready", "Something has to end first: a copy that is being made, or a job."),
    410: ("gone", "The file is not there now, or has changed."),
    413: ("too-large", "The body is larger than the server takes."),
    415: ("unsupported-media-type", "The file is no video by its name."),
    416: ("range", "The file has no such range."),
    422: ("invalid", "A parameter does not fit."),
    429: ("too-many-requests", "Wait as long as Retry-After says."),
    507: ("no-space", "The server, or the quota, has no room for the file."),
    500: ("internal", "A defect: the log of the server says more."),
}
"""Code of a status, and what it means, where no error of the library is behind it."""


def is_api(path: str) -> bool:
    """Whether the API answers at this path."""
    return path.startswith(FOLDER)


def problem(
    status: int, detail: str, code: str = "", headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """One problem document; no `code`: that of the status. `more`: further members."""
    code = code or CODES.get(status, (f"status-{status}", ""))[0]
    document = {
        "type": f"{FOLDER}docs#problem-{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    shown = {"Cache-Control": "no-store", **(headers or {})}
    return JSONResponse(document, status, shown, media_type=MEDIA_TYPE)


def problem_of(error: SeekpointError, tr: Translator) -> Response:
    """What went wrong and what to do about it, in the language of whoever asks."""
    status, code = next((status, code) for kind, status, code in KINDS if isinstance(error, kind))
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    return problem(status, tr(error.what), code, headers, hint=tr(error.advice))


def status_of(error: SeekpointError) -> int:
    """The status with which the error is answered."""
    return next(status for kind, status, _ in KINDS if isinstance(error, kind))
