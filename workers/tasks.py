"""Tasks: each is a notification to run a slice of one kind of work. They carry nothing; which chunk
or job comes next is decided in SQL.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from indexer.errors import CatalogError, ModelError, StorageError, UsageError
from indexer.queue.notify import queue_name, task_name
from indexer.vocabulary import StageName
from workers.app import app
from workers.child import runner, stopping

if TYPE_CHECKING:
    from indexer.queue.work_slice import WorkSlice

log = logging.getLogger(__name__)

PAUSE_S = 3.0
"""After a full disk, a database that is unreachable, a model that is missing: the work was
released, and would only fail again at once.
"""

CONVERSION_TIMEOUT_S = 7 * 86_400
"""A film may take hours; ffmpeg has a time-out of its own, which follows the film's length."""

Result = dict[str, Any]


def _task(kind: str, **options: Any) -> Callable:
    return app.task(name=task_name(kind), queue=queue_name(kind), **options)


@_task(StageName.PICTURE)
def picture() -> Result:
    """Frames and segments of chunks."""
    return _run(StageName.PICTURE, lambda: runner().run_stage(StageName.PICTURE))


@_task(StageName.EVENTS)
def events() -> Result:
    """Events of chunks, by a grounding model."""
    return _run(StageName.EVENTS, lambda: runner().run_stage(StageName.EVENTS))


@_task(StageName.SPEECH)
def speech() -> Result:
    """Speech of chunks."""
    return _run(StageName.SPEECH, lambda: runner().run_stage(StageName.SPEECH))


@_task(StageName.SCREEN)
def screen() -> Result:
    """Text on screen of chunks."""
    return _run(StageName.SCREEN, lambda: runner().run_stage(StageName.SCREEN))


@_task(StageName.SOUND)
def sound() -> Result:
    """Sounds of chunks."""
    return _run(StageName.SOUND, lambda: runner().run_stage(StageName.SOUND))


@_task("plan")
def plan() -> Result:
    """Chunks of files that arrived."""
    return _run("plan", lambda: runner().plan())


@_task("ground")
def ground() -> Result:
    """Questions about moments, by a grounding model."""
    return _run("ground", lambda: runner().ground())


@_task("proxy", time_limit=CONVERSION_TIMEOUT_S)
def proxy() -> Result:
    """Proxies that somebody waits for."""
    return _run("proxy", lambda: runner().make_proxies())


@_task("artefacts", time_limit=CONVERSION_TIMEOUT_S)
def artefacts() -> Result:
    """Thumbnails and proxies of videos."""
    return _run("artefacts", lambda: runner().make_artefacts())


@_task("publish")
def publish() -> Result:
    """Vector snapshots that are due."""
    return _run("publish", lambda: runner().publish())


@_task("reap")
def reap() -> Result:
    """What lost workers held, and notifications that were lost."""
    return _run("reap", lambda: runner().reap())


def _run(kind: str, work: Callable[[], WorkSlice]) -> Result:
    """What came of the work slice. What stops one loses nothing: its work was released, or its
    lease ends, and the reaper notifies of it again.
    """
    if stopping():
        return {"kind": kind, "more": True}
    try:
        lost = runner().requeue_local_orphans()
        done = work()
    except (StorageError, CatalogError, ModelError, UsageError) as error:
        log.error("%s: %s", kind, error)
        _pause()
        return {"kind": kind, "more": True, "error": str(error)}
    if done.more and not stopping():
        runner().notify({kind: 1})
    # The reaper's own count is of what it took back from others.
    return {**asdict(done), "lost_leases": lost + (done.done if kind == "reap" else 0)}


def _pause() -> None:
    until = time.monotonic() + PAUSE_S
    while time.monotonic() < until and not stopping():
        time.sleep(0.1)
