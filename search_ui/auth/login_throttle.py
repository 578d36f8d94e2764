"""How often people failed to sign in lately; after a few times a name has to wait, after more an
address.
"""

from __future__ import annotations

import threading
import time

OF_A_NAME, OF_AN_ADDRESS, WINDOW_S = 5, 20, 300.0
REMEMBERED = 10_000


class LoginThrottle:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: dict[tuple[str, str], list[float]] = {}

    def is_blocked(self, name: str, address: str) -> bool:
        """Whether the name or the address has failed too often lately."""
        with self._lock:
            return (
                len(self._recent(("name", name))) >= OF_A_NAME
                or len(self._recent(("address", address))) >= OF_AN_ADDRESS
            )

    def add_failure(self, name: str, address: str) -> None:
        """Notes a failed sign-in of the name from the address."""
        with self._lock:
            for key in (("name", name[:200]), ("address", address)):
                self._times[key] = [*self._recent(key), time.monotonic()]
            if len(self._times) > REMEMBERED:
                self._times = {key: times for key in self._times if (times := self._recent(key))}

    def clear(self, name: str) -> None:
        """Forgets the failures of the name, after it signed in."""
        with self._lock:
            self._times.pop(("name", name), None)

    def _recent(self, key: tuple[str, str]) -> list[float]:
        return [at for at in self._times.get(key, []) if time.monotonic() - at < WINDOW_S]
