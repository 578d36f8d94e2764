"""pgvector keeps the contract of vector indexes in a real PostgreSQL: comparing row by row, and
along an HNSW graph.
"""

from __future__ import annotations

import threading

import numpy as np
import pytest

from indexer.catalog import Catalog
from indexer.catalog.leasing import chunk_tasks
from indexer.vectors.pgvector_index import PgVectorIndex
from tests.indexer.catalog import support
from tests.indexer.vectors import contract
from tests.indexer.vectors.contract import *  # noqa: F403


@pytest.fixture
def catalog(server_catalog: Catalog) -> Catalog:
    return server_catalog


@pytest.fixture(params=["row by row", "along a graph"])
def make_index(request: pytest.FixtureRequest):
    few = {} if request.param == "row by row" else {"exact_rows": 0, "graph_rows": 0}

    def make(
        catalog: Catalog, key: str = "k1", dimension: int = support.DIMENSION
    ) -> PgVectorIndex:
        return PgVectorIndex(catalog, key, dimension, **few)

    return make


def test_two_writers_that_commit_in_reverse_order_lose_nothing(
    catalog: Catalog, make_index, rng: np.random.Generator
):
    """A graph is built around writers: it waits for those that have begun, so the contract's order
    of events exists without one only.
    """
    index = make_index(catalog)
    if not index.builds_graphs:
        contract.test_two_writers_that_commit_in_reverse_order_lose_nothing(
            catalog, make_index, rng
        )
        return
    first, second = (support.add_video(catalog, name, chunks=1) for name in ("a.mp4", "b.mp4"))
    support.do_all(catalog, first, rng)
    with catalog.begin() as s:
        item = chunk_tasks.claim_task(s, support.OWNER, 60, ["picture"], video_id=second)
    assert item is not None
    publishing = threading.Thread(target=index.publish)
    with catalog.begin() as s:
        support.commit(s, item, rng)
        publishing.start()
        query = contract.query_of(rng)
        contract.assert_exact(
            make_index(catalog).search(query, 4), contract.truth(catalog, query, 4)
        )
    publishing.join(60)
    assert not publishing.is_alive()
    index.refresh(force=True)
    contract.assert_exact(index.search(query, 100), contract.truth(catalog, query, 100))
    assert len(index.search(query, 100)) == 8
