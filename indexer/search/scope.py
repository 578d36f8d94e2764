"""What a search looks at, from the names and filters that people give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from indexer.catalog import collections, videos
from indexer.catalog.database.session import Catalog
from indexer.catalog.vectors.served_keys import get_served_keys
from indexer.catalog.video_queries import Filters, find_videos
from indexer.context import Context
from indexer.errors import UsageError
from indexer.search.types import KINDS, Scope
from indexer.valid_text import require_valid_text
from indexer.vocabulary import StageName


def make_scope(
    context: Context,
    names: Sequence[str] | None = None,
    *,
    video_id: int | None = None,
    only: Iterable[str] | None = None,
    filters: Filters | None = None,
) -> Scope:
    """`names`: collections, None: all. `only`: kinds of evidence, None: all.

    Raises UsageError for an unknown kind, CatalogError for an unknown collection or video.
    """
    require_valid_text(*(names or ()), filters.name if filters else "")
    kinds = tuple(only) if only else KINDS
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(
                "{kind!r} is not a kind of evidence",
                "choose from {kinds}",
                kind=kind,
                kinds=", ".join(KINDS),
            )
    with context.catalog.read() as session:
        collection_ids = (
            tuple(collections.find_collections(session, list(names))) if names else None
        )
        if video_id is not None:
            videos.get_video(session, video_id)
    video_ids = None if video_id is None else (video_id,)
    return _apply_filters(context, Scope(collection_ids, video_ids, kinds), filters)


def _apply_filters(context: Context, scope: Scope, filters: Filters | None) -> Scope:
    """The part of a scope whose files pass the filters."""
    if filters is None or filters.is_empty:
        return scope
    with context.catalog.read() as session:
        ids = find_videos(session, scope.collection_ids, filters)
    chosen = ids if scope.video_ids is None else [id for id in ids if id in scope.video_ids]
    return replace(scope, video_ids=tuple(chosen))


def with_served_keys(catalog: Catalog, scope: Scope) -> Scope:
    """The scope with the keys that are served in it, read where nobody has read them yet."""
    if scope.served is not None:
        return scope
    with catalog.read_replica() as session:
        return replace(scope, served=get_served_keys(session, StageName, scope.collection_ids))


def served_keys(catalog: Catalog, scope: Scope, stage: str) -> Sequence[str]:
    """Keys of a stage that are served in the scope, by how many videos, most first."""
    return (with_served_keys(catalog, scope).served or {})[stage]
