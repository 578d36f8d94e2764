"""The process that does the work: one library per child, made when the first hint arrives, never
before the fork.
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

from indexer.errors import SeekpointError
from indexer.queue.notify import Hints

if TYPE_CHECKING:
    from indexer.queue.runner import Turns

log = logging.getLogger(__name__)

# A byte that the parent shares with the children that it forks: 1 once it was told to end.
_told_to_end = mmap.mmap(-1, 1)
_turns: tuple[int, Turns] | None = None


@worker_shutting_down.connect
def _tell_children(**_: object) -> None:
    _told_to_end[0] = 1


def stopping() -> bool:
    return _told_to_end[0] == 1


def turns() -> Turns:
    """Those of this process."""
    global _turns
    if _turns is None or _turns[0] != os.getpid():
        from indexer.context import Context
        from indexer.queue.runner import Turns

        context = Context()
        hints = Hints(context.settings)

        def tell(counts: Mapping[str, int]) -> None:
            try:
                hints.tell(counts)
            except SeekpointError as error:
                log.warning("%s; the next sweep tells it", error)

        made = Turns(context, stopping, tell)
        _turns = (os.getpid(), made)
        threading.Thread(
            target=_hand_back_in_time, args=(made,), name="shutdown", daemon=True
        ).start()
    return _turns[1]


def _hand_back_in_time(turns: Turns) -> None:
    """A chunk that is not done some time after the worker was told to end is handed back, and this
    process ends.
    """
    while not stopping():
        time.sleep(0.25)
    time.sleep(turns.settings.shutdown_s)
    log.warning(
        "handing back what is not done %g s after the worker was told to end",
        turns.settings.shutdown_s,
    )
    try:
        turns.hand_back()
    finally:
        os._exit(1)
