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
from indexer.grounder.configured import require_grounder
from indexer.queue.notify import Notifier, kinds_of, queue_name
from indexer.settings import Settings, load_settings
from indexer.vocabulary import StageName

log = logging.getLogger(__name__)

NEEDED_BYTES = 1_000_000
"""Space that a worker finds out it has before it begins."""


def serve(queues: tuple[str, ...]) -> None:
    """Returns when the worker was stopped. Raises SeekpointError where it could do nothing."""
    settings = load_settings()
    kinds = [kind for kind in kinds_of(queues) if kind not in kinds_without_model(settings)]
    check(settings)
    check_models(settings, kinds)
    check_port(settings)
    from workers.app import app

    name = f"{'-'.join(queues)}-{os.getpid()}@{socket.gethostname()}"
    announce(settings, name, kinds)
    # The warning is about pickle, which is not accepted here.
    warnings.filterwarnings("ignore", "You're running the worker with superuser", SecurityWarning)
    app.worker_main(_celery_arguments(name, kinds))


def _celery_arguments(name: str, kinds: Sequence[str]) -> list[str]:
    # Quiet: its banner would stand between the lines of the log.
    queues = ",".join(map(queue_name, kinds))
    # Talk between workers that nobody here listens to.
    silent = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    place = ["--queues", queues, "--hostname", name, "--pool", "prefork"]
    return ["--quiet", "worker", *place, *silent]


def announce(settings: Settings, name: str, kinds: Sequence[str]) -> None:
    """Says what the worker does: to the log, or, where nothing below a warning is logged, to
    whoever started it.
    """
    text = f"worker {name} waits for work: {', '.join(kinds)}"
    if settings.log_format == "json":
        log.info(text)
    else:
        print(text, file=sys.stderr, flush=True)


def kinds_without_model(settings: Settings) -> set[str]:
    """Kinds of work that this machine has no model for: their notifications are left to others."""
    lacking = set() if settings.grounder_kind else {"ground", StageName.EVENTS}
    if not settings.speech:
        lacking.add(StageName.SPEECH)
    if not settings.screen_text:
        lacking.add(StageName.SCREEN)
    if not settings.sound:
        lacking.add(StageName.SOUND)
    return lacking


def check(settings: Settings) -> None:
    """Broker, database and disk, each within a few seconds. Raises QueueError, CatalogError,
    StorageError.
    """
    Notifier(settings).check()
    with Catalog(settings.url).open():
        pass
    for folder in (settings.home_path, settings.artefacts):
        check_space(folder)


def check_models(settings: Settings, kinds: Sequence[str]) -> None:
    """What can be told without loading a model. Raises ModelError, UsageError."""
    if {StageName.PICTURE, "plan"} & {*kinds}:
        require_embedder(settings)
    if {"ground", StageName.EVENTS} & {*kinds}:
        require_grounder(settings)


def check_port(settings: Settings) -> None:
    """Celery logs an error of a signal and goes on: a worker whose metrics nobody can read is told
    of before. Raises UsageError.
    """
    if not settings.metrics_port:
        return
    try:
        found = socket.getaddrinfo(
            settings.metrics_host, settings.metrics_port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(found[0], found[1]) as probe:
            # As the server does: the port of a worker that just ended is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(found[4])
    except (OSError, OverflowError) as error:
        raise UsageError(
            "cannot serve metrics at {address}: {reason}",
            "each worker of a machine needs a SEEKPOINT_METRICS_PORT of its own; 0 for none; "
            "SEEKPOINT_METRICS_HOST is an address of it",
            address=f"{settings.metrics_host}:{settings.metrics_port}",
            reason=(getattr(error, "strerror", None) or str(error)).lower(),
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
