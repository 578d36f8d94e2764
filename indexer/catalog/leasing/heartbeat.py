"""Holding on to claimed work: an owner that lives renews its leases, one that does not loses its
work to others.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any, Self

from sqlalchemy.orm import Session

from indexer.catalog.database.session import Catalog
from indexer.catalog.leasing import chunk_tasks, jobs
from indexer.catalog.leasing.lease_queue import LeaseQueue
from indexer.errors import SeekpointError

log = logging.getLogger(__name__)

QUEUES = (chunk_tasks.queue, jobs.queue)

RENEWALS = 3
"""Renewals within a lease: two may fail before the work is lost."""


class Leases:
    """While the block runs, all that `owner` holds of these queues is renewed from a thread; when
    it ends, what is still held is released.
    """

    def __init__(
        self,
        catalog: Catalog,
        owner: str,
        lease_s: float,
        queues: Sequence[LeaseQueue[Any]] = QUEUES,
    ) -> None:
        self._catalog = catalog
        self._owner = owner
        self._lease_s = lease_s
        self._queues = queues
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="leases", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        try:
            with self._catalog.begin() as session:
                release_all(session, self._owner, self._queues)
        except SeekpointError as error:
            if kind is None:
                raise
            # What ended the block matters more.
            log.warning("%s; the work that is held waits until its lease ends", error)

    def _renew(self) -> None:
        while not self._ended.wait(self._lease_s / RENEWALS):
            try:
                with self._catalog.begin() as session:
                    for queue in self._queues:
                        queue.renew(session, self._owner, self._lease_s)
            except SeekpointError as error:
                log.warning("the leases could not be renewed: %s", error)
            except Exception:  # whatever it is, the next renewal may go well
                log.exception("the leases could not be renewed")


def release_all(s: Session, owner: str, queues: Sequence[LeaseQueue[Any]] = QUEUES) -> int:
    """All that the owner holds waits for others, and its attempts do not count; how many rows."""
    return sum(queue.release(s, [owner]) for queue in queues)


def list_owners(s: Session) -> set[str]:
    """Who holds chunk tasks or jobs."""
    return {owner for queue in QUEUES for owner in queue.owners(s)}


def expire_all(s: Session, max_attempts: int, dead: list[str]) -> int:
    """What lost owners held waits again, or has failed after `max_attempts`; how many rows."""
    return sum(len(queue.expire(s, max_attempts, dead)) for queue in QUEUES)
