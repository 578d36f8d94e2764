"""A worker reports that it lives, and what it does: `install(app)` lets its parent do so from a
thread, because an idle child is told nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

from celery import Celery, signals

from indexer.catalog.database.session import Catalog
from indexer.catalog.leasing import processes
from indexer.catalog.leasing.owner import owner_name
from indexer.errors import SeekpointError
from indexer.settings import load_settings

log = logging.getLogger(__name__)

EVERY_S = 15.0

_stop = threading.Event()


def install(app: Celery) -> None:
    """From when the worker is ready until it ends."""
    del app
    signals.worker_ready.connect(_begin, weak=False, dispatch_uid="seekpoint.presence.begin")
    signals.worker_shutdown.connect(_end, weak=False, dispatch_uid="seekpoint.presence.end")


def _begin(sender: Any = None, **_: Any) -> None:
    threading.Thread(target=_report, args=(_kinds(sender),), name="presence", daemon=True).start()


def _kinds(consumer: Any) -> list[str]:
    queues = consumer.app.amqp.queues.consume_from if consumer is not None else {}
    return sorted(name.rpartition(".")[2] for name in queues)


def _report(kinds: Sequence[str]) -> None:
    # Its own: a lock that this thread holds must not be copied into a child.
    catalog = Catalog(load_settings().url)
    while True:
        try:
            with catalog.begin() as session:
                processes.report_process(session, owner_name(), "worker", kinds)
        except SeekpointError as error:
            log.warning("this worker could not report: %s", error)
        except Exception:  # whatever it is, the next report may go well
            log.exception("this worker could not report")
        if _stop.wait(EVERY_S):
            return


def _end(**_: Any) -> None:
    _stop.set()
    try:
        with Catalog(load_settings().url) as catalog, catalog.begin() as session:
            processes.end_process(session, owner_name())
    except SeekpointError as error:
        log.warning("this worker could not report its end: %s", error)
