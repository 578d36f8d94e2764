"""Who may enter the search page, searches that are kept, folders that are watched.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Creates the tables of the search page."""
    op.create_table(
        "account",
        _id(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("collection_ids", sa.JSON()),
        sa.Column("epoch", BIG, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("name", name="uq_account_name"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "kept_search",
        _id(),
        sa.Column("account_id", BIG),
        sa.Column("saved", sa.Boolean(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_kept_search_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_kept_search"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_kept_search_account_id", "kept_search", ["account_id"])
    op.create_table(
        "watched_folder",
        _id(),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("scanned_at", TIME),
        sa.Column("error", sa.Text()),
        sa.UniqueConstraint("collection", "path", name="uq_watched_folder_collection_path"),
        sa.PrimaryKeyConstraint("id", name="pk_watched_folder"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drops them."""
    op.drop_table("watched_folder")
    op.drop_index("ix_kept_search_account_id", "kept_search")
    op.drop_table("kept_search")
    op.drop_table("account")


def _id() -> sa.Column:
    return sa.Column("id", BIG, nullable=False)
