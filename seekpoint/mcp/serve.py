"""The MCP server, by the official SDK: on stdin and stdout for a client that starts it, or over
streamable HTTP.

Over HTTP with the address of a server, each request is made with the token that it shows, so it
gets what that token opens; nothing is kept here.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from indexer.errors import UsageError
from indexer.library import Library
from seekpoint.client import Client
from seekpoint.mcp import tools
from seekpoint.mcp.tools import Seekpoint

KEPT_CLIENTS = 50
INSTRUCTIONS = """Seekpoint finds moments in a library of videos. Ask `search_moments` with what is
to be seen, heard, said or written, then look at the pictures that it returns before you answer:
`score` is the probability that a moment shows what was asked. Times are seconds from the start of a
video. `get_frame` shows any other time."""


def serve_stdio(url: str, token: str) -> None:
    """Until stdin ends. `url` empty: the library of this machine."""
    library = Seekpoint(Client(url, token), url) if url else Seekpoint(Library(), "")
    make_server(lambda _: library).run("stdio")


def serve_http(url: str, host: str, port: int) -> None:
    """Until it is stopped. `url` empty: the library of this machine, for whoever is at it."""
    local = None if url else Seekpoint(Library(), "")
    by_token = ByToken(url)

    def find(context: Context) -> Seekpoint:
        return local or by_token(context)

    make_server(find).run("streamable-http", host=host, port=port, **http_options(url))


def http_options(url: str) -> dict[str, Any]:
    """For the SDK. Without sessions: every request is whole, so processes may share the address and
    restart. In front of a server tokens count, which no page of another site has: a proxy may then
    pass on the name by which clients know it.
    """
    security = TransportSecuritySettings(enable_dns_rebinding_protection=False) if url else None
    return {"stateless_http": True, "json_response": True, "transport_security": security}


def make_server(find: Callable[[Context], Seekpoint]) -> MCPServer:
    """A server with all tools; `find` says whose library a request asks."""
    server = MCPServer("seekpoint", title="Seekpoint", instructions=INSTRUCTIONS)
    tools.add_tools(server, find)
    return server


class ByToken:
    """One client of the server at `url` for each token that is shown; the last ones are kept."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._clients: OrderedDict[str, Seekpoint] = OrderedDict()

    def __call__(self, context: Context) -> Seekpoint:
        headers = {name.lower(): value for name, value in (context.headers or {}).items()}
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise UsageError(
                "this server needs a token",
                "send it: Authorization: Bearer TOKEN; `seekpoint tokens add` makes one",
            )
        token = token.strip()
        with self._lock:
            found = self._clients.pop(token, None) or Seekpoint(Client(self._url, token), self._url)
            self._clients[token] = found
            while len(self._clients) > KEPT_CLIENTS:
                self._clients.popitem(last=False)
        return found
