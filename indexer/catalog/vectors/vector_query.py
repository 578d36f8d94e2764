"""What a search inside PostgreSQL looks at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from indexer.catalog.vectors.vector_rows import vector_table

GRAPH_PREFIX = {"segment": "ix_segment_vector_", "passage": "ix_passage_vector_"}
"""How the names of graphs begin, by table."""


@dataclass(frozen=True, slots=True)
class VectorQuery:
    """What is searched: rows under `key` of a stage, in these collections and videos (None: any),
    `dimension` numbers each.
    """

    key: str
    stage: str
    dimension: int
    collection_ids: Sequence[int] | None = None
    video_ids: Sequence[int] | None = None

    @property
    def table(self) -> Any:
        """Segment or Passage."""
        return vector_table(self.stage)

    @property
    def graph_name(self) -> str:
        """Name of the index that is the HNSW graph of the key."""
        prefix = GRAPH_PREFIX[self.table.__tablename__]
        return prefix + hashlib.sha256(self.key.encode()).hexdigest()[:16]
