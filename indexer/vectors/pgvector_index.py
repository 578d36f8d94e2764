"""`PgVectorIndex`: the vectors of one stage key, searched where they lie, in the same PostgreSQL as
everything else.

There is no snapshot and no tail: a row answers from the moment its chunk is committed. What is kept
beside the rows is an HNSW graph for each key (docs/explanation/vectors.md), kept by
the server itself.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from indexer.catalog.database.session import Catalog
from indexer.catalog.vectors.hnsw import (
    build_graph,
    drop_graph,
    graph_bytes,
    has_graph,
    list_unused_graphs,
)
from indexer.catalog.vectors.nearest import (
    count_chunks,
    count_rows,
    nearest_along_graph,
    nearest_exactly,
    vector_dimension,
)
from indexer.catalog.vectors.pgvector import try_lock, unlock
from indexer.catalog.vectors.vector_query import VectorQuery
from indexer.errors import CatalogError, UsageError
from indexer.vectors.base import NO_HITS, Hits, Published, RecallReport, Selection, check_query
from indexer.vectors.neighbours import check_streamed_recall
from indexer.vocabulary import StageName

REFRESH_S = 0.5
COUNT_S = 60.0  # between two counts of all chunks
# Up to so many rows a selection is compared row by row: the smaller it is, the longer a graph is
# walked, and the more it loses.
EXACT_ROWS = 50_000
ROWS_PER_CHUNK = 18
"""Segments of 5 s in a chunk of 90 s: selections are measured in chunks, which one index tells. It
decides how a search is done, never what it finds.
"""
# A graph is built from so many rows on.
GRAPH_ROWS = 20_000
LOCK_TIMEOUT_S = 3600.0
LOCK_POLL_S = 0.5
BUILD_MEMORY_MB = 256, 2048


@dataclass(frozen=True, slots=True)
class _State:
    """`graph`: the index of the key is complete; `chunks`: live ones, counted at `counted_s`;
    `measured`: the stored dimension is ours.
    """

    graph: bool
    chunks: int
    counted_s: float
    measured: bool
    looked_s: float


class PgVectorIndex:
    """Vectors (D,) of the segments (of the passages, where `stage` is not picture) under `key`.
    Safe to share between threads.

    `exact_rows` and `graph_rows` are for tests that shall not need tens of thousands of rows.
    Raises UsageError for a catalog in SQLite.
    """

    def __init__(
        self,
        catalog: Catalog,
        key: str,
        dimension: int,
        *,
        stage: str = StageName.PICTURE,
        exact_rows: int = EXACT_ROWS,
        graph_rows: int = GRAPH_ROWS,
    ) -> None:
        if catalog.is_sqlite:
            raise UsageError(
                "SEEKPOINT_VECTORS=pgvector searches inside PostgreSQL, and the catalog is SQLite",
                "set SEEKPOINT_DATABASE_URL=postgresql://user:password@host/database, "
                "or SEEKPOINT_VECTORS=faiss",
            )
        self.key = key
        self.dimension = dimension
        self.stage = stage
        self._catalog = catalog
        self._all = VectorQuery(key, stage, dimension)
        self._exact_chunks = exact_rows // ROWS_PER_CHUNK
        self._graph_rows = graph_rows
        self._state: _State | None = None

    def search(self, query: np.ndarray, k: int, selection: Selection = Selection()) -> Hits:  # noqa: B008 (frozen)
        """The `k` live rows of the selection with the largest inner product with `query` (D,)
        float32, best first.
        """
        query = check_query(query, k, self.dimension)
        if () in (selection.collection_ids, selection.video_ids):
            return NO_HITS
        with self._catalog.read_replica() as session:
            return self._search(session, self._read_state(session), query, k, selection)

    def _search(
        self, session: Session, state: _State, query: np.ndarray, k: int, selection: Selection
    ) -> Hits:
        asked = self._vector_query(selection)
        share = self._share(session, state, asked)
        if share is not None:
            hits = Hits(*nearest_along_graph(session, asked, query, k, share))
            if len(hits) == k:
                return hits
        return Hits(
            *nearest_exactly(session, asked, query, k)
        )  # also where the graph found too few: there may be more

    def _vector_query(self, selection: Selection) -> VectorQuery:
        return replace(
            self._all, collection_ids=selection.collection_ids, video_ids=selection.video_ids
        )

    def _share(self, session: Session, state: _State, asked: VectorQuery) -> float | None:
        """How much of the rows the selection lets through, where the graph is to be searched; None:
        every row is compared.
        """
        if not state.graph:
            return None
        if asked == self._all:
            return 1.0
        chunks = count_chunks(session, asked, 4 * self._exact_chunks + 1)
        return min(1.0, chunks / max(state.chunks, 1)) if chunks > self._exact_chunks else None

    # --- keeping up ---

    def refresh(self, *, force: bool = False) -> None:
        """Rows are always live; this looks whether there is a graph, and whether the vectors are of
        this embedder's length.
        """
        if force:
            self._state = None
        with self._catalog.read() as session:
            self._read_state(session)

    def _read_state(self, session: Session) -> _State:
        now_s = time.monotonic()
        known = self._state
        if known is not None and now_s - known.looked_s < REFRESH_S:
            return known
        measured = (known is not None and known.measured) or self._measure(session)
        graph = has_graph(session, self._all) is True
        chunks, counted_s = (0, now_s) if known is None else (known.chunks, known.counted_s)
        if graph and (not chunks or now_s - counted_s > COUNT_S):
            chunks, counted_s = count_chunks(session, self._all), now_s
        self._state = _State(graph, chunks, counted_s, measured, now_s)
        return self._state

    def _measure(self, session: Session) -> bool:
        found = vector_dimension(session, self._all)
        if found is not None and found != self.dimension:
            raise CatalogError(
                "vectors of {key} have {found} numbers, its embedder makes {dimension}",
                "run: seekpoint reindex",
                key=self.key,
                found=found,
                dimension=self.dimension,
            )
        return found is not None

    # --- the graph ---

    @property
    def builds_graphs(self) -> bool:
        """Whether `publish` builds one for any row at all."""
        return self._graph_rows == 0

    def publish(self, *, keep_previous: bool = True) -> Published:
        """Builds the graph where there are enough rows for one, or builds it anew; searches and
        commits go on meanwhile.
        """
        del keep_previous
        started = time.monotonic()
        with self._alone() as connection:
            with self._catalog.read() as session:
                rows = count_rows(session, self._all)
                left_over = list_unused_graphs(session)
            for name in left_over:
                drop_graph(connection, name)
            kind = "empty" if not rows else "hnsw" if rows > self._graph_rows else "exact"
            if kind == "hnsw":
                build_graph(connection, self._all, memory_mb=_build_memory_mb(rows, self.dimension))
            else:
                drop_graph(connection, self._all.graph_name)
        self.refresh(force=True)
        with self._catalog.read() as session:
            size_bytes = graph_bytes(session, self._all)
        return Published(self.key, rows, kind, time.monotonic() - started, size_bytes)

    def publish_due(self) -> bool:
        """Whether there are enough rows for a graph, and none, or one whose building was
        interrupted.
        """
        with self._catalog.read() as session:
            if has_graph(session, self._all):
                return False
            return count_rows(session, self._all, self._graph_rows + 1) > self._graph_rows

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        """One builder at a time. The lock is polled: waiting inside a statement would hold a
        snapshot that the builder waits for.
        """
        number = (
            int.from_bytes(hashlib.sha256(self._all.graph_name.encode()).digest()[:8], "big") >> 1
        )
        with self._catalog.outside_transactions() as connection:
            deadline = time.monotonic() + LOCK_TIMEOUT_S
            while not try_lock(connection, number):
                if time.monotonic() > deadline:
                    raise CatalogError(
                        "another program has been building the index of {key} for too long",
                        "stop it, then try again",
                        key=self.key,
                    )
                time.sleep(LOCK_POLL_S)
            try:
                yield connection
            finally:
                unlock(connection, number)

    # --- what it is worth ---

    def self_check(self, queries: int = 50) -> RecallReport:
        """Recall of this index, as it is searched, against all its live rows, read from the server
        and compared here.
        """
        self.refresh(force=True)
        return check_streamed_recall(self._catalog, self.key, self.stage, self.search, queries)

    def state_text(self) -> str:
        """What doctor says of the graph; raises CatalogError where one is not complete."""
        with self._catalog.read() as session:
            found = has_graph(session, self._all)
        if found is None:
            raise CatalogError(
                "the HNSW index of {key} was not finished",
                "run: seekpoint reindex",
                key=self.key,
            )
        return "HNSW" if found else "exact"

    @property
    def memory_bytes(self) -> int:
        """None of the rows: PostgreSQL holds them."""
        return 0


def _build_memory_mb(rows: int, dimension: int) -> int:
    """Memory of a server in which a graph is built at full speed, about: a vector, and 32
    neighbours and their overhead.
    """
    needed = rows * (2 * dimension + 600) / 1e6
    return int(np.clip(1.3 * needed, *BUILD_MEMORY_MB))
