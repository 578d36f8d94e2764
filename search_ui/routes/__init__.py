"""Our own routes beside Streamlit's."""

from __future__ import annotations

from starlette.routing import BaseRoute

from search_ui.routes import account, health, index_page, media, signin, stills, upload, watching


def all_routes() -> list[BaseRoute]:
    """The routes of the server beside Streamlit's own."""
    return [
        *index_page.routes(),
        *signin.routes(),
        *account.routes(),
        *media.routes(),
        *stills.routes(),
        *watching.routes(),
        *upload.routes(),
        *health.routes(),
    ]
