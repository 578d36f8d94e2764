"""Requests to the API, and its problem documents as the errors of the library."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from indexer import errors
from indexer.errors import SeekpointError, UsageError
from indexer.messages import as_message

TIMEOUT_S = 300.0
CONNECT_S = 10.0
ATTEMPTS = 5
LONGEST_WAIT_S = 60.0
REFUSED_FILE = (413, 415, 422)
KINDS: dict[str, type[SeekpointError]] = {
    "too-many-attempts": errors.TooManyAttempts,
    "too-many-requests": errors.TooManyAttempts,
    "usage": UsageError,
    "unauthorized": UsageError,
    "forbidden": UsageError,
    "invalid": UsageError,
    "bad-request": UsageError,
    "too-large": UsageError,
    "unsupported-media-type": UsageError,
    "not-found": errors.CatalogError,
    "media-timeout": errors.MediaTimeout,
    "media": errors.MediaError,
    "gone": errors.MediaError,
    "not-ready": errors.MediaError,
    "model": errors.ModelError,
    "catalog-busy": errors.CatalogBusy,
    "catalog": errors.CatalogError,
    "queue": errors.QueueError,
    "snapshot": errors.SnapshotError,
    "storage": errors.StorageError,
    "no-space": errors.StorageError,
}
"""The error of the library for each code of the API."""


class Transport:
    """One connection pool to one server. `token` empty: a server of this machine without
    sign-in.
    """

    def __init__(self, url: str, token: str, timeout_s: float) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = httpx2.Timeout(timeout_s, connect=CONNECT_S)
        try:
            self._client = httpx2.Client(base_url=url, headers=headers, timeout=timeout)
        except (httpx2.InvalidURL, UnicodeEncodeError):
            self._client = None
        if self._client is None or self._client.base_url.scheme not in ("http", "https"):
            raise UsageError(
                "{url!r} is not the address of a server, or the token is none",
                "give one like http://localhost:8501",
                url=url,
            )

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    @property
    def _http(self) -> httpx2.Client:
        assert self._client is not None, "the constructor has seen to it"
        return self._client

    def json(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        content: bytes | None = None,
    ) -> Any:
        """What the API answers, as values of JSON. Where the server asks to wait, it is asked again
        (what changes something only where nothing was done). Raises SeekpointError.
        """
        with self._answered(method, path, params, json=body, content=content) as answer:
            answer.read()
            _check(answer)
            return answer.json() if answer.content else None

    def bytes(self, path: str, params: Mapping[str, Any]) -> bytes:
        """A body that is no JSON. Raises SeekpointError."""
        with self._answered("GET", path, params) as answer:
            answer.read()
            _check(answer)
            return answer.content

    def save(self, path: str, params: Mapping[str, Any], output: Path) -> None:
        """Writes a body to a file, whole or not at all. Raises SeekpointError, OSError."""
        part = output.with_name(f"{output.name}.part")
        try:
            with self._answered("GET", path, params) as answer:
                if answer.status_code != 200:
                    answer.read()
                _check(answer)
                with part.open("wb") as file:
                    for piece in answer.iter_bytes():
                        file.write(piece)
            part.replace(output)
        finally:
            part.unlink(missing_ok=True)

    def upload(self, path: str, params: Mapping[str, Any], file: Path) -> Any:
        """Sends a file as it is read. Raises MediaError for what the server does not take as a
        video, else SeekpointError, OSError.
        """
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(file.stat().st_size),
        }
        with (
            file.open("rb") as body,
            self._answered("POST", path, params, content=body, headers=headers) as answer,
        ):
            answer.read()
            refused = answer.status_code in REFUSED_FILE
            _check(answer, errors.MediaError if refused else None)
            return answer.json()

    def events(self, path: str) -> Iterator[tuple[str, str]]:
        """(name, data) of server-sent events, until the stream ends. Raises SeekpointError."""
        name = "message"
        with self._answered("GET", path, None) as answer:
            if answer.status_code != 200:
                answer.read()
            _check(answer)
            for line in answer.iter_lines():
                field, _, value = line.partition(":")
                if field == "event":
                    name = value.strip()
                elif field == "data":
                    yield name, value.strip()

    @contextmanager
    def _answered(
        self, method: str, path: str, params: Mapping[str, Any] | None, **more: Any
    ) -> Iterator[httpx2.Response]:
        """The answer, whose body is still to be read; the last of several where it is to wait."""
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1 and isinstance(content := more.get("content"), io.IOBase):
                content.seek(0)
            with self._sent(method, path, params, **more) as answer:
                wait_s = _wait_s(answer, is_safe=method == "GET")
                if wait_s is None or attempt == ATTEMPTS:
                    yield answer
                    return
            time.sleep(wait_s)

    @contextmanager
    def _sent(
        self, method: str, path: str, params: Mapping[str, Any] | None, **more: Any
    ) -> Iterator[httpx2.Response]:
        shown = {name: value for name, value in (params or {}).items() if value is not None}
        try:
            # As a part of the address, which is read twice where parameters are given beside it.
            address = f"/api/v1{path}?{httpx2.QueryParams(shown)}" if shown else f"/api/v1{path}"
            with self._http.stream(method, address, **more) as answer:
                yield answer
        except httpx2.HTTPError as error:
            raise SeekpointError(
                "the server {url} does not answer: {reason}",
                "look whether `seekpoint ui` runs there",
                url=self._http.base_url,
                reason=str(error) or type(error).__name__,
            ) from None


def _wait_s(answer: httpx2.Response, *, is_safe: bool) -> float | None:
    """How long to wait before asking again; None: this is the answer."""
    again = answer.status_code == 429 or (answer.status_code == 503 and is_safe)
    retry_after = answer.headers.get("retry-after", "")
    return min(float(retry_after), LONGEST_WAIT_S) if again and retry_after.isdecimal() else None


def _check(answer: httpx2.Response, kind: type[SeekpointError] | None = None) -> None:
    """Raises the error that a problem document tells of; `kind`: as which one."""
    if answer.is_success:
        return
    try:
        problem = answer.json()
        code, detail, hint = problem["code"], problem["detail"], problem.get("hint", "")
        for one in problem.get("errors", ()):
            detail += f" ({one['where']}: {one['what']})"
    except (ValueError, KeyError, TypeError):
        raise SeekpointError(
            "{url} answered with status {status}, and not as the API does",
            "look whether it is a Seekpoint server with the extra `api`",
            url=answer.url.copy_with(query=None),
            status=answer.status_code,
        ) from None
    raise (kind or KINDS.get(code, SeekpointError))(as_message(detail), as_message(hint))
