"""A streaming replica of the catalog's server, which answers reads that may be a moment behind.

It is asked where it surely shows what this process wrote, and is behind by no more than is allowed;
otherwise the primary answers. Both are told by the positions in the log of writes (LSN).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from indexer.errors import CatalogError, SeekpointError, UsageError
from indexer.messages import NOTHING, Message

if TYPE_CHECKING:
    from indexer.catalog.database.session import Catalog

CHECK_S = 0.5  # between two looks at where the replica is
RETRY_S = 5.0  # before one that was away is asked again: each attempt may take its time-out
UNKNOWN = 2**63

_POSITION = (
    "SELECT (SELECT system_identifier FROM pg_control_system()), pg_is_in_recovery(), "
    "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() "
    "END - '0/0'::pg_lsn"
)

log = logging.getLogger(__name__)


class Replica:
    """`standby`: the catalog as the replica has it. `lag_s`: how far behind it may be. Safe to
    share between threads.
    """

    def __init__(self, primary: Catalog, standby: Catalog, lag_s: float) -> None:
        if primary.is_sqlite or standby.is_sqlite:
            raise UsageError(
                "SEEKPOINT_DATABASE_READ_URL needs PostgreSQL, here and in SEEKPOINT_DATABASE_URL",
                "unset it, or name a streaming replica of that server",
            )
        self._primary = primary
        self.standby = standby
        self._lag_s = lag_s
        self._lock = threading.Lock()
        self._written = 0  # the position after the last commit of this process
        self._replayed = 0
        self._passed: deque[tuple[float, int]] = deque()  # when the primary was where
        self._shown_s = float("-inf")  # a moment whose commits the replica shows
        self._next_check_s = float("-inf")
        self._refusal = NOTHING

    def note_write(self) -> None:
        """What is committed now has to be seen by later reads of this process."""
        try:
            position = self._position_of(self._primary)[2]
        except CatalogError:
            position = UNKNOWN  # the primary answers until it says where it is
        with self._lock:
            known = 0 if self._written == UNKNOWN else self._written
            self._written = max(known, position)

    def is_usable(self) -> bool:
        """Whether a read may go there now. A change is logged."""
        with self._lock:
            now = time.monotonic()
            if now < self._next_check_s and (self._refusal or self._replayed >= self._written):
                return not self._refusal
            refusal = self._look(now)
            if refusal and not self._refusal:
                log.warning("reads go to the primary, not to %s: %s", self._place, refusal)
            elif self._refusal and not refusal:
                log.warning("reads go to the replica %s again", self._place)
            self._refusal = refusal
            return not refusal and self._replayed >= self._written

    @contextmanager
    def read(self) -> Iterator[Session]:
        """As `Catalog.read`. A replica that fails is left alone for a while; the error is
        CatalogBusy, so that whoever asked may ask again.
        """
        try:
            with self.standby.read() as session:
                yield session
        except SeekpointError as error:
            if not isinstance(error.__cause__, SQLAlchemyError):
                raise  # of whoever reads, not of the database
            with self._lock:
                self._next_check_s = time.monotonic() + RETRY_S
                if not self._refusal:
                    self._refusal = error.what
                    log.warning("reads go to the primary: %s", error.what)
            raise

    def describe_lag(self) -> float:
        """Seconds by which it is behind at most. Raises CatalogError where it is away or is no
        replica of the primary.
        """
        with self._lock:
            deadline = time.monotonic() + max(CHECK_S, self._lag_s)
            while refusal := self._look(time.monotonic()):
                if time.monotonic() > deadline:
                    raise CatalogError(
                        "the replica {place} is not read from: {reason}",
                        "check that it runs and follows the server of SEEKPOINT_DATABASE_URL; "
                        "reads go to that one meanwhile",
                        place=self._place,
                        reason=refusal,
                    )
                time.sleep(0.05)
            return time.monotonic() - self._shown_s

    @property
    def _place(self) -> str:
        return self.standby.url.render_as_string(hide_password=True)

    def _look(self, now: float) -> Message:
        """Why it cannot be asked, after its name; nothing where it can."""
        self._next_check_s = now + CHECK_S
        try:
            cluster, follows, replayed = self._position_of(self.standby)
        except SeekpointError as error:
            self._next_check_s = now + RETRY_S
            return error.what
        try:
            own_cluster, _, position = self._position_of(self._primary)
        except SeekpointError:
            # Old answers are better than none; what this process wrote is known.
            self._replayed = replayed
            return NOTHING
        if cluster != own_cluster or not follows:
            return Message("it is not a replica of the primary")
        if self._written == UNKNOWN:
            self._written = position
        self._replayed = replayed
        self._passed.append((now, position))
        while self._passed and self._passed[0][1] <= replayed:
            self._shown_s = self._passed.popleft()[0]
        behind_s = now - self._shown_s
        if behind_s <= self._lag_s:
            return NOTHING
        if behind_s == float("inf"):
            return Message("it has not caught up yet")
        return Message("it is {seconds:.1f} s behind", {"seconds": behind_s})

    @staticmethod
    def _position_of(catalog: Catalog) -> tuple[int, bool, int]:
        with catalog.read() as session:
            cluster, follows, position = session.execute(text(_POSITION)).one()
        return int(cluster), bool(follows), int(position or 0)
