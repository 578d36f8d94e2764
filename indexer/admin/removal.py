"""Taking videos out of the library: rows, artefacts, and the disk space that they took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from indexer.admin.reports import Removed
from indexer.admin.status import status
from indexer.catalog import audit, videos
from indexer.catalog import collections as collection_queries
from indexer.catalog.audit import Actor
from indexer.catalog.database import maintenance
from indexer.catalog.vectors.live_chunks import get_live_state
from indexer.context import Context
from indexer.ingest.finalize import remove_artefacts
from indexer.vectors.snapshot_store import remove_snapshots_except
from indexer.vocabulary import AuditAction

WORTH_REWRITING = 0.1
"""Share of a file that must be free before it is rewritten: less is used again by what comes next.
"""


def remove(
    context: Context, video_ids: Sequence[int], names: Sequence[str], actor: Actor
) -> Removed:
    """Deletes rows, artefacts and vectors of videos and collections. Raises CatalogError for
    unknown ones. `actor`: who wants it, for the audit log.
    """
    before = _disk_bytes(context)
    chunks = _chunks(context)
    with context.catalog.begin() as session:
        collection_ids = collection_queries.find_collections(session, list(names))
        ids = [videos.get_video(session, video_id).id for video_id in dict.fromkeys(video_ids)]
        for video_id in ids:
            videos.remove_video(session, video_id)
        if ids:
            audit.record(session, AuditAction.REMOVED, actor, "", {"videos": [*map(str, ids)]})
        for name, collection_id in zip(names, collection_ids):
            audit.record(session, AuditAction.REMOVED, actor, name)
            ids += collection_queries.remove_collection(session, collection_id)
    remove_artefacts(context.catalog, context.artefacts, ids)
    if (
        context.settings.vectors == "faiss"
    ):  # a server gives the space of removed rows back by itself (autovacuum)
        _shrink_snapshots(context, chunks)
    maintenance.compact(context.catalog, WORTH_REWRITING)
    return Removed(tuple(ids), max(0, before - _disk_bytes(context)))


def _disk_bytes(context: Context) -> int:
    return sum(status(context).disk_bytes.values())


def _chunks(context: Context) -> dict[tuple[str, str], int]:
    keys = context.vector_keys()
    with context.catalog.read() as session:
        return {(stage, key): get_live_state(session, key, stage).chunks for stage, key in keys}


def _shrink_snapshots(context: Context, before: Mapping[tuple[str, str], int]) -> None:
    """Snapshots hold copies of the vectors: those of no video are deleted, those that lost a good
    part are rebuilt.
    """
    after = _chunks(context)
    remove_snapshots_except(context.settings, [key for _, key in after])
    for (stage, key), count in after.items():
        known = before.get((stage, key), 0)
        if known - count >= WORTH_REWRITING * known > 0:
            context.index_of(key, stage).publish(keep_previous=False)
