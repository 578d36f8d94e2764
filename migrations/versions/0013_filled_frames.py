"""Which frames of a chunk were not decoded, and stand for what is around them.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("frame_block") as batch:
        batch.add_column(sa.Column("filled", sa.LargeBinary()))


def downgrade() -> None:
    with op.batch_alter_table("frame_block") as batch:
        batch.drop_column("filled")
