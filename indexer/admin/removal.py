"""Taking videos out of the library: rows, artefacts, and the disk space that they took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from indexer.catalog import collections as collection_queries
from indexer.catalog import videos
from indexer.catalog.database import maintenance
from indexer.catalog.vectors.live_chunks import get_live_state

if TYPE_CHECKING:
    from indexer.library import Library, Removed

WORTH_REWRITING = 0.1
"""Share of a file that must be free before it is rewritten: less is used again by what comes next.
"""


def remove(library: Library, video_ids: Sequence[int], names: Sequence[str]) -> Removed:
    from indexer.library import Removed

    before = _disk_bytes(library)
    chunks = _chunks(library)
    with library.catalog.begin() as session:
        collection_ids = collection_queries.find_collections(session, list(names))
        ids = [videos.get_video(session, video_id).id for video_id in dict.fromkeys(video_ids)]
        for video_id in ids:
            videos.remove_video(session, video_id)
        for collection_id in collection_ids:
            ids += collection_queries.remove_collection(session, collection_id)
    for video_id in ids:
        library.artefacts.remove_video(video_id)
    if (
        library.settings.vectors == "faiss"
    ):  # a server gives the space of removed rows back by itself (autovacuum)
        _shrink_snapshots(library, chunks)
    maintenance.compact(library.catalog, WORTH_REWRITING)
    return Removed(tuple(ids), max(0, before - _disk_bytes(library)))


def _disk_bytes(library: Library) -> int:
    return sum(library.status().disk_bytes.values())


def _chunks(library: Library) -> dict[tuple[str, str], int]:
    keys = library.vector_keys()
    with library.catalog.read() as session:
        return {(stage, key): get_live_state(session, key, stage).chunks for stage, key in keys}


def _shrink_snapshots(library: Library, before: Mapping[tuple[str, str], int]) -> None:
    """Snapshots hold copies of the vectors: those of no video are deleted, those that lost a good
    part are written anew.
    """
    from indexer.vectors.store import remove_snapshots_except

    after = _chunks(library)
    remove_snapshots_except(library.settings, [key for _, key in after])
    for (stage, key), count in after.items():
        known = before.get((stage, key), 0)
        if known - count >= WORTH_REWRITING * known > 0:
            library.index_of(key, stage).publish(keep_previous=False)
