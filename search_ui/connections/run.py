"""Runs the page's application in this process, with our limits and our log."""

from __future__ import annotations

import logging
import socket
from typing import Any

import streamlit as st
import streamlit.logger as streamlit_logs
import uvicorn
from streamlit.web.bootstrap import load_config_options

from indexer.settings import Settings
from search_ui.connections.http_protocol import limit_protocol
from search_ui.connections.limits import (
    BACKLOG,
    KEEP_ALIVE_S,
    LARGEST_FRAME_BYTES,
    LARGEST_HEAD_BYTES,
    SHUTDOWN_S,
    ConnectionLimits,
)


def run(app: st.App, config: dict[str, Any], settings: Settings, listener: socket.socket) -> None:
    """Serves what comes to the bound socket until the process is told to stop."""
    load_config_options(config)
    use_our_log()
    limits = ConnectionLimits.of(settings.ui_connections, settings.ui_trusted_proxies)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=limit_protocol(limits),
            ws="websockets-sansio",
            ws_max_size=LARGEST_FRAME_BYTES,
            ws_per_message_deflate=False,
            h11_max_incomplete_event_size=LARGEST_HEAD_BYTES,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=SHUTDOWN_S,
            proxy_headers=False,  # search_ui/server.py reads them, of configured proxies only
            server_header=False,
            access_log=False,
            log_config=None,
        )
    )
    server.run(sockets=[listener])


def use_our_log() -> None:
    """Streamlit gives each of its loggers, and uvicorn's, a handler of its own: their lines would
    stand in a log of JSON as text.
    """
    streamlit_logs.setup_formatter = _hand_on
    for logger in streamlit_logs._loggers.values():
        _hand_on(logger)


def _hand_on(logger: logging.Logger) -> None:
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
    logger.propagate = True
