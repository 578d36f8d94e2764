"""The database: engine, sessions, types, migrations.

Migrations are loaded when first used: Alembic is slow to start.
"""

from typing import TYPE_CHECKING

from lazy_loader import attach

if TYPE_CHECKING:
    from indexer.catalog.database import migrate

__getattr__, __dir__, __all__ = attach(__name__, submodules=["migrate"])
