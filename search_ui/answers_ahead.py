"""Answers that the document of a page has asked for already when the session that it starts asks.

A question costs a tenth of a second: nobody should have to wait for it twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor

from indexer.search.types import Answer

AT_ONCE = 4
MOST_KEPT = 32
FRESH_S = 30.0  # a browser that never came back leaves its answer


class AnswersAhead:
    """Of one process. `question`: all that the answer depends on, who asks among it."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="answers-ahead")
        self._lock = threading.Lock()
        self._asked: dict[Hashable, tuple[float, Future[Answer]]] = {}

    def ask(self, question: Hashable, answer: Callable[[], Answer]) -> Future[Answer] | None:
        """Begins to answer; None where that is being done already, or as much as may be done at
        once: nobody's questions take the threads that others' documents wait for.
        """
        with self._lock:
            self._forget_old()
            _, known = self._asked.get(question, (0.0, None))
            if known is not None:
                return known if known.done() else None
            if sum(not found.done() for _, found in self._asked.values()) >= AT_ONCE:
                return None
            while len(self._asked) >= MOST_KEPT:
                del self._asked[next(iter(self._asked))]
            found = self._threads.submit(answer)
            self._asked[question] = time.monotonic(), found
            return found

    def take(self, question: Hashable) -> Future[Answer] | None:
        """The answer that was asked for, once; None where there is none, or nobody has begun with
        it.
        """
        with self._lock:
            self._forget_old()
            _, found = self._asked.pop(question, (0.0, None))
        return None if found is None or found.cancel() else found

    def _forget_old(self) -> None:
        oldest = time.monotonic() - FRESH_S
        for question in [one for one, (at, _) in self._asked.items() if at < oldest]:
            del self._asked[question]
