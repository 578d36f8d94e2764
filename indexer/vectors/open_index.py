"""Which vector index answers: the one that the settings name, and no other in its place."""

from __future__ import annotations

from indexer.catalog.database.session import Catalog
from indexer.settings import Settings
from indexer.vectors.base import VectorIndex
from indexer.vectors.pgvector_index import PgVectorIndex
from indexer.vocabulary import StageName


def open_index(
    catalog: Catalog,
    key: str,
    dimension: int,
    settings: Settings,
    *,
    stage: str = StageName.PICTURE,
) -> VectorIndex:
    """Raises UsageError where the catalog cannot be searched in the way of `settings.vectors`."""
    if settings.vectors == "pgvector":
        return PgVectorIndex(catalog, key, dimension, stage=stage)
    from indexer.vectors.faiss_index import FaissIndex

    return FaissIndex(catalog, key, dimension, settings, stage=stage)
