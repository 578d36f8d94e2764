"""What a vector index does. SQL is the truth; an index answers from a copy that it keeps fresh by
itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from indexer.messages import Message

# Recall that a self-check must reach.
RECALL_NEEDED = 0.95


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows may answer: those of these collections and of these videos; None: any, an empty
    tuple: none.
    """

    collection_ids: tuple[int, ...] | None = None
    video_ids: tuple[int, ...] | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is filtered out."""
        return self.collection_ids is None and self.video_ids is None


@dataclass(frozen=True, slots=True)
class Hits:
    """Best first: `ids` (n,) int64 without repetition, `scores` (n,) float32 inner products; n is
    k, or fewer where fewer match.
    """

    ids: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


NO_HITS = Hits(np.empty(0, np.int64), np.empty(0, np.float32))


def check_query(query: np.ndarray, k: int, dimension: int) -> np.ndarray:
    """The query as contiguous float32. Raises ValueError for one of another length, or with numbers
    that are not finite, and for k < 1.
    """
    query = np.ascontiguousarray(query, np.float32)
    if query.shape != (dimension,) or not np.isfinite(query).all():
        raise ValueError(f"a query has {dimension} finite numbers, not the shape {query.shape}")
    if k < 1:
        raise ValueError(f"k={k}: at least one row must be asked for")
    return query


def merge_hits(parts: list[Hits], k: int) -> Hits:
    """The best `k` of several disjoint searches."""
    ids = np.concatenate([part.ids for part in parts]) if parts else np.empty(0, np.int64)
    scores = np.concatenate([part.scores for part in parts]) if parts else np.empty(0, np.float32)
    best = np.argsort(-scores, kind="stable")[:k]
    return Hits(ids[best], scores[best])


@dataclass(frozen=True, slots=True)
class Published:
    """A snapshot that was written: `kind` is flat, ivf, empty (nothing is served under the key,
    older snapshots are gone) or unchanged (another writer was faster); of a server, hnsw (a graph
    was built) or exact (every row is compared).
    """

    key: str
    rows: int
    kind: str
    seconds: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class RecallReport:
    """Mean recall@10 against an exact search of the same rows: over everything, and in selections
    of about 1 % and 15 % of the rows.

    A selection that the library is too small for counts as 1.
    """

    rows: int
    queries: int
    everything: float
    one_percent: float
    large_selection: float

    @property
    def ok(self) -> bool:
        """Whether the recall of every kind of selection is high enough."""
        return min(self.everything, self.one_percent, self.large_selection) >= RECALL_NEEDED

    @property
    def text(self) -> Message:
        """The report in one line."""
        if not self.rows:
            return Message("no vectors yet")
        return Message(
            "{rows:,} vectors, recall@10 {all:.3f} of all, {one_percent:.3f} in 1 % selections, "
            "{large:.3f} in 15 % selections",
            {
                "rows": self.rows,
                "all": float(self.everything),
                "one_percent": float(self.one_percent),
                "large": float(self.large_selection),
            },
        )


class VectorIndex(Protocol):
    """Safe to share between threads. All methods raise CatalogError when the database is away."""

    key: str
    dimension: int

    def search(self, query: np.ndarray, k: int, selection: Selection = Selection()) -> Hits:
        """The `k` rows with the largest inner product with `query` (D,) float32, among those of the
        selection that are live now.
        """
        ...

    def refresh(self, *, force: bool = False) -> None:
        """Takes up what was committed; `search` does it every half second at most."""
        ...

    def publish(self, *, keep_previous: bool = True) -> Published:
        """Writes what is live as a new snapshot, or builds the server's index anew."""
        ...

    def publish_due(self) -> bool:
        """Whether `publish` would pay now."""
        ...

    def self_check(self, queries: int = 50) -> RecallReport:
        """Recall of the index against an exact search, with so many of its vectors as queries."""
        ...

    @property
    def memory_bytes(self) -> int:
        """Memory of this process for it, without files that are mapped."""
        ...
