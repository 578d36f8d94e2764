"""Our own routes beside Streamlit's."""

from __future__ import annotations

from importlib.util import find_spec

from starlette.routing import BaseRoute

from search_ui.routes import (
    account,
    folders,
    health,
    index_page,
    media,
    moment_files,
    shared,
    shelf,
    signin,
    stills,
    upload,
    watching,
)


def all_routes() -> list[BaseRoute]:
    """The routes of the server beside Streamlit's own."""
    return [
        *_api_routes(),  # the first that is tried: its requests are counted in milliseconds
        *index_page.routes(),
        *signin.routes(),
        *account.routes(),
        *media.routes(),
        *stills.routes(),
        *watching.routes(),
        *shelf.routes(),
        *folders.routes(),
        *moment_files.routes(),
        *shared.routes(),
        *upload.routes(),
        *health.routes(),
    ]


def _api_routes() -> list[BaseRoute]:
    """None where the extra `api` is not installed."""
    if find_spec("fastapi") is None:
        return []
    from search_ui.api import app  # brings FastAPI along

    return app.routes()
