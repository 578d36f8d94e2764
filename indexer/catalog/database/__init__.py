"""The database: engine, sessions, types, migrations.

Migrations and what is said to PostgreSQL alone are loaded when first used: Alembic and
SQLAlchemy's dialects are slow to start.
"""

from typing import TYPE_CHECKING

from lazy_loader import attach

if TYPE_CHECKING:
    from indexer.catalog.database import migrate, postgresql

__getattr__, __dir__, __all__ = attach(__name__, submodules=["migrate", "postgresql"])
