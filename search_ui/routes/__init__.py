"""Our own routes beside Streamlit's."""

from __future__ import annotations

from starlette.routing import BaseRoute

from search_ui.routes import health, index_page, media, signin, upload, watching


def all_routes() -> list[BaseRoute]:
    """The routes of the server beside Streamlit's own."""
    return [
        *index_page.routes(),
        *signin.routes(),
        *media.routes(),
        *watching.routes(),
        *upload.routes(),
        *health.routes(),
    ]
