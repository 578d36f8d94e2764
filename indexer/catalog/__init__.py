"""The truth in SQL: tables, the session and the queries. Nothing outside this folder speaks SQL.

Query functions take a Session first and return frozen dataclasses; `Catalog.begin()` writes,
`Catalog.read()` reads one consistent state.
"""

from indexer.catalog.database.session import Catalog

__all__ = ["Catalog"]
