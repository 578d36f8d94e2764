"""Objects and the rows that name them: moving vectors out of the database or back, deleting what no
row names, finding what is not there.
"""

from __future__ import annotations

from collections.abc import Callable

from indexer.catalog.database.session import Catalog
from indexer.catalog.frames import (
    count_objects,
    list_unnamed,
    list_videos_without_objects,
    move_frames,
)
from indexer.catalog.objects.frame_store import FrameStore
from indexer.errors import UsageError

SWEPT_AGE_S = 3600.0  # no transaction that stores frames takes so long
SWEEP_EVERY_S = 24 * 3600.0  # listing a large store takes minutes
MOVED_AT_ONCE = 64


def move_all(
    catalog: Catalog, *, to_store: bool, progress: Callable[[int], None] = lambda done: None
) -> int:
    """Moves the vectors of all chunks out of the database into the store, or back, while the
    library is in use; one that was stopped goes on when it is called again. How many chunks;
    `progress` is told how many are done.

    Raises UsageError where no store is set, CatalogBusy, StorageError.
    """
    store, done = _store(catalog), 0

    while count := catalog.write(lambda s: move_frames(s, store, MOVED_AT_ONCE, to_store=to_store)):
        done += count
        progress(done)
    return done


def sweep_objects(
    catalog: Catalog, *, min_age_s: float = SWEPT_AGE_S, every_s: float = SWEEP_EVERY_S
) -> int:
    """Deletes objects that no row names: of transactions that were rolled back, and of rows that
    newer ones replaced. Younger ones may belong to a transaction that goes on. How many; none where
    somebody swept less than `every_s` ago.
    """
    store, count = catalog.frames, 0
    if store is None or store.swept_s_ago() < every_s:
        return 0
    for found in store.list():
        old = [one.name for one in found if one.age_s >= min_age_s]
        with catalog.read() as session:
            unnamed = list_unnamed(session, old)
        store.delete(unnamed)
        count += len(unnamed)
    store.note_sweep()
    return count


def find_missing(catalog: Catalog) -> tuple[int, list[int]]:
    """How many chunks have their vectors in the store, and the videos of which some are not there.
    Raises UsageError where no store is set, CatalogBusy, StorageError.
    """
    store = _store(catalog)
    with catalog.read() as session:
        count = count_objects(session)
        # The rows first: one that is written after this is not looked for.
        there = {one.name for found in store.list() for one in found} if count else set()
        return count, list_videos_without_objects(session, there)


def _store(catalog: Catalog) -> FrameStore:
    if catalog.frames is None:
        raise UsageError(
            "SEEKPOINT_FRAMES_URL is not set", "name the object storage: s3://bucket/folder"
        )
    return catalog.frames
