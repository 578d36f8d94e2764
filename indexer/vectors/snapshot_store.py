"""Where the snapshots of one key lie: which one is current, and writing a new one, one writer at a
time.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from indexer import vectors
from indexer.catalog.database.session import Catalog
from indexer.errors import SnapshotError, StorageError
from indexer.settings import Settings
from indexer.vectors.base import Published
from indexer.vectors.durable_files import storage_errors
from indexer.vectors.snapshot import (
    CURRENT,
    Snapshot,
    key_folder,
    open_snapshot,
    point_to,
    read_pointer,
    remove_others,
)
from indexer.vocabulary import StageName

log = logging.getLogger(__name__)

LOCK_TIMEOUT_S = 3600
EMPTY = "empty"


class SnapshotStore:
    def __init__(
        self,
        catalog: Catalog,
        key: str,
        dimension: int,
        settings: Settings,
        stage: str = StageName.PICTURE,
    ) -> None:
        self._catalog = catalog
        self._key = key
        self._dimension = dimension
        self._stage = stage
        self._flat_max_rows = settings.flat_max_rows
        self.folder = key_folder(settings.snapshots, key)

    def pointer(self) -> str | None:
        """Changes when a snapshot is published; None: there is none."""
        return read_pointer(self.folder)

    def open(self, pointer: str) -> Snapshot:
        """Raises SnapshotError."""
        return open_snapshot(self.folder, pointer, self._key, self._dimension)

    def open_or_rebuild(self) -> tuple[str | None, Snapshot | None]:
        """The current snapshot; one that is damaged is built again. (None, None) where there is
        none, or none can be written.
        """
        refused = None
        while (pointer := self.pointer()) is not None:
            try:
                return pointer, self.open(pointer)
            except SnapshotError as error:
                if refused is not None and pointer == refused:
                    log.error(
                        "%s", error
                    )  # freshly written and not readable: the disk cannot be trusted
                    return None, None
                log.warning("%s", error)
                refused = self._replace(pointer)
                if refused is None:
                    return None, None
        return None, None

    def _replace(self, damaged: str) -> str | None:
        try:
            self.publish(unless_not=damaged)
        except StorageError as error:
            log.warning("%s; the vectors are held in memory meanwhile", error)
            return None
        return self.pointer()

    def publish(self, *, keep_previous: bool = True, unless_not: str | None = None) -> Published:
        """Writes what is live as the current snapshot. With `unless_not`, only while that pointer
        is current: another may have been faster.

        Raises StorageError when there is no space; what was current stays so.
        """
        started = time.monotonic()
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._alone():
                before = self.pointer()
                if unless_not is not None and before != unless_not:
                    return Published(self._key, 0, "unchanged", 0.0, 0)
                return self._publish(before, keep_previous and unless_not is None, started)

    def _publish(self, before: str | None, keep_previous: bool, started: float) -> Published:
        previous = before.partition(" ")[0] if before else ""
        remove_others(self.folder, {previous})  # also what a writer that was killed left behind
        folder, digest, manifest = vectors.build.build_snapshot(
            self._catalog, self._key, self._dimension, self.folder, self._flat_max_rows, self._stage
        )
        if not manifest.rows:
            (self.folder / CURRENT).unlink(missing_ok=True)
            remove_others(self.folder, set())
            return Published(self._key, 0, EMPTY, time.monotonic() - started, 0)
        point_to(folder, digest)
        remove_others(self.folder, {folder.name, previous} if keep_previous else {folder.name})
        size_bytes = sum(entry.stat().st_size for entry in folder.iterdir())
        return Published(
            self._key, manifest.rows, manifest.kind, time.monotonic() - started, size_bytes
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer in this home, and one at a time among all hosts of a server, for its sake."""
        try:
            with (
                FileLock(self.folder / ".lock", timeout=LOCK_TIMEOUT_S),
                self._catalog.advisory_lock(_number(self._key)),
            ):
                yield
        except Timeout:
            raise StorageError(
                "another program has been writing {folder} for too long",
                "stop it, then run: seekpoint reindex",
                folder=self.folder,
            ) from None


def remove_snapshots_except(settings: Settings, keys: Iterable[str]) -> None:
    """Deletes the snapshots of keys that are not served any more."""
    wanted = {key_folder(settings.snapshots, key).name for key in keys}
    if settings.snapshots.is_dir():
        for entry in settings.snapshots.iterdir():
            if entry.is_dir() and entry.name not in wanted:
                shutil.rmtree(entry, ignore_errors=True)


def _number(key: str) -> int:
    """63 bits of a key, for an advisory lock."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") >> 1
