"""Work that somebody asked for and does not wait for any more: the programs that it started end."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Abandonable:
    """One piece of work; it may be abandoned from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self.abandoned = False

    def abandon(self) -> None:
        """Kills what runs, and whatever would be started later."""
        with self._lock:
            self.abandoned = True
            for process in self._running:
                process.kill()

    @contextmanager
    def holding(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """The program is part of the work until the end of the block."""
        with self._lock:
            self._running.add(process)
            if self.abandoned:
                process.kill()
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(process)


_current: ContextVar[Abandonable | None] = ContextVar("abandonable", default=None)


@contextmanager
def abandonable() -> Iterator[Abandonable]:
    """What is started inside, in this context (also in threads that it is handed on to), can be
    abandoned.
    """
    work = Abandonable()
    token = _current.set(work)
    try:
        yield work
    finally:
        _current.reset(token)


@contextmanager
def ends_when_abandoned(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """The program is killed when the work that it is part of is abandoned."""
    work = _current.get()
    if work is None:
        yield
        return
    with work.holding(process):
        yield
