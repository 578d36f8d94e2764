"""Our own routes beside Streamlit's."""

from __future__ import annotations

from starlette.routing import BaseRoute

from search_ui.routes import health, media, shell, signin, upload


def all_routes() -> list[BaseRoute]:
    return [*shell.routes(), *signin.routes(), *media.routes(), *upload.routes(), *health.routes()]
