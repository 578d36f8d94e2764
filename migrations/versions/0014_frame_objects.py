"""Vectors of frames may lie in object storage.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not in a batch: SQLite would copy the table, which is most of the catalog.
    op.add_column("frame_block", sa.Column("object_name", sa.Text()))
    op.create_index("ix_frame_block_object_name", "frame_block", ["object_name"])


def downgrade() -> None:
    outside = sa.text("SELECT count(*) FROM frame_block WHERE object_name IS NOT NULL")
    if op.get_bind().scalar(outside):
        raise RuntimeError(
            "vectors are in object storage: run `seekpoint db move-frames --back` before"
        )
    op.drop_index("ix_frame_block_object_name", "frame_block")
    with op.batch_alter_table("frame_block") as batch:
        batch.drop_column("object_name")
