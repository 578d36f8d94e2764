from tests.indexer.catalog.fixtures import (
    catalog,
    catalog_url,
    postgres_catalog_url,
    sqlite_catalog,
)

__all__ = ["catalog", "catalog_url", "postgres_catalog_url", "sqlite_catalog"]
