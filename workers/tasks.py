"""Tasks: each is a hint to take a turn at one kind of work. They carry nothing; which chunk or
errand comes next is decided in SQL.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from indexer.errors import CatalogError, ModelError, StorageError, UsageError
from indexer.queue.notify import queue_name, task_name
from workers.app import app
from workers.child import stopping, turns

if TYPE_CHECKING:
    from indexer.queue.runner import Turn

log = logging.getLogger(__name__)

PAUSE_S = 3.0
"""After a full disk, a database that is away, a model that is not there: the work was handed back,
and would only fail again at once.
"""

Result = dict[str, Any]


def _task(kind: str) -> Callable:
    return app.task(name=task_name(kind), queue=queue_name(kind))


@_task("picture")
def picture() -> Result:
    return _take("picture", lambda: turns().stage("picture"))


@_task("events")
def events() -> Result:
    return _take("events", lambda: turns().stage("events"))


@_task("speech")
def speech() -> Result:
    return _take("speech", lambda: turns().stage("speech"))


@_task("screen")
def screen() -> Result:
    return _take("screen", lambda: turns().stage("screen"))


@_task("sound")
def sound() -> Result:
    return _take("sound", lambda: turns().stage("sound"))


@_task("plan")
def plan() -> Result:
    return _take("plan", lambda: turns().plan())


@_task("ground")
def ground() -> Result:
    return _take("ground", lambda: turns().ground())


@_task("artefacts")
def artefacts() -> Result:
    return _take("artefacts", lambda: turns().artefacts())


@_task("publish")
def publish() -> Result:
    return _take("publish", lambda: turns().publish())


@_task("sweep")
def sweep() -> Result:
    return _take("sweep", lambda: turns().sweep())


def _take(kind: str, turn: Callable[[], Turn]) -> Result:
    """The turn's figures. What stops a turn loses nothing: its work was handed back, or its lease
    ends, and a sweep hints at it again.
    """
    if stopping():
        return {"kind": kind, "more": True}
    try:
        turns().recover_here()
        taken = turn()
    except (StorageError, CatalogError, ModelError, UsageError) as error:
        log.error("%s: %s", kind, error)
        _pause()
        return {"kind": kind, "more": True, "error": str(error)}
    if taken.more and not stopping():
        turns().tell({kind: 1})
    return asdict(taken)


def _pause() -> None:
    until = time.monotonic() + PAUSE_S
    while time.monotonic() < until and not stopping():
        time.sleep(0.1)
