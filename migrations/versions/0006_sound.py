"""Sound: which key of that stage a video serves, and the language that a collection speaks.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the key of a video's sound and the language of a collection."""
    op.add_column("video", sa.Column("sound_key", sa.Text()))
    op.add_column("collection", sa.Column("language", sa.Text()))


def downgrade() -> None:
    """Drops both columns."""
    # Tasks of a stage that the older version does not know would wait for ever. SQLite checks no
    # foreign keys while a schema changes, so what hangs on the task goes first.
    tasks = "SELECT id FROM chunk_task WHERE stage = 'sound'"
    for table in ("frame_block", "segment", "passage"):
        op.execute(f"DELETE FROM {table} WHERE task_id IN ({tasks})")
    op.execute("DELETE FROM chunk_task WHERE stage = 'sound'")
    op.drop_column("collection", "language")
    op.drop_column("video", "sound_key")
