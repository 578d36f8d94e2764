"""A value that is computed from what is live under a key, and follows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from indexer.catalog.database.session import Catalog
from indexer.catalog.vectors.live_chunks import LiveState, get_live_state

T = TypeVar("T")
# Asking and computing take at most a sixth of the time in which something is committed again and
# again; what a search would notice to wait for, far less.
PAUSES = 5
LONG_S, PAUSES_OF_LONG = 0.2, 60
SERVER_PAUSE_S = 0.5  # a server does not tell cheaply whether anything was committed


class LiveValue(Generic[T]):
    """`compute` is given the state to compute from; `collection_ids`: of these alone, None: of all.
    Safe to share between threads.

    Any commit that changes what is live makes the value anew, so that a process that has run for
    long says the same as one that has just begun.
    """

    def __init__(
        self,
        catalog: Catalog,
        key: str,
        stage: str,
        compute: Callable[[LiveState], T],
        collection_ids: Sequence[int] | None = None,
    ) -> None:
        self._catalog = catalog
        self._asked = (key, stage, collection_ids)
        self._compute = compute
        self._watch = catalog.watch()
        self._lock = threading.Lock()
        self._known: tuple[LiveState, T] | None = None
        self._outdated = True
        self._next_look_s = 0.0

    def get(self) -> T:
        """The value for what is live now, or was a moment ago where finding out takes long."""
        known = self._known
        if known is not None and time.monotonic() < self._next_look_s:
            return known[1]
        if known is not None and self._lock.locked():
            return known[1]  # another thread is at it
        with self._lock:
            self._known = known = self._newer(self._known)
            return known[1]

    def _newer(self, known: tuple[LiveState, T] | None) -> tuple[LiveState, T]:
        if self._watch.has_changed():
            self._outdated = True  # until it was taken up: an error on the way must not lose it
        if known is not None and not self._outdated:
            return known
        began_s = time.monotonic()
        with self._catalog.read_replica() as session:
            state = get_live_state(session, *self._asked)
        if known is None or state != known[0]:
            known = (state, self._compute(state))
        self._outdated = False
        now_s = time.monotonic()
        took_s = now_s - began_s
        pause_s = took_s * (PAUSES if took_s < LONG_S else PAUSES_OF_LONG)
        self._next_look_s = now_s + max(pause_s, 0.0 if self._catalog.is_sqlite else SERVER_PAUSE_S)
        return known
