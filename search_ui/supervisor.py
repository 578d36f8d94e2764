"""Threads of the page that must not die: whatever a round raises is noted and logged, and the next
round comes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from indexer.errors import SeekpointError
from indexer.messages import NOTHING, Message

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ThreadState:
    """`alive`: it runs, or has done what it was to do once. `age_s`: since a round went well last
    (None: none did yet); `busy_s`: how long the round that runs now has run (None: none does);
    `error`: of the last round, empty where it went well.
    """

    name: str
    alive: bool
    age_s: float | None
    busy_s: float | None
    error: Message


class Supervisor:
    """Threads that do something every so often until they are told to stop."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads: dict[str, _Repeated] = {}

    def start(
        self, name: str, work: Callable[[], object], every_s: float, *, once: bool = False
    ) -> None:
        """Does `work` now and every `every_s` (`once`: until it went well); where it returns True,
        again at once. A thread of this name that is there already goes on.
        """
        with self._lock:
            if name not in self._threads and not self.stopping.is_set():
                self._threads[name] = _Repeated(name, work, every_s, self.stopping, once=once)

    def wake(self, name: str) -> None:
        """The next round of a thread comes now."""
        with self._lock:
            thread = self._threads.get(name)
        if thread is not None:
            thread.wanted.set()

    def stop(self, timeout_s: float = 0.0) -> None:
        """Ends all threads after their rounds; waits for that as long as is said."""
        self.stopping.set()
        with self._lock:
            threads = list(self._threads.values())
        for thread in threads:
            thread.wanted.set()
        until = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def states(self) -> list[ThreadState]:
        """How each thread is, by name."""
        with self._lock:
            return [self._threads[name].state() for name in sorted(self._threads)]


class ThreadMetrics(Collector):
    """How the threads are, for Prometheus."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing: there are no threads yet when it is registered."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics as they are now."""
        alive, failing, age_s = (
            GaugeMetricFamily(f"seekpoint_thread_{name}", text, labels=["thread"])
            for name, text in (
                ("alive", "Whether a thread of the page lives"),
                ("failing", "Whether its last round failed"),
                ("age_seconds", "Seconds since a round of it went well"),
            )
        )
        for state in self._supervisor.states():
            alive.add_metric([state.name], float(state.alive))
            failing.add_metric([state.name], float(bool(state.error)))
            if state.age_s is not None:
                age_s.add_metric([state.name], state.age_s)
        yield from (alive, failing, age_s)


class _Repeated:
    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        every_s: float,
        stopping: threading.Event,
        *,
        once: bool,
    ) -> None:
        self._once = once
        self.wanted = threading.Event()
        self._name = name
        self._work = work
        self._every_s = every_s
        self._stopping = stopping
        self._well: float | None = None
        self._began: float | None = None
        self._error = NOTHING
        self._thread = threading.Thread(target=self._run, name=f"page-{name}", daemon=True)
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Waits for the end of the thread."""
        self._thread.join(timeout_s)

    def state(self) -> ThreadState:
        """How it is now."""
        now, well, began = time.monotonic(), self._well, self._began
        return ThreadState(
            self._name,
            self._thread.is_alive() or (self._once and well is not None),
            None if well is None else now - well,
            None if began is None else now - began,
            self._error,
        )

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.wanted.clear()
            again = self._round()
            if self._once and not self._error:
                return
            if not again:
                self.wanted.wait(self._every_s)

    def _round(self) -> bool:
        self._began = time.monotonic()
        try:
            again = self._work() is True
        except SeekpointError as error:
            self._note(error.what)
        except Exception as error:  # noqa: BLE001 that is what it is for
            values = {"name": type(error).__name__, "error": error}
            self._note(Message("{name}: {error}", values), error)
        else:
            self._error, self._well = NOTHING, time.monotonic()
            return again
        finally:
            self._began = None
        return False

    def _note(self, error: Message, defect: Exception | None = None) -> None:
        """Once for each error: an outage of an hour is no thousand lines."""
        if error != self._error:
            log.warning("%s behind the page failed: %s", self._name, error, exc_info=defect)
        self._error = error
