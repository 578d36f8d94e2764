"""Moments that people keep in lists, and links that show them to others.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "moment_list",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        _child_of("moment_list", "account", "account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_moment_list"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_moment_list_account_id", "moment_list", ["account_id"])
    op.create_table(
        "kept_moment",
        sa.Column("id", BIG, nullable=False),
        sa.Column("list_id", BIG, nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("video_id", BIG, nullable=False),
        sa.Column("start_s", sa.Float(53), nullable=False),
        sa.Column("end_s", sa.Float(53), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        _child_of("kept_moment", "moment_list", "list_id"),
        _child_of("kept_moment", "video", "video_id"),
        sa.UniqueConstraint(
            "list_id",
            "video_id",
            "start_s",
            "end_s",
            name="uq_kept_moment_list_id_video_id_start_s_end_s",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_kept_moment"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_kept_moment_video_id", "kept_moment", ["video_id"])
    op.create_table(
        "shared_link",
        sa.Column("id", BIG, nullable=False),
        sa.Column("list_id", BIG, nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("opened_at", TIME),
        _child_of("shared_link", "moment_list", "list_id"),
        sa.UniqueConstraint("list_id", name="uq_shared_link_list_id"),
        sa.UniqueConstraint("token_hash", name="uq_shared_link_token_hash"),
        sa.PrimaryKeyConstraint("id", name="pk_shared_link"),
        sqlite_autoincrement=True,
    )


def _child_of(table: str, parent: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{parent}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE"
    )


def downgrade() -> None:
    for table in ("shared_link", "kept_moment", "moment_list"):
        op.drop_table(table)
