"""The server: Streamlit's page, our routes beside it, the sign-in check in front of both."""

from __future__ import annotations

import contextlib
import gc
import logging
import socket
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from indexer.catalog import accounts
from indexer.errors import UsageError, os_reason
from indexer.logs import set_up
from indexer.settings import Settings
from search_ui.app_state import AppState, app_state, open_app_state
from search_ui.auth.auth_middleware import LOOPBACK, AuthMiddleware
from search_ui.auth.oidc import streamlit_secrets
from search_ui.auth.sessions import kept_secret
from search_ui.compression import StaticCompression
from search_ui.routes import all_routes
from search_ui.session_state import escape_markdown, translator

WARM_EVERY_S = 60.0
"""Until models could be loaded."""

# Not beside the folder `pages`, whose files Streamlit would take for scripts of its own.
MAIN = Path(__file__).parent / "pages" / "main.py"
THEMES: dict[str, dict[str, str]] = {
    "light": {
        "primaryColor": "#0f766e",
        "backgroundColor": "#fbfaf7",
        "secondaryBackgroundColor": "#f0eee8",
        "textColor": "#1f2421",
        "borderColor": "#d9d6cd",
    },
    "dark": {
        "primaryColor": "#2b9c90",
        "backgroundColor": "#14171a",
        "secondaryBackgroundColor": "#1e2327",
        "textColor": "#e8e6e1",
        "borderColor": "#363c42",
    },
}


def serve(settings: Settings, *, host: str, port: int, sign_in: bool) -> None:
    """Serves until it is stopped. Raises UsageError where it could not, or must not."""
    sign_in = sign_in or settings.ui_sign_in == "always" or host not in LOOPBACK
    _check_port(host, port)
    set_up(settings, "page")
    app = make_app(settings, sign_in=sign_in)
    app.run(config=streamlit_config(host, port))


def make_app(settings: Settings, *, sign_in: bool) -> st.App:
    """The ASGI application. Raises UsageError when nobody could sign in."""
    shared = open_app_state(settings, sign_in=sign_in)
    _check_people(shared)
    secret = settings.ui_secret or kept_secret(settings.home_path)
    return st.App(
        MAIN,
        secrets=streamlit_secrets(settings, secret) if sign_in else {},
        routes=all_routes(),
        middleware=[
            Middleware(StaticCompression),
            Middleware(AuthMiddleware, app_state=shared),
        ],
        lifespan=_lifespan,
        on_script_error=_show_defect,
    )


def _show_defect(error: Exception) -> bool:
    """A defect in words; its traceback goes to the log of the server."""
    logging.getLogger("seekpoint").error("the page failed", exc_info=error)
    tr = translator()
    defect = tr(
        "This is a defect: {error}", error=escape_markdown(f"{type(error).__name__}: {error}")
    )
    st.error(f"**{tr('Something went wrong')}.** {defect}", icon=":material/error:")
    return True


@contextlib.asynccontextmanager
async def _lifespan(app: st.App) -> AsyncGenerator[dict[str, Any], None]:
    """While the server runs, jobs are done and folders are watched; models are loaded before the
    first question comes.
    """
    del app
    jobs = app_state().jobs
    jobs.serve()
    jobs.supervisor.start("models", _warm, WARM_EVERY_S, once=True)
    try:
        yield {}
    finally:
        jobs.stop()


def _warm() -> None:
    """The page says the same error when a question is asked; the log is for whoever started the
    server.
    """
    app_state().library.warm()
    # What stands now stays for good: collections need not look at it again.
    gc.collect()
    gc.freeze()


def _check_people(shared: AppState) -> None:
    if not shared.sign_in or shared.settings.oidc_metadata_url:
        return
    with shared.library.catalog.read() as session:
        if not accounts.count_accounts(session):
            raise UsageError(
                "off the local machine people have to sign in, and there is no user yet",
                "`seekpoint users add NAME` adds one",
            )


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                "port {port} of {host} cannot be used: {reason}",
                "choose another: --port N",
                port=port,
                host=host,
                reason=os_reason(error),
            ) from None


def streamlit_config(host: str, port: int) -> dict[str, Any]:
    """Nothing leaves the machine, nothing is reloaded, and people see no tools of programmers."""
    themes = {
        f"theme.{name}.{key}": value
        for name, theme in THEMES.items()
        for key, value in theme.items()
    }
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.runOnSave": False,
        "server.enableXsrfProtection": True,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showSidebarNavigation": True,
        "logger.level": "warning",
        # A whole collection after each run holds everything up, the cards on their way to the
        # browser too: Python's own suffices.
        "runner.postScriptGC": False,
        "theme.baseRadius": "0.6rem",
        "theme.showWidgetBorder": True,
        **themes,
    }
