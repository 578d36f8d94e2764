"""Vector snapshots are written by one process of a home at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from indexer.vectors.storage import storage_errors

if TYPE_CHECKING:
    from indexer.library import Library
    from indexer.vectors.base import Published


def publish_alone(library: Library) -> list[Published]:
    """Publishes what is due; nothing while another process of this home is at it. Raises
    StorageError.
    """
    folder = library.settings.snapshots
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / ".publishing", timeout=0):
                return library.publish(force=False)
        except Timeout:
            return []
