"""Several processes that serve the page at one address.

The kernel hands each connection to one of them (SO_REUSEPORT). A WebSocket stays with its process;
anything else can be answered by any, since sessions and jobs are in SQL.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.context import SpawnContext, SpawnProcess

from indexer.errors import UsageError

log = logging.getLogger("seekpoint")

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
LOOK_EVERY_S = 0.5
SHORT_LIFE_S, MOST_SHORT_LIVES = 20.0, 3
STOP_S = 20.0


def run_processes(count: int, serve: Callable[[], None]) -> None:
    """Runs `serve` in so many processes until this one is told to stop; one that ends is replaced.
    `serve` is handed on by its name. Raises UsageError where they end at once again and again.
    """
    require_shared_ports()
    spawn = multiprocessing.get_context("spawn")
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    with tempfile.TemporaryDirectory(prefix="seekpoint-metrics-") as folder:
        os.environ[METRICS_FOLDER] = folder
        members = [_Member(spawn, serve) for _ in range(count)]
        try:
            while not stop.wait(LOOK_EVERY_S):
                for member in members:
                    member.keep_alive()
        finally:
            for member in members:
                member.ask_to_end()
            for member in members:
                member.end()
            for number, handler in before.items():
                signal.signal(number, handler)
            del os.environ[METRICS_FOLDER]


def require_shared_ports() -> None:
    """Raises UsageError where a system does not share one port among processes."""
    if not hasattr(socket, "SO_REUSEPORT") or os.uname().sysname != "Linux":
        raise UsageError(
            "several processes at one address need Linux",
            "leave --processes out, or start pages on ports of their own behind a proxy",
        )


def end_with_parent() -> None:
    """A member whose parent was killed ends too: nobody would replace or stop it."""
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_EVERY_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=look, name="parent", daemon=True).start()


class _Member:
    def __init__(self, spawn: SpawnContext, serve: Callable[[], None]) -> None:
        self._spawn, self._serve = spawn, serve
        self._short_lives = 0
        self._process = self._start()

    def _start(self) -> SpawnProcess:
        self._began = time.monotonic()
        process = self._spawn.Process(target=self._serve)
        process.start()
        return process

    def keep_alive(self) -> None:
        if self._process.is_alive():
            return
        was_short = time.monotonic() - self._began < SHORT_LIFE_S
        self._short_lives = self._short_lives + 1 if was_short else 0
        if self._short_lives >= MOST_SHORT_LIVES:
            raise UsageError(
                "a process of the page ends again and again (exit status {status})",
                "its log says why",
                status=self._process.exitcode or 0,
            )
        log.warning("a process of the page ended (%s); another begins", self._process.exitcode)
        self._process = self._start()

    def ask_to_end(self) -> None:
        self._process.terminate()

    def end(self) -> None:
        self._process.join(STOP_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
