"""Holding on to claimed work: an owner that lives renews its leases, one that does not loses its
work to others.
"""

from __future__ import annotations

import logging
import threading
from typing import Self

from indexer.catalog.database.session import Catalog
from indexer.catalog.leasing import chunk_tasks, jobs
from indexer.errors import SeekpointError

log = logging.getLogger(__name__)

RENEWALS = 3  # within a lease: two may fail before the work is lost


class Leases:
    """While the block runs, all that `owner` holds is renewed from a thread; when it ends, what is
    still held is handed back.
    """

    def __init__(self, catalog: Catalog, owner: str, lease_s: float) -> None:
        self._catalog = catalog
        self._owner = owner
        self._lease_s = lease_s
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
                chunk_tasks.release(session, [self._owner])
                jobs.release(session, self._owner)
        except SeekpointError as error:
            if kind is None:
                raise
            log.warning(
                "%s; the work that is held waits until its lease ends", error
            )  # what ended the block matters more

    def _renew(self) -> None:
        while not self._ended.wait(self._lease_s / RENEWALS):
            try:
                with self._catalog.begin() as session:
                    chunk_tasks.renew_all(session, self._owner, self._lease_s)
                    jobs.renew_all(session, self._owner, self._lease_s)
            except SeekpointError as error:
                log.warning("the hold on the work could not be renewed: %s", error)
