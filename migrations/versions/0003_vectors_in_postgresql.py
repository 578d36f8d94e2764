"""Vectors of segments and passages become pgvector's own on a server; a segment says under which
key it was made.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from indexer.catalog.vectors.hnsw import drop_all_graphs
from indexer.catalog.vectors.pgvector import require_pgvector

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("segment", "passage")


def upgrade() -> None:
    """Copies the key of a segment's task to its row, and makes vectors halfvec on PostgreSQL."""
    server = op.get_bind().dialect.name == "postgresql"
    if server:
        require_pgvector(op.get_bind())
    # The default is for the rows that are there: filling them first and forbidding NULL later would
    # copy the whole table of a file.
    op.add_column("segment", sa.Column("key", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE segment SET key = (SELECT work.key FROM work WHERE work.id = segment.work_id)"
    )
    if server:
        op.alter_column("segment", "key", server_default=None)
        op.execute(TO_HALFVEC)
        for table in TABLES:
            op.execute(
                f"ALTER TABLE {table} ALTER COLUMN vector TYPE halfvec "
                "USING pg_temp.to_halfvec(vector)"
            )


def downgrade() -> None:
    """Restores the columns as they were."""
    if op.get_bind().dialect.name == "postgresql":
        drop_all_graphs(op.get_bind())
        op.execute(TO_BYTES)
        for table in TABLES:
            op.execute(
                f"ALTER TABLE {table} ALTER COLUMN vector TYPE bytea USING pg_temp.to_bytes(vector)"
            )
    op.drop_column("segment", "key")


# float16 (IEEE 754 binary16), little endian: sign, 5 bits of exponent with a bias of 15, 10 bits of
# fraction; exponent 0 has no leading 1.
TO_HALFVEC = """
CREATE FUNCTION pg_temp.to_halfvec(stored bytea) RETURNS halfvec LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT array_agg(
        CASE WHEN bits >= 32768 THEN -1.0 ELSE 1.0 END::float8 *
        CASE WHEN (bits >> 10) & 31 = 0 THEN (bits & 1023) * 2.0::float8 ^ -24
        ELSE (1024 + (bits & 1023)) * 2.0::float8 ^ (((bits >> 10) & 31) - 25) END
        ORDER BY n)::float8[]::halfvec
    FROM (
        SELECT n, get_byte(stored, 2 * n) + 256 * get_byte(stored, 2 * n + 1) AS bits
        FROM generate_series(0, length(stored) / 2 - 1) AS n
    )
$$"""
# What halfvec_send gives is big endian, behind 4 bytes of dimension and a reserved number.
TO_BYTES = """
CREATE FUNCTION pg_temp.to_bytes(stored halfvec) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT string_agg(
        substr(sent, 6 + 2 * n, 1) || substr(sent, 5 + 2 * n, 1), ''::bytea ORDER BY n)
    FROM (SELECT halfvec_send(stored) AS sent), generate_series(0, vector_dims(stored) - 1) AS n
$$"""
