"""Models are loaded once per process, by whichever thread needs them first."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Hashable
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class LoadOnce(Generic[P, T]):
    """Calls `load` once for each combination of arguments, which must be hashable, and keeps what
    it returns. Other threads that ask meanwhile wait. A call that raises is tried again.
    """

    def __init__(self, load: Callable[P, T]) -> None:
        functools.update_wrapper(self, load)
        self._load = load
        self._lock = threading.RLock()
        self._loaded: dict[Hashable, T] = {}

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        key = (args, tuple(sorted(kwargs.items())))
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = self._load(*args, **kwargs)
            return self._loaded[key]

    def clear(self) -> None:
        """Forgets what was loaded."""
        with self._lock:
            self._loaded.clear()


def load_once(load: Callable[P, T]) -> LoadOnce[P, T]:
    """Decorator for a function that loads a model. See `LoadOnce`."""
    return LoadOnce(load)
