"""`seekpoint worker`: looks whether everything is there, says what is not, and works until it is
stopped.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

from celery.platforms import SecurityWarning

from indexer.artefacts import storage_error
from indexer.catalog.database.session import Catalog
from indexer.embedders.registry import require_embedder
from indexer.errors import UsageError
from indexer.grounder.lego import require_lego
from indexer.queue.notify import Hints, kinds_of, queue_name
from indexer.settings import Settings, load_settings

log = logging.getLogger(__name__)

NEEDED_BYTES = 1_000_000


def serve(queues: tuple[str, ...]) -> None:
    """Returns when the worker was stopped. Raises SeekpointError where it could do nothing."""
    settings = load_settings()
    kinds = [kind for kind in kinds_of(queues) if kind not in unable(settings)]
    check(settings)
    check_models(settings, kinds)
    check_port(settings)
    from workers.app import app

    name = f"{'-'.join(queues)}-{os.getpid()}@{socket.gethostname()}"
    announce(settings, name, kinds)
    warnings.filterwarnings(
        "ignore", "You're running the worker with superuser", SecurityWarning
    )  # of pickle, which is not accepted here
    quiet = [
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
    ]  # talk between workers that nobody here listens to
    # Quiet: its banner would stand between the lines of the log.
    app.worker_main(
        [
            "--quiet",
            "worker",
            "--queues",
            ",".join(map(queue_name, kinds)),
            "--hostname",
            name,
            "--pool",
            "prefork",
            *quiet,
        ]
    )


def announce(settings: Settings, name: str, kinds: Sequence[str]) -> None:
    said = f"worker {name} waits for work: {', '.join(kinds)}"
    if settings.log_format == "json":
        log.info(said)
    else:
        print(
            said, file=sys.stderr, flush=True
        )  # to whoever started it: as text, nothing below a warning is logged


def unable(settings: Settings) -> set[str]:
    """Kinds of work that this machine has no model for: their hints are left to others."""
    lacking = {"ground", "events"} if not settings.lego_path else set()
    return (
        lacking
        | ({"speech"} if not settings.speech else set())
        | ({"screen"} if not settings.screen_text else set())
        | ({"sound"} if not settings.sound else set())
    )


def check(settings: Settings) -> None:
    """Broker, database and disk, each within a few seconds. Raises QueueError, CatalogError,
    StorageError.
    """
    Hints(settings).check()
    with Catalog(settings.url).open():
        pass
    for folder in (settings.home_path, settings.artefacts):
        check_space(folder)


def check_models(settings: Settings, kinds: Sequence[str]) -> None:
    """What can be told without loading a model. Raises ModelError, UsageError."""
    if {"picture", "plan"} & {*kinds}:
        require_embedder(settings)
    if {"ground", "events"} & {*kinds}:
        require_lego(settings)


def check_port(settings: Settings) -> None:
    """Celery logs an error of a signal and goes on: a worker whose figures nobody can read is told
    of before. Raises UsageError.
    """
    if not settings.metrics_port:
        return
    address = f"{settings.metrics_host}:{settings.metrics_port}"
    try:
        found = socket.getaddrinfo(
            settings.metrics_host, settings.metrics_port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(found[0], found[1]) as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # as the server does: the port of a worker that just ended is free
            probe.bind(found[4])
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or str(error)
        hint = "each worker of a machine needs a SEEKPOINT_METRICS_PORT of its own; 0 for none; SEEKPOINT_METRICS_HOST is an address of it"
        raise UsageError(
            "cannot serve figures at {address}: {lower}", hint, address=address, lower=said.lower()
        ) from error


def check_space(folder: Path) -> None:
    """Raises StorageError where a file of a megabyte cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".space-") as file:
            file.write(bytes(NEEDED_BYTES))
            file.flush()
    except OSError as error:
        raise storage_error(folder, error) from error
