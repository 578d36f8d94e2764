"""HNSW graphs of a server: one per key.

Malkov, Yashunin: Efficient and robust approximate nearest neighbor search using hierarchical
navigable small world graphs (2016). A graph is a partial index over the rows of one key, so vectors
of two embedders never meet in it.
"""

from __future__ import annotations

from sqlalchemy import Connection, literal, select, text
from sqlalchemy.orm import Session

from indexer.catalog.tables.library import ChunkTask
from indexer.catalog.vectors.vector_query import GRAPH_PREFIX, VectorQuery

_IS_VALID = text(
    "SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
    "WHERE relname = :name"
)


def has_graph(s: Session, query: VectorQuery) -> bool | None:
    """Whether the graph of the key is there and complete; None: one is there whose building was
    interrupted.
    """
    valid = s.execute(_IS_VALID, {"name": query.graph_name}).scalar()
    return False if valid is None else (True if valid else None)


def graph_bytes(s: Session, query: VectorQuery) -> int:
    """Size of the graph of the key; 0 where there is none."""
    size = text("SELECT pg_relation_size(to_regclass(:name))")
    return s.scalar(size, {"name": query.graph_name}) or 0


def build_graph(connection: Connection, query: VectorQuery, *, memory_mb: int) -> None:
    """Builds or rebuilds the graph of the key; searches and commits go on meanwhile. `connection`
    is in no transaction.
    """
    connection.execute(
        text("SELECT set_config('maintenance_work_mem', :value, false)"),
        {"value": f"{memory_mb}MB"},
    )
    name = query.graph_name
    if connection.execute(_IS_VALID, {"name": name}).scalar():
        connection.exec_driver_sql(f"REINDEX INDEX CONCURRENTLY {name}")
        return
    drop_graph(connection, name)
    connection.exec_driver_sql(
        f"CREATE INDEX CONCURRENTLY {name} ON {query.table.__tablename__} "
        f"USING hnsw ((vector::halfvec({query.dimension})) halfvec_ip_ops) "
        f"WHERE key = {_quote(connection, query.key)}"
    )


def _quote(connection: Connection, value: str) -> str:
    options = {"literal_binds": True}
    quoted = literal(value).compile(dialect=connection.dialect, compile_kwargs=options)
    return str(quoted).replace("%", "%%")


def drop_graph(connection: Connection, name: str) -> None:
    """Deletes a graph, if it is there. `connection` is in no transaction."""
    connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def list_unused_graphs(s: Session) -> list[str]:
    """Names of graphs, whole or interrupted, of keys that no chunk task has any more."""
    keys = s.execute(select(ChunkTask.stage, ChunkTask.key).distinct()).all()
    wanted = {VectorQuery(key, stage, 0).graph_name for stage, key in keys}
    return [
        name
        for name in list_graphs(s.connection())
        if name not in wanted and not name.endswith(("_ccnew", "_ccold"))
    ]


def drop_all_graphs(connection: Connection) -> None:
    """Deletes all graphs, in the transaction of the connection."""
    for name in list_graphs(connection):
        connection.exec_driver_sql(f"DROP INDEX {name}")


def list_graphs(connection: Connection) -> list[str]:
    """Names of all graphs, whole or interrupted."""
    statement = text(
        "SELECT relname FROM pg_class WHERE relkind = 'i' AND relname ~ :pattern ORDER BY 1"
    )
    pattern = f"^({'|'.join(GRAPH_PREFIX.values())})"
    return list(connection.execute(statement, {"pattern": pattern}).scalars())
