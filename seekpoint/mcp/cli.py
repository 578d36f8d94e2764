"""`seekpoint mcp`: what an entry point adds to the command line."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

from indexer.errors import UsageError

TOKEN_VARIABLE = "SEEKPOINT_TOKEN"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def mcp(
    url: Annotated[
        str,
        typer.Option(
            "--url",
            help="Address of a server whose library it is (its token stands in "
            f"{TOKEN_VARIABLE}); without: the library of this machine.",
        ),
    ] = "",
    http: Annotated[
        bool,
        typer.Option("--http", help="Serve streamable HTTP at /mcp instead of stdin and stdout."),
    ] = False,
    host: Annotated[
        str, typer.Option("--host", help="Address to serve on; off the local machine with --url.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to serve on.", min=1, max=65535)] = 8502,
) -> None:
    """Serve the library to agents (Model Context Protocol)."""
    if find_spec("mcp") is None:
        raise UsageError(
            "`seekpoint mcp` needs the package {name!r}",
            "install it: pip install 'seekpoint[mcp]'",
            name="mcp",
        )
    if http and not url and host not in LOOPBACK:
        raise UsageError(
            "off the local machine everybody could ask this library",
            "give --url of a server, whose tokens then count",
        )
    serve = import_module("seekpoint.mcp.serve")  # brings the SDK along
    token = os.environ.get(TOKEN_VARIABLE, "")
    if http:
        serve.serve_http(url, host, port)
    else:
        serve.serve_stdio(url, token)
