"""Collections, their videos, and what is made of them.

Rows of a chunk's stage hang on its `chunk_task`, which hangs on `chunk`, which hangs on `video`:
deleting any of them deletes what was made from it. `collection_id`, `video_id` and `chunk_id` are
repeated in the rows below so that selections need no join.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from indexer.catalog.database.half_vector import HalfVector
from indexer.catalog.tables.base import (
    IS_HELD,
    IS_OPEN,
    Base,
    LeasedRow,
    child_of,
    may_be_of,
    partial_index,
    utc_now,
)
from indexer.messages import Message
from indexer.vocabulary import StageName, VideoState


class Collection(Base):
    """`last_claimed_s`: when a worker last took work of it (Unix time): the one that waited longest
    comes next. `language`: what is mostly spoken in it (ISO 639-1); None: not known.
    """

    __tablename__ = "collection"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_claimed_s: Mapped[float | None]
    language: Mapped[str | None]


class CollectionFolder(Base):
    """A folder whose files belong to the collection: who sees only some collections may add from
    the folders of those.
    """

    __tablename__ = "collection_folder"
    __table_args__ = (UniqueConstraint("collection_id", "path"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    collection_id: Mapped[int] = mapped_column(child_of(Collection))
    path: Mapped[str]


class Video(Base):
    """The content of a file. The `*_key` columns name the stage keys whose rows are served; others
    are being made, or are leftovers.
    """

    __tablename__ = "video"
    __table_args__ = (
        UniqueConstraint("collection_id", "content_hash"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    collection_id: Mapped[int] = mapped_column(child_of(Collection))
    content_hash: Mapped[str]
    size_bytes: Mapped[int]
    duration_s: Mapped[float]
    width: Mapped[int]
    height: Mapped[int]
    fps: Mapped[float | None]
    codec: Mapped[str]
    container: Mapped[str]
    audio_tracks: Mapped[int]
    rotation: Mapped[int]
    recorded_at: Mapped[datetime | None]
    title: Mapped[str | None]
    state: Mapped[VideoState] = mapped_column(default=VideoState.PENDING, index=True)
    error: Mapped[Message | None]
    picture_key: Mapped[str | None]
    speech_key: Mapped[str | None]
    screen_key: Mapped[str | None]
    sound_key: Mapped[str | None]
    events_key: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ready_at: Mapped[datetime | None]


class Path(Base):
    """Where the bytes of a video were seen. `next_video_id`: other bytes are there now; they take
    over when that video is ready.

    `size_bytes` and `mtime_ns` describe the bytes seen last, those of `next_video_id` where it is
    set.
    """

    __tablename__ = "path"
    __table_args__ = (
        UniqueConstraint("collection_id", "root", "relative_path"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    collection_id: Mapped[int]
    video_id: Mapped[int] = mapped_column(child_of(Video), index=True)
    next_video_id: Mapped[int | None] = mapped_column(may_be_of(Video), index=True)
    root: Mapped[str]
    relative_path: Mapped[str]
    size_bytes: Mapped[int]
    mtime_ns: Mapped[int]
    offline: Mapped[bool] = mapped_column(default=False)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)


class Chunk(Base):
    """One to two minutes of a video: what is read, computed and committed at once."""

    __tablename__ = "chunk"
    __table_args__ = (UniqueConstraint("video_id", "number"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    video_id: Mapped[int] = mapped_column(child_of(Video))
    number: Mapped[int]
    start_s: Mapped[float]
    end_s: Mapped[float]


class ChunkTask(LeasedRow, Base):
    """One stage of one chunk under one key. Lower `video_s` is taken sooner: small videos before
    large.

    `revision` is drawn at each commit: (chunk, revision) names the rows that were committed then,
    and no others. `seconds`: what it took.
    """

    __tablename__ = "chunk_task"
    __table_args__ = (
        UniqueConstraint("chunk_id", "stage", "key"),
        Index("ix_chunk_task_video_id_stage_key", "video_id", "stage", "key"),
        partial_index("ix_chunk_task_open", "video_s", "id", where=IS_OPEN),
        # A worker takes what comes first in one collection and stage.
        partial_index(
            "ix_chunk_task_next", "collection_id", "stage", "video_s", "id", where=IS_OPEN
        ),
        # Who holds what: few rows, however much waits.
        partial_index("ix_chunk_task_owner", "owner", where=IS_HELD),
        Index("ix_chunk_task_finished_at", "finished_at"),
        # The fingerprint of what is live reads this index alone.
        Index("ix_chunk_task_live", "stage", "key", "state", "video_id", "chunk_id", "revision"),
        {"sqlite_autoincrement": True},
    )

    chunk_id: Mapped[int] = mapped_column(child_of(Chunk))
    video_id: Mapped[int]
    collection_id: Mapped[int]
    stage: Mapped[str]
    key: Mapped[str]
    video_s: Mapped[float]
    revision: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float | None]


class FrameBlockRow(Base):
    """All frames of a chunk: `times_s` (N,) float64, `vectors` (N, D) float16, `cuts_s` (K,)
    float64, little endian; `filled`: a bit for each frame, set where it was not decoded (NULL: none
    is). `object_name`: of the object that holds the vectors, which are empty here then.
    """

    __tablename__ = "frame_block"

    task_id: Mapped[int] = mapped_column(child_of(ChunkTask), primary_key=True, autoincrement=False)
    chunk_id: Mapped[int] = mapped_column(index=True)
    video_id: Mapped[int] = mapped_column(index=True)
    key: Mapped[str]
    count: Mapped[int]
    dimension: Mapped[int]
    times_s: Mapped[bytes]
    cuts_s: Mapped[bytes]
    vectors: Mapped[bytes]
    filled: Mapped[bytes | None]
    object_name: Mapped[str | None] = mapped_column(index=True)


class Segment(Base):
    """`key`, as in `chunk_task`, is for the partial vector indexes of a server
    (docs/explanation/vectors.md).
    """

    __tablename__ = "segment"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(child_of(ChunkTask), index=True)
    chunk_id: Mapped[int]
    video_id: Mapped[int]
    collection_id: Mapped[int]
    start_s: Mapped[float]
    end_s: Mapped[float]
    thumbnail_s: Mapped[float]
    key: Mapped[str]
    vector: Mapped[bytes] = mapped_column(HalfVector)


class Passage(Base):
    """Text that holds during a span. `words`: [[start_s, end_s, word], ...]; `index_text`: what the
    word index reads, where not `text`.
    """

    __tablename__ = "passage"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(child_of(ChunkTask), index=True)
    chunk_id: Mapped[int | None]
    video_id: Mapped[int] = mapped_column(index=True)
    collection_id: Mapped[int]
    kind: Mapped[str]
    key: Mapped[str]
    start_s: Mapped[float]
    end_s: Mapped[float]
    text: Mapped[str]
    index_text: Mapped[str | None]
    language: Mapped[str | None]
    confidence: Mapped[float | None]
    words: Mapped[list | None] = mapped_column(JSON(none_as_null=True))
    vector: Mapped[bytes | None] = mapped_column(HalfVector)
    vector_key: Mapped[str | None]


SERVED_KEY: dict[str, InstrumentedAttribute[str | None]] = {
    StageName.PICTURE: Video.picture_key,
    StageName.SPEECH: Video.speech_key,
    StageName.SCREEN: Video.screen_key,
    StageName.SOUND: Video.sound_key,
    StageName.EVENTS: Video.events_key,
}
"""The column of a video that names the key of a stage whose rows are served."""


SEGMENT_STAGES = frozenset({StageName.PICTURE, StageName.SOUND})
"""Stages whose vectors are of segments; those of the others are of passages."""
