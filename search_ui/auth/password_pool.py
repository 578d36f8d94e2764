"""Where passwords are hashed: in threads of its own, so that who guesses holds up nobody else."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MOST_WAITING = 50

T = TypeVar("T")


class PoolBusyError(Exception):
    """So many wait that one more would wait too long."""


class PasswordPool:
    """Half of the cores at most; of those that are hashed and those that wait (`waiting`) there
    are `MOST_WAITING` at most.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2), "passwords")
        self._lock = threading.Lock()
        self.waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns. Raises PoolBusyError at once where too many wait."""
        with self._lock:
            if self.waiting >= MOST_WAITING:
                raise PoolBusyError
            self.waiting += 1

        future = self._threads.submit(work)
        # Also called where whoever waits hangs up before a thread has begun.
        future.add_done_callback(self._done)
        return await asyncio.wrap_future(future)

    def _done(self, _: object) -> None:
        with self._lock:
            self.waiting -= 1
