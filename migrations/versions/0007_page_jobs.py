"""Jobs that were asked for on the search page, and their files.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
OPEN = sa.text("state IN ('pending', 'running')")


def upgrade() -> None:
    op.create_table(
        "page_job",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("collection_id", BIG, nullable=False),
        sa.Column("video_id", BIG),
        sa.Column("account_id", BIG),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("handed_over", sa.Boolean(), nullable=False),
        sa.Column("files", BIG, nullable=False),
        sa.Column("files_done", BIG, nullable=False),
        sa.Column("size_bytes", BIG, nullable=False),
        sa.Column("done_bytes", sa.Float(53), nullable=False),
        sa.Column("video_s", sa.Float(53), nullable=False),
        sa.Column("worked_s", sa.Float(53), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("owner", sa.Text()),
        sa.Column("lease_until_s", sa.Float(53)),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        _foreign_key("page_job", "collection", "CASCADE"),
        _foreign_key("page_job", "video", "CASCADE"),
        _foreign_key("page_job", "account", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_page_job"),
        sqlite_autoincrement=True,
    )
    for column in ("collection_id", "video_id", "account_id", "finished_at"):
        op.create_index(f"ix_page_job_{column}", "page_job", [column])
    op.create_index(
        "ix_page_job_open", "page_job", ["kind", "id"], sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_table(
        "page_job_file",
        sa.Column("id", BIG, nullable=False),
        sa.Column("page_job_id", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size_bytes", BIG, nullable=False),
        sa.Column("video_id", BIG),
        _foreign_key("page_job_file", "page_job", "CASCADE"),
        _foreign_key("page_job_file", "video", "SET NULL"),
        sa.UniqueConstraint("page_job_id", "name", name="uq_page_job_file_page_job_id_name"),
        sa.PrimaryKeyConstraint("id", name="pk_page_job_file"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_page_job_file_name", "page_job_file", ["name"])
    op.create_index("ix_page_job_file_video_id", "page_job_file", ["video_id"])


def _foreign_key(table: str, parent: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [f"{parent}_id"], [f"{parent}.id"], name=f"fk_{table}_{parent}_id", ondelete=ondelete
    )


def downgrade() -> None:
    op.drop_table("page_job_file")
    op.drop_table("page_job")
