"""First tables: collections, videos and their paths, chunks, work, frames, segments, passages and
the word index over them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Creates the tables of the library, of its work and of what chunks hold."""
    _create_library()
    _create_work()
    _create_rows()
    if op.get_bind().dialect.name == "sqlite":
        for statement in SQLITE_WORDS:
            op.execute(statement)
    else:
        for statement in POSTGRES_WORDS:
            op.execute(statement)


def downgrade() -> None:
    """Drops them."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE passage_words")
        op.execute("DROP VIEW passage_words_source")
    for table in (
        "passage",
        "segment",
        "frame_block",
        "work",
        "chunk",
        "path",
        "video",
        "collection",
    ):
        op.drop_table(table)


def _create_library() -> None:
    op.create_table(
        "collection",
        _id(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("name", name="uq_collection_name"),
        sa.PrimaryKeyConstraint("id", name="pk_collection"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "video",
        _id(),
        sa.Column("collection_id", BIG, nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("size_bytes", BIG, nullable=False),
        sa.Column("duration_s", sa.Float(53), nullable=False),
        sa.Column("width", BIG, nullable=False),
        sa.Column("height", BIG, nullable=False),
        sa.Column("fps", sa.Float(53)),
        sa.Column("codec", sa.Text(), nullable=False),
        sa.Column("container", sa.Text(), nullable=False),
        sa.Column("audio_tracks", BIG, nullable=False),
        sa.Column("rotation", BIG, nullable=False),
        sa.Column("recorded_at", TIME),
        sa.Column("title", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("picture_key", sa.Text()),
        sa.Column("speech_key", sa.Text()),
        sa.Column("screen_key", sa.Text()),
        sa.Column("events_key", sa.Text()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("ready_at", TIME),
        _parent("video", "collection_id", "collection"),
        sa.UniqueConstraint(
            "collection_id", "content_hash", name="uq_video_collection_id_content_hash"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_video"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_video_state", "video", ["state"])
    op.create_table(
        "path",
        _id(),
        sa.Column("collection_id", BIG, nullable=False),
        sa.Column("video_id", BIG, nullable=False),
        sa.Column("next_video_id", BIG),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("relative_path", sa.Text(), nullable=False),
        sa.Column("size_bytes", BIG, nullable=False),
        sa.Column("mtime_ns", BIG, nullable=False),
        sa.Column("offline", sa.Boolean(), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        _parent("path", "video_id", "video"),
        _parent("path", "next_video_id", "video", ondelete="SET NULL"),
        sa.UniqueConstraint(
            "collection_id",
            "root",
            "relative_path",
            name="uq_path_collection_id_root_relative_path",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_path"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_path_video_id", "path", ["video_id"])
    op.create_index("ix_path_next_video_id", "path", ["next_video_id"])


def _create_work() -> None:
    op.create_table(
        "chunk",
        _id(),
        sa.Column("video_id", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("start_s", sa.Float(53), nullable=False),
        sa.Column("end_s", sa.Float(53), nullable=False),
        _parent("chunk", "video_id", "video"),
        sa.UniqueConstraint("video_id", "number", name="uq_chunk_video_id_number"),
        sa.PrimaryKeyConstraint("id", name="pk_chunk"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "work",
        _id(),
        sa.Column("chunk_id", BIG, nullable=False),
        sa.Column("video_id", BIG, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("owner", sa.Text()),
        sa.Column("lease_until_s", sa.Float(53)),
        sa.Column("priority", BIG, nullable=False),
        sa.Column("video_s", sa.Float(53), nullable=False),
        sa.Column("revision", BIG, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("seconds", sa.Float(53)),
        _parent("work", "chunk_id", "chunk"),
        sa.UniqueConstraint("chunk_id", "stage", "key", name="uq_work_chunk_id_stage_key"),
        sa.PrimaryKeyConstraint("id", name="pk_work"),
        sqlite_autoincrement=True,
    )
    unfinished = sa.text("state IN ('pending', 'running')")
    op.create_index(
        "ix_work_open",
        "work",
        ["priority", "video_s", "id"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    op.create_index(
        "ix_work_live", "work", ["stage", "key", "state", "video_id", "chunk_id", "revision"]
    )
    op.create_index("ix_work_video_id_stage_key", "work", ["video_id", "stage", "key"])


def _create_rows() -> None:
    op.create_table(
        "frame_block",
        sa.Column("work_id", BIG, autoincrement=False, nullable=False),
        sa.Column("chunk_id", BIG, nullable=False),
        sa.Column("video_id", BIG, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("count", BIG, nullable=False),
        sa.Column("dimension", BIG, nullable=False),
        sa.Column("times_s", sa.LargeBinary(), nullable=False),
        sa.Column("cuts_s", sa.LargeBinary(), nullable=False),
        sa.Column("vectors", sa.LargeBinary(), nullable=False),
        _parent("frame_block", "work_id", "work"),
        sa.PrimaryKeyConstraint("work_id", name="pk_frame_block"),
    )
    op.create_index("ix_frame_block_chunk_id", "frame_block", ["chunk_id"])
    op.create_index("ix_frame_block_video_id", "frame_block", ["video_id"])
    op.create_table(
        "segment",
        _id(),
        sa.Column("work_id", BIG, nullable=False),
        sa.Column("chunk_id", BIG, nullable=False),
        sa.Column("video_id", BIG, nullable=False),
        sa.Column("collection_id", BIG, nullable=False),
        sa.Column("start_s", sa.Float(53), nullable=False),
        sa.Column("end_s", sa.Float(53), nullable=False),
        sa.Column("thumbnail_s", sa.Float(53), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        _parent("segment", "work_id", "work"),
        sa.PrimaryKeyConstraint("id", name="pk_segment"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_segment_work_id", "segment", ["work_id"])
    op.create_table(
        "passage",
        _id(),
        sa.Column("work_id", BIG, nullable=False),
        sa.Column("chunk_id", BIG),
        sa.Column("video_id", BIG, nullable=False),
        sa.Column("collection_id", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("start_s", sa.Float(53), nullable=False),
        sa.Column("end_s", sa.Float(53), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("index_text", sa.Text()),
        sa.Column("language", sa.Text()),
        sa.Column("confidence", sa.Float(53)),
        sa.Column("words", sa.JSON()),
        sa.Column("vector", sa.LargeBinary()),
        sa.Column("vector_key", sa.Text()),
        _parent("passage", "work_id", "work"),
        sa.PrimaryKeyConstraint("id", name="pk_passage"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_passage_work_id", "passage", ["work_id"])
    op.create_index("ix_passage_video_id", "passage", ["video_id"])


def _id() -> sa.Column:
    return sa.Column("id", BIG, nullable=False)


def _parent(
    table: str, column: str, parent: str, ondelete: str = "CASCADE"
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{parent}.id"], name=f"fk_{table}_{column}", ondelete=ondelete
    )


# The word index keeps no copy of the texts; triggers keep it in step inside the same transaction,
# also when a video's rows are deleted. A later migration that rebuilds `passage` in batch mode
# drops these triggers and must make them again.
SQLITE_WORDS = (
    """CREATE VIEW passage_words_source AS
        SELECT id, coalesce(index_text, text) AS text FROM passage""",
    """CREATE VIRTUAL TABLE passage_words USING fts5(
        text, content='passage_words_source', content_rowid='id',
        tokenize='porter unicode61 remove_diacritics 2')""",
    """CREATE TRIGGER passage_words_insert AFTER INSERT ON passage BEGIN
        INSERT INTO passage_words(rowid, text) VALUES (new.id, coalesce(new.index_text, new.text));
    END""",
    """CREATE TRIGGER passage_words_delete AFTER DELETE ON passage BEGIN
        INSERT INTO passage_words(passage_words, rowid, text)
            VALUES ('delete', old.id, coalesce(old.index_text, old.text));
    END""",
    """CREATE TRIGGER passage_words_update AFTER UPDATE OF text, index_text ON passage BEGIN
        INSERT INTO passage_words(passage_words, rowid, text)
            VALUES ('delete', old.id, coalesce(old.index_text, old.text));
        INSERT INTO passage_words(rowid, text) VALUES (new.id, coalesce(new.index_text, new.text));
    END""",
)
# `simple` keeps names and other languages as they are, `english` adds stems.
POSTGRES_WORDS = (
    """ALTER TABLE passage ADD COLUMN passage_words tsvector GENERATED ALWAYS AS (
        to_tsvector('simple'::regconfig, coalesce(index_text, text)) ||
        to_tsvector('english'::regconfig, coalesce(index_text, text))) STORED""",
    "CREATE INDEX ix_passage_words ON passage USING gin (passage_words)",
)
