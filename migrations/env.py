"""How Alembic reaches the database: on the connection that `indexer.catalog.database.migrate` hands
over, or on the one of the settings.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from indexer.catalog.database.migrate import is_compared
from indexer.catalog.database.session import Catalog
from indexer.catalog.tables.metadata import metadata
from indexer.settings import load_settings


def run(connection: Connection) -> None:
    """Runs the migrations on the connection, in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        include_name=is_compared,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


connection = context.config.attributes.get("connection")
if connection is not None:
    run(connection)
else:
    with Catalog(load_settings().url).connect() as own:
        run(own)
