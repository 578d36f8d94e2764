"""The process that does the work: one library per child, made when the first notification arrives,
never before the fork.
"""

from __future__ import annotations

import logging
import mmap
import os
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from celery.signals import worker_shutting_down

from indexer.catalog.leasing.owner import owner_name
from indexer.context import Context
from indexer.errors import SeekpointError
from indexer.queue.notify import Notifier

if TYPE_CHECKING:
    from indexer.queue.runner import Runner

log = logging.getLogger(__name__)

# A byte that the parent shares with the children that it forks: 1 once it was told to end.
_told_to_end = mmap.mmap(-1, 1)
_runner: tuple[int, Runner] | None = None


@worker_shutting_down.connect
def _tell_children(**_: object) -> None:
    _told_to_end[0] = 1


def stopping() -> bool:
    """Whether the worker was told to end."""
    return _told_to_end[0] == 1


def runner() -> Runner:
    """That of this process. Raises SeekpointError where the library cannot be opened."""
    global _runner
    if _runner is None or _runner[0] != os.getpid():
        _runner = (os.getpid(), _make_runner())
    return _runner[1]


def _make_runner() -> Runner:
    from indexer.queue.runner import Runner

    context = Context()
    notifier = Notifier(context.settings)

    def notify(counts: Mapping[str, int]) -> None:
        try:
            notifier.notify(counts)
        except SeekpointError as error:
            log.warning("%s; the reaper notifies again", error)

    made = Runner(context, stopping, notify, reported_as=owner_name(os.getppid()))
    threading.Thread(target=_release_in_time, args=(made,), name="shutdown", daemon=True).start()
    return made


def _release_in_time(runner: Runner) -> None:
    """A chunk that is not done some time after the worker was told to end is released, and this
    process ends.
    """
    while not stopping():
        time.sleep(0.25)
    time.sleep(runner.settings.shutdown_s)
    log.warning(
        "releasing what is not done %g s after the worker was told to end",
        runner.settings.shutdown_s,
    )
    try:
        runner.release_all()
    except Exception:  # its leases end, or the next worker here finds them without an owner
        log.exception("what is not done could not be released")
    finally:
        os._exit(1)
