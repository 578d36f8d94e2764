"""Taking videos out of the library: rows, artefacts, and the disk space that they took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from indexer.catalog import collections as collection_queries
from indexer.catalog import maintenance, rows, videos

if TYPE_CHECKING:
    from indexer.library import Library, Removed


def remove(library: Library, video_ids: Sequence[int], names: Sequence[str]) -> Removed:
    from indexer.library import Removed

    before = sum(library.status().disk_bytes.values())
    with library.catalog.begin() as session:
        collection_ids = collection_queries.find_collections(session, list(names))
        ids = [videos.get_video(session, video_id).id for video_id in dict.fromkeys(video_ids)]
        for video_id in ids:
            videos.remove_video(session, video_id)
        for collection_id in collection_ids:
            ids += collection_queries.remove_collection(session, collection_id)
    for video_id in ids:
        library.artefacts.remove_video(video_id)
    _drop_unused_snapshots(library)
    maintenance.compact(library.catalog)
    after = sum(library.status().disk_bytes.values())
    return Removed(tuple(ids), max(0, before - after))


def _drop_unused_snapshots(library: Library) -> None:
    """Snapshots hold copies of the vectors: those that lost rows are written anew, those of no video at all are deleted."""
    from indexer.vectors.faiss_index import remove_snapshots_except

    with library.catalog.read() as session:
        keys = rows.keys_in_use(session, None)
    remove_snapshots_except(library.settings, keys)
    library.publish_shrunk()
