"""`seekpoint worker`: looks whether everything is there, says what is not, and works until it is stopped."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

from indexer.artefacts import storage_error
from indexer.catalog.session import Catalog
from indexer.hints import Hints, kinds_of, queue_name
from indexer.settings import Settings, load_settings

NEEDED_BYTES = 1_000_000


def serve(queues: tuple[str, ...]) -> None:
    """Returns when the worker was stopped. Raises SeekpointError where it could do nothing."""
    settings = load_settings()
    kinds = [kind for kind in kinds_of(queues) if kind not in unable(settings)]
    check(settings)
    from workers.app import app

    name = f"{'-'.join(queues)}-{os.getpid()}@{socket.gethostname()}"
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]  # talk between workers that nobody here listens to
    app.worker_main(["worker", "--queues", ",".join(map(queue_name, kinds)), "--hostname", name, "--pool", "prefork", *quiet])


def unable(settings: Settings) -> set[str]:
    """Kinds of work that this machine has no model for: their hints are left to others."""
    lacking = {"ground", "events"} if not settings.lego_path else set()
    return lacking | ({"speech"} if not settings.speech else set()) | ({"screen"} if not settings.screen_text else set())


def check(settings: Settings) -> None:
    """Broker, database and disk, each within a few seconds. Raises QueueError, CatalogError, StorageError."""
    Hints(settings).check()
    with Catalog(settings.url).open():
        pass
    for folder in (settings.home_path, settings.artefacts):
        check_space(folder)


def check_space(folder: Path) -> None:
    """Raises StorageError where a file of a megabyte cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".space-") as file:
            file.write(bytes(NEEDED_BYTES))
            file.flush()
    except OSError as error:
        raise storage_error(folder, error) from error
