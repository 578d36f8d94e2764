"""Giving disk space back after rows were deleted."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from indexer.catalog.failures import translate
from indexer.catalog.session import Catalog


def compact(catalog: Catalog, free_share: float = 0.0) -> None:
    """SQLite: rewrites the file without its empty pages when they are at least `free_share` of it; a server does so by itself (autovacuum).

    Raises CatalogError, StorageError.
    """
    if not catalog.is_sqlite:
        return
    try:
        with catalog.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
            free = connection.execute(text("PRAGMA freelist_count")).scalar_one()
            if free >= free_share * pages:
                connection.execute(text("VACUUM"))
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    except SQLAlchemyError as error:
        raise translate(error, catalog.url) from error
