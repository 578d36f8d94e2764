"""What other programs do: tokens may belong to accounts, uploads and saved searches to tokens;
feedback, and webhooks of saved searches.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
KEPT_IDS = {"sqlite_autoincrement": True}
OWNERS = (
    ("api_token", "account", "CASCADE"),
    ("upload", "api_token", "SET NULL"),
    ("search", "api_token", "CASCADE"),
)
"""Table, whose its rows may be, and what becomes of them when that is gone."""


def upgrade() -> None:
    for table, parent, ondelete in OWNERS:
        _add_owner(table, parent, ondelete)
    op.create_table(
        "feedback",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG),
        sa.Column("token_id", BIG),
        sa.Column("video_id", BIG, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("start_s", sa.Float(53), nullable=False),
        sa.Column("end_s", sa.Float(53), nullable=False),
        sa.Column("good", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        _foreign_key("feedback", "account", "SET NULL"),
        _foreign_key("feedback", "api_token", "SET NULL"),
        _foreign_key("feedback", "video", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        **KEPT_IDS,
    )
    for column in ("account_id", "token_id", "video_id"):
        op.create_index(f"ix_feedback_{column}", "feedback", [column])
    op.create_table(
        "search_alert",
        sa.Column("id", BIG, nullable=False),
        sa.Column("search_id", BIG, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("collections", sa.JSON()),
        sa.Column("kinds", sa.JSON()),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        _foreign_key("search_alert", "search", "CASCADE"),
        sa.UniqueConstraint("search_id", name="uq_search_alert_search_id"),
        sa.PrimaryKeyConstraint("id", name="pk_search_alert"),
        **KEPT_IDS,
    )
    op.create_table(
        "alert_delivery",
        sa.Column("id", BIG, nullable=False),
        sa.Column("alert_id", BIG, nullable=False),
        sa.Column("video_id", BIG, nullable=False),
        sa.Column("due_s", sa.Float(53), nullable=False),
        sa.Column("body", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("owner", sa.Text()),
        sa.Column("lease_until_s", sa.Float(53)),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.ForeignKeyConstraint(
            ["alert_id"],
            ["search_alert.id"],
            name="fk_alert_delivery_alert_id",
            ondelete="CASCADE",
        ),
        _foreign_key("alert_delivery", "video", "CASCADE"),
        sa.UniqueConstraint("alert_id", "video_id", name="uq_alert_delivery_alert_id_video_id"),
        sa.PrimaryKeyConstraint("id", name="pk_alert_delivery"),
        **KEPT_IDS,
    )
    is_open = sa.text("state IN ('pending', 'running')")
    op.create_index(
        "ix_alert_delivery_open",
        "alert_delivery",
        ["due_s", "id"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("ix_alert_delivery_video_id", "alert_delivery", ["video_id"])


def downgrade() -> None:
    for table in ("alert_delivery", "search_alert", "feedback"):
        op.drop_table(table)
    # Nobody else may see what a program saved.
    op.execute("DELETE FROM search WHERE token_id IS NOT NULL")
    for table, parent, _ in reversed(OWNERS):
        column = _column_of(parent)
        op.drop_index(f"ix_{table}_{column}", table)
        last_id = _last_id(table)
        with op.batch_alter_table(table, table_kwargs=KEPT_IDS) as batch:
            batch.drop_constraint(f"fk_{table}_{column}", type_="foreignkey")
            batch.drop_column(column)
        _keep_last_id(table, last_id)


def _column_of(parent: str) -> str:
    return f"{parent.removeprefix('api_')}_id"


def _add_owner(table: str, parent: str, ondelete: str) -> None:
    column = _column_of(parent)
    last_id = _last_id(table)
    with op.batch_alter_table(table, table_kwargs=KEPT_IDS) as batch:
        batch.add_column(sa.Column(column, BIG))
        batch.create_foreign_key(
            f"fk_{table}_{column}", parent, [column], ["id"], ondelete=ondelete
        )
    _keep_last_id(table, last_id)
    op.create_index(f"ix_{table}_{column}", table, [column])


def _last_id(table: str) -> int:
    """The last id that SQLite gave in a table; 0 elsewhere, where a sequence keeps it."""
    if op.get_bind().dialect.name != "sqlite":
        return 0
    last = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :table")
    return op.get_bind().scalar(last, {"table": table}) or 0


def _keep_last_id(table: str, last_id: int) -> None:
    """Batch mode copies the table, and with it only the ids that are there."""
    if not last_id:
        return
    op.execute(f"DELETE FROM sqlite_sequence WHERE name = '{table}'")
    op.execute(f"INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {last_id:d})")


def _foreign_key(table: str, parent: str, ondelete: str) -> sa.ForeignKeyConstraint:
    column = _column_of(parent)
    return sa.ForeignKeyConstraint(
        [column], [f"{parent}.id"], name=f"fk_{table}_{column}", ondelete=ondelete
    )
