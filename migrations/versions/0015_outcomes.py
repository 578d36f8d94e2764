"""What became of each file of a job.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("page_job", sa.Column("outcomes", sa.JSON()))


def downgrade() -> None:
    with op.batch_alter_table("page_job") as batch:
        batch.drop_column("outcomes")
