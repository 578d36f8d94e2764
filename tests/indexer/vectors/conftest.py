from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine

from indexer.catalog import Catalog
from indexer.catalog.vectors.hnsw import drop_all_graphs
from tests.indexer.catalog import support
from tests.indexer.catalog.fixtures import (
    catalog,
    catalog_url,
    postgres_catalog_url,
    sqlite_catalog,
)

__all__ = ["catalog", "catalog_url", "postgres_catalog_url", "sqlite_catalog"]


@pytest.fixture
def server_catalog(postgres_catalog_url: str) -> Iterator[Catalog]:
    """An empty catalog on a server, without any vector index."""
    engine = create_engine(postgres_catalog_url)
    with engine.begin() as connection:
        support.empty_server(connection)
        drop_all_graphs(connection)
    engine.dispose()
    with Catalog(postgres_catalog_url).open() as opened:
        yield opened
