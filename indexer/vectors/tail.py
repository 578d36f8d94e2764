"""The tail: live chunks that the snapshot does not hold, in memory, searched exactly.

A value that is replaced, never changed, so that a search that is under way keeps what it began
with. New rows come as slabs; a slab joins the one before it when that is not twice as large, so
that n rows that come in small lots are copied O(log n) times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from indexer.catalog.vectors.vector_rows import VectorRows
from indexer.vectors.base import Hits, Selection
from indexer.vectors.rowset import RowSet, concatenate


@dataclass(frozen=True, slots=True)
class Tail:
    """`revisions`: chunk -> revision of the chunks it holds, those without any segment too."""

    slabs: tuple[RowSet, ...] = ()
    revisions: Mapping[int, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(slab) for slab in self.slabs)

    @property
    def memory_bytes(self) -> int:
        """Bytes of vectors and of the columns of numbers."""
        return sum(len(slab) * (slab.index.code_size + 32) for slab in self.slabs)

    def without(self, chunk_ids: np.ndarray) -> Tail:
        """The tail without the rows of these chunks."""
        if not len(chunk_ids):
            return self
        slabs = []
        for slab in self.slabs:
            gone = np.isin(slab.chunk_ids, chunk_ids)
            slabs.append(slab.take(np.flatnonzero(~gone)) if gone.any() else slab)
        dropped = set(chunk_ids.tolist())
        revisions = {
            chunk: revision for chunk, revision in self.revisions.items() if chunk not in dropped
        }
        return Tail(tuple(slab for slab in slabs if len(slab)), revisions)

    def plus(self, rows: VectorRows, revisions: Mapping[int, int]) -> Tail:
        """Takes up chunks that it does not hold yet."""
        slabs = list(self.slabs)
        if len(rows):
            slabs.append(RowSet.of(rows))
            while len(slabs) > 1 and len(slabs[-2]) < 2 * len(slabs[-1]):
                slabs[-2:] = [concatenate(slabs[-2:])]
        return Tail(tuple(slabs), {**self.revisions, **revisions})

    def search(self, query: np.ndarray, k: int, selection: Selection) -> list[Hits]:
        """The best `k` hits of each slab among the selected rows."""
        return [slab.search(query, k, slab.mask(selection)) for slab in self.slabs]
