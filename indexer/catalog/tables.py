"""Tables. Ids are 64 bit, grow, and are never used again: a vector index may hold an id long after
its row is gone.

Rows of a chunk's stage hang on its `work` row, which hangs on `chunk`, which hangs on `video`:
deleting any of them deletes what was made from it. `collection_id`, `video_id` and `chunk_id` are
repeated in the rows below so that selections need no join.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from indexer.catalog.database.half_vector import HalfVector

STAGES = ("picture", "speech", "screen", "sound", "events")
SEGMENT_STAGES = frozenset({"picture", "sound"})  # the vectors of the others are of passages
VIDEO_STATES = ("pending", "ingesting", "ready", "failed")
WORK_STATES = ("pending", "running", "done", "failed")
PASSAGE_KINDS = ("speech", "screen", "sound", "event")

# SQLite numbers rows by itself only in a column that is called INTEGER, which holds 64 bits there.
BigId = BigInteger().with_variant(Integer, "sqlite")


class UtcTime(TypeDecorator[datetime]):
    """Aware times in UTC on both databases; SQLite drops the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy's protocol)
        int: BigId,
        float: Float(53),
        str: Text,
        bytes: LargeBinary,
        datetime: UtcTime,
    }


def _child_of(parent: str) -> ForeignKey:
    return ForeignKey(f"{parent}.id", ondelete="CASCADE")


class Collection(Base):
    """`claimed_s`: when a worker last took work of it (Unix time): the one that waited longest
    comes next. `language`: what is mostly spoken in it (ISO 639-1); None: not known.
    """

    __tablename__ = "collection"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    claimed_s: Mapped[float | None]
    language: Mapped[str | None]


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
    collection_id: Mapped[int] = mapped_column(_child_of("collection"))
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
    state: Mapped[str] = mapped_column(default="pending", index=True)
    error: Mapped[str | None]
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
    video_id: Mapped[int] = mapped_column(_child_of("video"), index=True)
    next_video_id: Mapped[int | None] = mapped_column(
        ForeignKey("video.id", ondelete="SET NULL"), index=True
    )
    root: Mapped[str]
    relative_path: Mapped[str]
    size_bytes: Mapped[int]
    mtime_ns: Mapped[int]
    offline: Mapped[bool] = mapped_column(default=False)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)


class Chunk(Base):
    __tablename__ = "chunk"
    __table_args__ = (UniqueConstraint("video_id", "number"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    video_id: Mapped[int] = mapped_column(_child_of("video"))
    number: Mapped[int]
    start_s: Mapped[float]
    end_s: Mapped[float]


class Work(Base):
    """One stage of one chunk under one key.

    Lower `priority` is taken sooner, then lower `video_s` (small videos before large).
    `lease_until_s` is Unix time by the database's clock. `revision` is drawn anew at each commit:
    (chunk, revision) names the rows that were committed then, and no others.
    """

    __tablename__ = "work"
    __table_args__ = (
        UniqueConstraint("chunk_id", "stage", "key"),
        Index("ix_work_video_id_stage_key", "video_id", "stage", "key"),
        Index(
            "ix_work_open",
            "priority",
            "video_s",
            "id",
            sqlite_where=text("state IN ('pending', 'running')"),
            postgresql_where=text("state IN ('pending', 'running')"),
        ),
        # A worker takes what comes first in one collection and stage.
        Index(
            "ix_work_turn",
            "collection_id",
            "stage",
            "priority",
            "video_s",
            "id",
            sqlite_where=text("state IN ('pending', 'running')"),
            postgresql_where=text("state IN ('pending', 'running')"),
        ),
        # Who holds what: few rows, however much waits.
        Index(
            "ix_work_owner",
            "owner",
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
        Index("ix_work_finished", "finished_at"),
        # The fingerprint of what is live reads this index alone.
        Index("ix_work_live", "stage", "key", "state", "video_id", "chunk_id", "revision"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    chunk_id: Mapped[int] = mapped_column(_child_of("chunk"))
    video_id: Mapped[int]
    collection_id: Mapped[int]
    stage: Mapped[str]
    key: Mapped[str]
    state: Mapped[str] = mapped_column(default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    owner: Mapped[str | None]
    lease_until_s: Mapped[float | None]
    priority: Mapped[int] = mapped_column(default=0)
    video_s: Mapped[float]
    revision: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    seconds: Mapped[float | None]


class Errand(Base):
    """What workers do besides chunks: plan a file, ground a question, make the artefacts of a
    video. It is claimed as work is.

    `name` is unique per kind and collection: what is asked for twice waits once. `size` orders
    (bytes or seconds, small ones first). `details` is what it needs, `result` what came of it; one
    that is done without a result is deleted.
    """

    __tablename__ = "errand"
    __table_args__ = (
        UniqueConstraint("kind", "collection_id", "name"),
        Index("ix_errand_turn", "kind", "state", "collection_id", "size", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    collection_id: Mapped[int] = mapped_column(_child_of("collection"))
    video_id: Mapped[int | None] = mapped_column(_child_of("video"), index=True)
    name: Mapped[str]
    size: Mapped[float] = mapped_column(default=0.0)
    details: Mapped[dict] = mapped_column(JSON(none_as_null=True))
    result: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))
    state: Mapped[str] = mapped_column(default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    owner: Mapped[str | None]
    lease_until_s: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]


class FrameBlockRow(Base):
    """All frames of a chunk: `times_s` (N,) float64, `vectors` (N, D) float16, `cuts_s` (K,)
    float64, little endian.
    """

    __tablename__ = "frame_block"

    work_id: Mapped[int] = mapped_column(_child_of("work"), primary_key=True, autoincrement=False)
    chunk_id: Mapped[int] = mapped_column(index=True)
    video_id: Mapped[int] = mapped_column(index=True)
    key: Mapped[str]
    count: Mapped[int]
    dimension: Mapped[int]
    times_s: Mapped[bytes]
    cuts_s: Mapped[bytes]
    vectors: Mapped[bytes]


class Segment(Base):
    """`key`, as in `work`, is for the partial vector indexes of a server (docs/scale.md)."""

    __tablename__ = "segment"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    work_id: Mapped[int] = mapped_column(_child_of("work"), index=True)
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
    work_id: Mapped[int] = mapped_column(_child_of("work"), index=True)
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


class Account(Base):
    """Somebody who may enter the search page. No `password_hash`: signs in elsewhere (OpenID
    Connect). `collection_ids` None: all.
    """

    __tablename__ = "account"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    role: Mapped[str]
    collection_ids: Mapped[list | None] = mapped_column(JSON(none_as_null=True))
    epoch: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class KeptSearch(Base):
    """A search that somebody asked (`saved` False: pushed out by later ones) or saved. No account:
    whoever uses the local page.
    """

    __tablename__ = "kept_search"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(_child_of("account"), index=True)
    saved: Mapped[bool]
    title: Mapped[str]
    link: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(default=utc_now)


class WatchedFolder(Base):
    """A folder that is ingested again and again, by the process that serves the search page."""

    __tablename__ = "watched_folder"
    __table_args__ = (UniqueConstraint("collection", "path"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    collection: Mapped[str]
    path: Mapped[str]
    scanned_at: Mapped[datetime | None]
    error: Mapped[str | None]


SERVED_KEY = {
    "picture": Video.picture_key,
    "speech": Video.speech_key,
    "screen": Video.screen_key,
    "sound": Video.sound_key,
    "events": Video.events_key,
}
