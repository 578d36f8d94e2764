"""Tables and columns get the field's words: chunk tasks and jobs in place of work and errands. What
nothing used goes (`priority`); a job notes when it was begun. Errors are stored as messages.

Revision ID: 0005
Revises: 0004
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from indexer.messages import Message

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
OPEN = sa.text("state IN ('pending', 'running')")
HELD = sa.text("state = 'running'")

MADE_IN_TASKS = ("frame_block", "segment", "passage")
WITH_ERRORS = ("video", "chunk_task", "job", "watched_folder")


def upgrade() -> None:
    """Renames tables and columns; rows stay."""
    _drop_indexes("work", "errand", "kept_search")
    _rename_column("collection", "claimed_s", "last_claimed_s")
    op.rename_table("work", "chunk_task")
    op.rename_table("errand", "job")
    op.rename_table("kept_search", "search")
    for table in MADE_IN_TASKS:
        _rename_column(table, "work_id", "task_id")
    if _is_sqlite():
        _rebuild("chunk_task", _task_columns(), _task_constraints("chunk_task"))
        _rebuild("job", _job_columns(), _job_constraints("job"))
    else:
        _rename_in_server("work", "chunk_task")
        _rename_in_server("errand", "job")
        _rename_in_server("kept_search", "search")
        for table in MADE_IN_TASKS:
            _rename_constraint(table, f"fk_{table}_work_id", f"fk_{table}_task_id")
        op.drop_column("chunk_task", "priority")
        op.alter_column("chunk_task", "collection_id", server_default=None)
        op.add_column("job", sa.Column("started_at", TIME))
    _create_new_indexes()


def downgrade() -> None:
    """Renames them back; rows stay."""
    for table in WITH_ERRORS:
        _write_errors_in_english(table)
    _drop_indexes("chunk_task", "job", "search")
    _rename_column("collection", "last_claimed_s", "claimed_s")
    op.rename_table("chunk_task", "work")
    op.rename_table("job", "errand")
    op.rename_table("search", "kept_search")
    for table in MADE_IN_TASKS:
        _rename_column(table, "task_id", "work_id")
    priority = sa.Column("priority", BIG, nullable=False, server_default="0")
    if _is_sqlite():
        _rebuild("work", [*_task_columns(), priority], _task_constraints("work"))
        columns = [column for column in _job_columns() if column.name != "started_at"]
        _rebuild("errand", columns, _job_constraints("errand"))
    else:
        _rename_in_server("chunk_task", "work")
        _rename_in_server("job", "errand")
        _rename_in_server("search", "kept_search")
        for table in MADE_IN_TASKS:
            _rename_constraint(table, f"fk_{table}_task_id", f"fk_{table}_work_id")
        op.add_column("work", priority)
        op.alter_column("work", "priority", server_default=None)
        op.drop_column("errand", "started_at")
    _create_old_indexes()


# --- indexes ---


def _create_new_indexes() -> None:
    _partial_index("ix_chunk_task_open", "chunk_task", ["video_s", "id"], OPEN)
    order = ["collection_id", "stage", "video_s", "id"]
    _partial_index("ix_chunk_task_next", "chunk_task", order, OPEN)
    _partial_index("ix_chunk_task_owner", "chunk_task", ["owner"], HELD)
    op.create_index("ix_chunk_task_finished_at", "chunk_task", ["finished_at"])
    live = ["stage", "key", "state", "video_id", "chunk_id", "revision"]
    op.create_index("ix_chunk_task_live", "chunk_task", live)
    op.create_index("ix_chunk_task_video_id_stage_key", "chunk_task", ["video_id", "stage", "key"])
    op.create_index("ix_job_video_id", "job", ["video_id"])
    op.create_index("ix_job_next", "job", ["kind", "state", "collection_id", "size", "id"])
    op.create_index("ix_search_account_id", "search", ["account_id"])
    for table in ("segment", "passage"):
        op.drop_index(f"ix_{table}_work_id", table)
        op.create_index(f"ix_{table}_task_id", table, ["task_id"])


def _create_old_indexes() -> None:
    _partial_index("ix_work_open", "work", ["priority", "video_s", "id"], OPEN)
    order = ["collection_id", "stage", "priority", "video_s", "id"]
    _partial_index("ix_work_turn", "work", order, OPEN)
    _partial_index("ix_work_owner", "work", ["owner"], HELD)
    op.create_index("ix_work_finished", "work", ["finished_at"])
    live = ["stage", "key", "state", "video_id", "chunk_id", "revision"]
    op.create_index("ix_work_live", "work", live)
    op.create_index("ix_work_video_id_stage_key", "work", ["video_id", "stage", "key"])
    op.create_index("ix_errand_video_id", "errand", ["video_id"])
    op.create_index("ix_errand_turn", "errand", ["kind", "state", "collection_id", "size", "id"])
    op.create_index("ix_kept_search_account_id", "kept_search", ["account_id"])
    for table in ("segment", "passage"):
        op.drop_index(f"ix_{table}_task_id", table)
        op.create_index(f"ix_{table}_work_id", table, ["work_id"])


def _partial_index(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _drop_indexes(*tables: str) -> None:
    inspector = sa.inspect(op.get_bind())
    for table in tables:
        constraints = {found["name"] for found in inspector.get_unique_constraints(table)}
        for index in inspector.get_indexes(table):
            if index["name"] not in constraints:
                op.drop_index(str(index["name"]), table)


# --- tables ---


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _rename_column(table: str, old: str, new: str) -> None:
    """Changes the schema alone, on both databases: no row is copied."""
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")


def _rebuild(table: str, columns: Sequence[sa.Column], constraints: Sequence[Any]) -> None:
    """SQLite cannot rename a constraint, nor drop a column that an index was on: the table is
    copied. Its last id is kept, since ids are never used again.
    """
    connection = op.get_bind()
    bound = {"name": table}
    last_id = connection.execute(
        sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name"), bound
    ).scalar()
    known = {column["name"] for column in sa.inspect(connection).get_columns(table)}
    names = ", ".join(f'"{column.name}"' for column in columns if column.name in known)
    op.create_table(f"{table}_new", *columns, *constraints, sqlite_autoincrement=True)
    op.execute(f"INSERT INTO {table}_new ({names}) SELECT {names} FROM {table}")
    op.drop_table(table)
    op.rename_table(f"{table}_new", table)
    if last_id is not None:
        connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), bound)
        connection.execute(
            sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"),
            {**bound, "seq": last_id},
        )


def _rename_in_server(old: str, new: str) -> None:
    """What PostgreSQL named after a table that was renamed."""
    op.execute(f"ALTER SEQUENCE {old}_id_seq RENAME TO {new}_id_seq")
    inspector = sa.inspect(op.get_bind())
    names = [
        inspector.get_pk_constraint(new)["name"],
        *(found["name"] for found in inspector.get_foreign_keys(new)),
        *(found["name"] for found in inspector.get_unique_constraints(new)),
    ]
    for name in names:
        kind, _, rest = str(name).partition(f"_{old}")
        _rename_constraint(new, str(name), f"{kind}_{new}{rest}")


def _rename_constraint(table: str, old: str, new: str) -> None:
    op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new}")


def _leased_columns() -> list[sa.Column]:
    return [
        sa.Column("id", BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("owner", sa.Text()),
        sa.Column("lease_until_s", sa.Float(53)),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
    ]


def _task_columns() -> list[sa.Column]:
    return [
        *_leased_columns(),
        sa.Column("chunk_id", BIG, nullable=False),
        sa.Column("video_id", BIG, nullable=False),
        sa.Column("collection_id", BIG, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("video_s", sa.Float(53), nullable=False),
        sa.Column("revision", BIG, nullable=False),
        sa.Column("seconds", sa.Float(53)),
    ]


def _task_constraints(table: str) -> list[Any]:
    return [
        _child_of(table, "chunk_id", "chunk"),
        sa.UniqueConstraint("chunk_id", "stage", "key", name=f"uq_{table}_chunk_id_stage_key"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    ]


def _job_columns() -> list[sa.Column]:
    return [
        *_leased_columns(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("collection_id", BIG, nullable=False),
        sa.Column("video_id", BIG),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.Float(53), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON()),
    ]


def _job_constraints(table: str) -> list[Any]:
    place = ("kind", "collection_id", "name")
    return [
        _child_of(table, "collection_id", "collection"),
        _child_of(table, "video_id", "video"),
        sa.UniqueConstraint(*place, name=f"uq_{table}_{'_'.join(place)}"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    ]


def _child_of(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete="CASCADE")


# --- rows ---


def _write_errors_in_english(table: str) -> None:
    """Older versions show the text of the column as it stands."""
    connection = op.get_bind()
    stored = sa.text(f"SELECT id, error FROM {table} WHERE error LIKE '{{%'")
    for row in connection.execute(stored).all():
        connection.execute(
            sa.text(f"UPDATE {table} SET error = :error WHERE id = :id"),
            {"id": row.id, "error": str(Message.from_json(row.error))},
        )
