"""Sound: which key of that stage a video serves, and the language that a collection speaks.

Revision ID: 0006
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("video", sa.Column("sound_key", sa.Text()))
    op.add_column("collection", sa.Column("language", sa.Text()))


def downgrade() -> None:
    # Work of a stage that the older version does not know would wait for ever. SQLite checks no
    # foreign keys while a schema changes, so what hangs on the work goes first.
    works = "SELECT id FROM work WHERE stage = 'sound'"
    for table in ("frame_block", "segment", "passage"):
        op.execute(f"DELETE FROM {table} WHERE work_id IN ({works})")
    op.execute("DELETE FROM work WHERE stage = 'sound'")
    op.drop_column("collection", "language")
    op.drop_column("video", "sound_key")
