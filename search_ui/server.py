"""The server: Streamlit's page, our routes beside it, the sign-in check in front of both."""

from __future__ import annotations

import contextlib
import gc
import math
import os
import socket
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, request_response
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from indexer.catalog import accounts
from indexer.catalog.people.tokens import has_valid_token
from indexer.errors import SeekpointError, UsageError, os_reason
from indexer.logs import set_up
from indexer.settings import Settings
from search_ui.api.rate_limit import RateLimit
from search_ui.app_state import AppState, app_state, open_app_state
from search_ui.auth.auth_middleware import LOOPBACK, AuthMiddleware
from search_ui.auth.oidc import streamlit_secrets
from search_ui.auth.sessions import kept_secret
from search_ui.compression import StaticCompression
from search_ui.connections.processes import end_with_parent, run_processes
from search_ui.connections.run import run
from search_ui.connections.slow_bodies import SlowBodies
from search_ui.connections.used_routes import UsedRoutes
from search_ui.outages import Outages, note_error
from search_ui.routes import all_routes
from search_ui.routes.plain_page import missing_page
from search_ui.session_state import escape_markdown, show_error, translator

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


def serve(settings: Settings, *, host: str, port: int, sign_in: bool, processes: int = 1) -> None:
    """Serves until it is stopped. Raises UsageError where it could not, or must not."""
    sign_in = sign_in or settings.ui_sign_in == "always" or host not in LOOPBACK
    set_up(settings, "page")
    if processes == 1:
        with listen(host, port) as listener:
            app = make_app(settings, sign_in=sign_in)
            run(app, streamlit_config(host, port), settings, listener)
        return
    with listen(host, port):  # nobody else is there
        kept_secret(settings.home_path)
        _check_people(open_app_state(settings, sign_in=sign_in))
    each = settings.model_copy(update=_share(settings, processes))
    run_processes(processes, partial(serve_as_member, each, host, port, sign_in))


def _share(settings: Settings, processes: int) -> dict[str, int]:
    """What one of so many processes takes of the machine."""
    cores = settings.threads or os.cpu_count() or 1
    return {
        "threads": max(1, cores // processes),
        "ui_connections": max(10, settings.ui_connections // processes),
        "api_requests_per_minute": math.ceil(settings.api_requests_per_minute / processes),
    }


def serve_as_member(settings: Settings, host: str, port: int, sign_in: bool) -> None:
    """One of several processes that share the address."""
    end_with_parent()
    set_up(settings, "page")
    with listen(host, port, shared=True) as listener:
        app = make_app(settings, sign_in=sign_in)
        run(app, streamlit_config(host, port), settings, listener)


def make_app(settings: Settings, *, sign_in: bool) -> st.App:
    """The ASGI application. Raises UsageError when nobody could sign in."""
    shared = open_app_state(settings, sign_in=sign_in)
    _check_people(shared)
    secret = settings.ui_secret or kept_secret(settings.home_path)
    secrets = streamlit_secrets(settings, secret) if sign_in else {}
    routes = all_routes()
    return st.App(
        MAIN,
        secrets=secrets,
        routes=routes,
        middleware=middleware(shared, routes, has_oidc=bool(secrets)),
        lifespan=_lifespan,
        on_script_error=_show_defect,
    )


def middleware(
    shared: AppState, routes: Sequence[BaseRoute], *, has_oidc: bool
) -> list[Middleware]:
    """What every request passes before a route sees it, outermost first."""
    return [
        # Who speaks for others is believed where the settings name it.
        Middleware(
            ProxyHeadersMiddleware,  # pyright: ignore[reportArgumentType]
            trusted_hosts=shared.settings.ui_trusted_proxies,
        ),
        Middleware(Outages, metrics=shared.requests),
        Middleware(SlowBodies),
        Middleware(StaticCompression),
        Middleware(AuthMiddleware, app_state=shared),
        Middleware(RateLimit, per_minute=shared.settings.api_requests_per_minute),
        Middleware(
            UsedRoutes,
            routes=routes,
            missing=request_response(missing_page),
            has_oidc=has_oidc,
        ),
    ]


def _show_defect(error: Exception) -> bool:
    """A defect in words, its traceback in the log of the server; what is away without one."""
    note_error(error, app_state().requests)
    tr = translator()
    if isinstance(error, SeekpointError):
        show_error(error, tr)
        return True
    defect = tr(
        "This is a defect: {error}", error=escape_markdown(f"{type(error).__name__}: {error}")
    )
    st.error(f"**{tr('Something went wrong.')}** {defect}", icon=":material/error:")
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
    """Raises UsageError where neither people nor programs could enter."""
    if not shared.sign_in or shared.settings.oidc_metadata_url:
        return
    with shared.library.catalog.read() as session:
        if not (accounts.count_accounts(session) or has_valid_token(session)):
            raise UsageError(
                "whoever enters has to sign in or to show a token, and there is no user and no "
                "token yet",
                "`seekpoint users add NAME` lets a person in, `seekpoint tokens add NAME` programs",
            )


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket bound to the address; `shared`: other processes of ours are bound to it too. Raises
    UsageError where that is not possible.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol by name: asyncio sends small answers at once (TCP_NODELAY) on such sockets only,
    # and others wait 40 ms for the other end to acknowledge the head.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UsageError(
            "port {port} of {host} cannot be used: {reason}",
            "choose another: --port N",
            port=port,
            host=host,
            reason=os_reason(error),
        ) from None
    return listener


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
        # Its route is closed (connections/used_routes.py): our own takes files.
        "server.maxUploadSize": 1,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showSidebarNavigation": True,
        "logger.level": "warning",
        # A whole collection after each run holds everything up, the cards on their way to the
        # browser too: Python's own suffices.
        "runner.postScriptGC": False,
        # The browser may forget what it kept while the server refers to it: who went back before a
        # page was drawn got a page that never changed again. All is sent instead, about 100 KB.
        "global.minCachedMessageSize": 1e12,
        "theme.baseRadius": "0.6rem",
        "theme.showWidgetBorder": True,
        **themes,
    }
