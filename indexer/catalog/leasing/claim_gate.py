"""What a process claims, until it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from indexer.catalog.database.session import Catalog

T = TypeVar("T")


class ClaimGate:
    """Claims of one process, from any of its threads. Once it is shut, nothing is claimed: what is
    released after that stays released.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._is_shut = False

    def claim(self, take: Callable[[Session], T | None]) -> T | None:
        """`take` in a transaction that writes, as `Catalog.write`; None where the gate is shut."""
        with self._lock:
            return None if self._is_shut else self._catalog.write(take)

    def shut(self) -> None:
        """Returns when a claim that is under way has ended."""
        with self._lock:
            self._is_shut = True
