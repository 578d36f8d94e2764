"""Vector snapshots are written by one process of a home at a time."""

from __future__ import annotations

from filelock import FileLock, Timeout

from indexer.context import Context
from indexer.vectors.base import Published
from indexer.vectors.durable_files import storage_errors


def publish(context: Context, *, force: bool = False) -> list[Published]:
    """Writes new vector snapshots where one is due (with `force`, wherever there are vectors)."""
    published = []
    for stage, key in context.vector_keys():
        index = context.index_of(key, stage)
        if force or index.publish_due():
            published.append(index.publish())
    return published


def publish_alone(context: Context) -> list[Published]:
    """Publishes what is due; nothing while another process of this home is at it. Raises
    StorageError.
    """
    folder = context.settings.snapshots
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / ".publishing", timeout=0):
                return publish(context)
        except Timeout:
            return []
