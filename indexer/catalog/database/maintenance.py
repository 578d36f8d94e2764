"""Giving disk space back after rows were deleted."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from indexer.catalog.database.session import BUSY_TIMEOUT_S, Catalog
from indexer.errors import CatalogError


def compact(catalog: Catalog, free_share: float = 0.0) -> None:
    """SQLite: rewrites the file without its empty pages when they are at least `free_share` of it;
    a server does so by itself (autovacuum).

    Raises CatalogError.
    """
    path = catalog.sqlite_path
    if path is None:
        return
    catalog.close()  # idle connections of this process
    try:
        with closing(
            sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        ) as connection:
            (pages,), (free,) = (
                connection.execute(f"PRAGMA {name}").fetchone()
                for name in ("page_count", "freelist_count")
            )
            if free >= free_share * pages:
                connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise CatalogError(
            "the space of removed rows in {path} could not be freed: {error}",
            "it is used again by what comes next",
            path=path,
            error=error,
        ) from error
