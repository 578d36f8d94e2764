"""`seekpoint worker`: added to the command line by the entry point `seekpoint.commands`."""

from __future__ import annotations

from typing import Annotated

import typer

from indexer.errors import UsageError


def worker(
    queue: Annotated[
        list[str] | None,
        typer.Option("--queue", help="cpu or gpu (repeatable); both, if none is named."),
    ] = None,
) -> None:
    """Do what was queued, until stopped: SIGTERM or Ctrl+C finishes the chunk or releases it. One
    worker per GPU or core.
    """
    try:
        from workers.serve import serve
    except ModuleNotFoundError as error:
        raise UsageError(
            "workers need {name}, which is not installed",
            "pip install 'seekpoint[queue]'",
            name=error.name,
        ) from None
    serve(tuple(queue or ("gpu", "cpu")))
