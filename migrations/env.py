"""How Alembic reaches the database: on the connection that `indexer.catalog.database.migrate` hands over, or
on the one of the settings.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from indexer.catalog.database.migrate import compared
from indexer.catalog.database.session import Catalog
from indexer.catalog.tables import Base
from indexer.settings import load_settings


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        include_name=compared,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with Catalog(load_settings().url).connect() as own:
        run(own)
