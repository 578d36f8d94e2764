"""Workers: errands besides chunks, and what a fair order of work needs.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
OPEN = sa.text("state IN ('pending', 'running')")
HELD = sa.text("state = 'running'")


def upgrade() -> None:
    """Adds jobs and what a fair order of work needs."""
    op.create_table(
        "errand",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("collection_id", BIG, nullable=False),
        sa.Column("video_id", BIG),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.Float(53), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("owner", sa.Text()),
        sa.Column("lease_until_s", sa.Float(53)),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name="fk_errand_collection_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name="fk_errand_video_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "kind", "collection_id", "name", name="uq_errand_kind_collection_id_name"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_errand"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_errand_video_id", "errand", ["video_id"])
    op.create_index("ix_errand_turn", "errand", ["kind", "state", "collection_id", "size", "id"])
    op.add_column("collection", sa.Column("claimed_s", sa.Float(53)))
    # The default is there because rows are: SQLite adds no other column without making the table
    # anew, which would forget its last id.
    op.add_column("work", sa.Column("collection_id", BIG, nullable=False, server_default="0"))
    op.execute(
        "UPDATE work SET collection_id = "
        "(SELECT collection_id FROM video WHERE video.id = work.video_id)"
    )
    order = ["collection_id", "stage", "priority", "video_s", "id"]
    op.create_index("ix_work_turn", "work", order, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_work_owner", "work", ["owner"], sqlite_where=HELD, postgresql_where=HELD)
    op.create_index("ix_work_finished", "work", ["finished_at"])


def downgrade() -> None:
    """Drops them."""
    op.drop_index("ix_work_finished", "work")
    op.drop_index("ix_work_owner", "work")
    op.drop_index("ix_work_turn", "work")
    op.drop_column("work", "collection_id")
    op.drop_column("collection", "claimed_s")
    op.drop_table("errand")
