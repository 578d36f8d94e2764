"""Tables. Ids are 64 bit, grow, and are never used again: a vector index may hold an id long after
its row is gone.

Rows of a chunk's stage hang on its `chunk_task`, which hangs on `chunk`, which hangs on `video`:
deleting any of them deletes what was made from it. `collection_id`, `video_id` and `chunk_id` are
repeated in the rows below so that selections need no join.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    TextClause,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Mapped, mapped_column

from indexer.catalog.database.column_types import EnumText, MessageText, UtcTime
from indexer.catalog.database.half_vector import HalfVector
from indexer.messages import Message
from indexer.vocabulary import (
    AuditAction,
    JobKind,
    PageJobKind,
    StageName,
    TaskState,
    VideoState,
    Wanted,
)

# SQLite numbers rows by itself only in a column that is called INTEGER, which holds 64 bits there.
BigId = BigInteger().with_variant(Integer, "sqlite")


def utc_now() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """How columns and constraints are typed and named."""

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
        Message: MessageText,
        VideoState: EnumText(VideoState),
        TaskState: EnumText(TaskState),
        JobKind: EnumText(JobKind),
        PageJobKind: EnumText(PageJobKind),
        AuditAction: EnumText(AuditAction),
        Wanted: EnumText(Wanted),
    }


def _child_of(parent: str) -> ForeignKey:
    return ForeignKey(f"{parent}.id", ondelete="CASCADE")


def _may_be_of(parent: str) -> ForeignKey:
    return ForeignKey(f"{parent}.id", ondelete="SET NULL")


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
    """One to two minutes of a video: what is read, computed and committed at once."""

    __tablename__ = "chunk"
    __table_args__ = (UniqueConstraint("video_id", "number"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    video_id: Mapped[int] = mapped_column(_child_of("video"))
    number: Mapped[int]
    start_s: Mapped[float]
    end_s: Mapped[float]


class LeasedRow:
    """Columns of a row that one owner works on at a time (leasing/lease_queue.py).

    `lease_until_s` is Unix time by the database's clock. `attempts` counts those that were begun
    and not released. `error` is that of the last one.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[TaskState] = mapped_column(default=TaskState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[Message | None]
    owner: Mapped[str | None]
    lease_until_s: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


_IS_OPEN = text("state IN ('pending', 'running')")
_IS_HELD = text("state = 'running'")


def _partial_index(name: str, *columns: str, where: TextClause) -> Index:
    return Index(name, *columns, sqlite_where=where)  # of a server: postgresql.adapt_tables


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
        _partial_index("ix_chunk_task_open", "video_s", "id", where=_IS_OPEN),
        # A worker takes what comes first in one collection and stage.
        _partial_index(
            "ix_chunk_task_next", "collection_id", "stage", "video_s", "id", where=_IS_OPEN
        ),
        # Who holds what: few rows, however much waits.
        _partial_index("ix_chunk_task_owner", "owner", where=_IS_HELD),
        Index("ix_chunk_task_finished_at", "finished_at"),
        # The fingerprint of what is live reads this index alone.
        Index("ix_chunk_task_live", "stage", "key", "state", "video_id", "chunk_id", "revision"),
        {"sqlite_autoincrement": True},
    )

    chunk_id: Mapped[int] = mapped_column(_child_of("chunk"))
    video_id: Mapped[int]
    collection_id: Mapped[int]
    stage: Mapped[str]
    key: Mapped[str]
    video_s: Mapped[float]
    revision: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float | None]


class Job(LeasedRow, Base):
    """What workers do besides chunks: plan a file, ground a question, make the artefacts of a
    video.

    `name` is unique per kind and collection: what is asked for twice waits once. `size` orders
    (bytes or seconds, small ones first). `details` is what it needs, `result` what came of it; one
    that is done without a result is deleted.
    """

    __tablename__ = "job"
    __table_args__ = (
        UniqueConstraint("kind", "collection_id", "name"),
        Index("ix_job_next", "kind", "state", "collection_id", "size", "id"),
        {"sqlite_autoincrement": True},
    )

    kind: Mapped[JobKind]
    collection_id: Mapped[int] = mapped_column(_child_of("collection"))
    video_id: Mapped[int | None] = mapped_column(_child_of("video"), index=True)
    name: Mapped[str]
    size: Mapped[float] = mapped_column(default=0.0)
    details: Mapped[dict] = mapped_column(JSON(none_as_null=True))
    result: Mapped[dict | None] = mapped_column(JSON(none_as_null=True))


class PageJob(LeasedRow, Base):
    """What somebody asked for on the search page: acknowledged when the row is committed, so that
    no crash loses it.

    `subject`: what of, for people; `details`: what it needs. `handed_over`: workers are at its
    files (`page_job_file`); it has no owner and is open until they are done. `size_bytes`,
    `done_bytes` are of files, `video_s` of video that was done in `worked_s`. `problems`: messages
    as JSON, one for each file that failed.
    """

    __tablename__ = "page_job"
    __table_args__ = (
        _partial_index("ix_page_job_open", "kind", "id", where=_IS_OPEN),
        Index("ix_page_job_finished_at", "finished_at"),
        {"sqlite_autoincrement": True},
    )

    kind: Mapped[PageJobKind]
    collection_id: Mapped[int] = mapped_column(_child_of("collection"), index=True)
    video_id: Mapped[int | None] = mapped_column(_child_of("video"), index=True)
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), index=True
    )
    subject: Mapped[str]
    details: Mapped[dict] = mapped_column(JSON(none_as_null=True))
    wanted: Mapped[Wanted] = mapped_column(default=Wanted.RUN)
    handed_over: Mapped[bool] = mapped_column(default=False)
    files: Mapped[int] = mapped_column(default=0)
    files_done: Mapped[int] = mapped_column(default=0)
    size_bytes: Mapped[int] = mapped_column(default=0)
    done_bytes: Mapped[float] = mapped_column(default=0.0)
    video_s: Mapped[float] = mapped_column(default=0.0)
    worked_s: Mapped[float] = mapped_column(default=0.0)
    problems: Mapped[list] = mapped_column(JSON(none_as_null=True), default=list)


class PageJobFile(Base):
    """A file of a page job that workers are at. `name` as that of the job which plans the file;
    `video_id`: what it was recognised as.
    """

    __tablename__ = "page_job_file"
    __table_args__ = (
        UniqueConstraint("page_job_id", "name"),
        Index("ix_page_job_file_name", "name"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    page_job_id: Mapped[int] = mapped_column(_child_of("page_job"))
    name: Mapped[str]
    size_bytes: Mapped[int]
    video_id: Mapped[int | None] = mapped_column(
        ForeignKey("video.id", ondelete="SET NULL"), index=True
    )


class FrameBlockRow(Base):
    """All frames of a chunk: `times_s` (N,) float64, `vectors` (N, D) float16, `cuts_s` (K,)
    float64, little endian; `filled`: a bit for each frame, set where it was not decoded (NULL: none
    is). `object_name`: of the object that holds the vectors, which are empty here then.
    """

    __tablename__ = "frame_block"

    task_id: Mapped[int] = mapped_column(
        _child_of("chunk_task"), primary_key=True, autoincrement=False
    )
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
    task_id: Mapped[int] = mapped_column(_child_of("chunk_task"), index=True)
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
    task_id: Mapped[int] = mapped_column(_child_of("chunk_task"), index=True)
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
    """Somebody who may enter the search page. `name_key`: the name as it is compared.

    No `password_hash`: signs in elsewhere (OpenID Connect), as `issuer` and `subject` say from the
    first time on. `collection_ids` None: all.
    """

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("issuer", "subject"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    name_key: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    issuer: Mapped[str | None]
    subject: Mapped[str | None]
    role: Mapped[str]
    collection_ids: Mapped[list | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class AccountSession(Base):
    """A browser in which somebody is signed in. Its cookie holds the token, of which only the
    SHA-256 is kept.
    """

    __tablename__ = "account_session"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(_child_of("account"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    address: Mapped[str]
    browser: Mapped[str]


class ApiToken(Base):
    """What another program shows to use the API; only the SHA-256 of it is kept. `name_key`: the
    name as it is compared. `collection_ids` None: all. `used_at` None: never. `account_id`: of
    whom it is, which may do no more than they; None: it stands for itself.
    """

    __tablename__ = "api_token"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    collection_ids: Mapped[list | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    account_id: Mapped[int | None] = mapped_column(_child_of("account"), index=True)


class SignInAttempt(Base):
    """An attempt to sign in by password that has not succeeded; `at_s` is Unix time."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    name_key: Mapped[str]
    address: Mapped[str] = mapped_column(index=True)
    at_s: Mapped[float]


class Upload(Base):
    """A file that came through the search page, and whose it is (None: of the local machine, or of
    somebody who is gone). `token_id`: of a program that stands for itself. `name` None: it is
    still coming, and `size_bytes` are reserved for it.
    """

    __tablename__ = "upload"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), index=True
    )
    token_id: Mapped[int | None] = mapped_column(_may_be_of("api_token"), index=True)
    name: Mapped[str | None] = mapped_column(unique=True)
    size_bytes: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class CollectionFolder(Base):
    """A folder whose files belong to the collection: who sees only some collections may add from
    the folders of those.
    """

    __tablename__ = "collection_folder"
    __table_args__ = (UniqueConstraint("collection_id", "path"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    collection_id: Mapped[int] = mapped_column(_child_of("collection"))
    path: Mapped[str]


class SearchRow(Base):
    """A search that somebody asked (`saved` False: pushed out by later ones) or saved. No account
    and no token: whoever uses the local page.
    """

    __tablename__ = "search"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(_child_of("account"), index=True)
    token_id: Mapped[int | None] = mapped_column(_child_of("api_token"), index=True)
    saved: Mapped[bool]
    title: Mapped[str]
    link: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(default=utc_now)


class SearchAlert(Base):
    """The webhook of a saved search: where it tells of new footage that matches. `collections`
    (names), `kinds` None: all; `filters`: as `alerts.py` writes them. `secret` signs what is sent.
    """

    __tablename__ = "search_alert"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    search_id: Mapped[int] = mapped_column(_child_of("search"), unique=True)
    question: Mapped[str]
    collections: Mapped[list | None] = mapped_column(JSON(none_as_null=True))
    kinds: Mapped[list | None] = mapped_column(JSON(none_as_null=True))
    filters: Mapped[dict] = mapped_column(JSON(none_as_null=True))
    url: Mapped[str]
    secret: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class AlertDelivery(LeasedRow, Base):
    """A video that became ready and has to be asked an alert's question; `body`: what is sent, once
    the video is known to match. `due_s`: not before (Unix time).
    """

    __tablename__ = "alert_delivery"
    __table_args__ = (
        UniqueConstraint("alert_id", "video_id"),
        _partial_index("ix_alert_delivery_open", "due_s", "id", where=_IS_OPEN),
        {"sqlite_autoincrement": True},
    )

    alert_id: Mapped[int] = mapped_column(_child_of("search_alert"))
    video_id: Mapped[int] = mapped_column(_child_of("video"), index=True)
    due_s: Mapped[float] = mapped_column(default=0.0)
    body: Mapped[str | None]


class Feedback(Base):
    """Somebody's word on an answer: whether the span of the video shows what was asked. Whose it
    was is forgotten with them; the word stays.
    """

    __tablename__ = "feedback"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(_may_be_of("account"), index=True)
    token_id: Mapped[int | None] = mapped_column(_may_be_of("api_token"), index=True)
    video_id: Mapped[int] = mapped_column(_child_of("video"), index=True)
    question: Mapped[str]
    start_s: Mapped[float]
    end_s: Mapped[float]
    good: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class MomentList(Base):
    """Moments that somebody keeps, in an order of theirs. `kind` as `moment_lists.py` has it: the
    tray, of which everybody has one, a list with a name, or what a link shows. No account: whoever
    uses the local page.
    """

    __tablename__ = "moment_list"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(_child_of("account"), index=True)
    kind: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class KeptMoment(Base):
    """A moment of a list. `position`: rising in its order; `question`: what the moment answered,
    empty where nothing was asked.
    """

    __tablename__ = "kept_moment"
    __table_args__ = (
        UniqueConstraint("list_id", "video_id", "start_s", "end_s"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(_child_of("moment_list"))
    position: Mapped[int]
    video_id: Mapped[int] = mapped_column(_child_of("video"), index=True)
    start_s: Mapped[float]
    end_s: Mapped[float]
    question: Mapped[str]


class SharedLink(Base):
    """A link that shows the moments of a list to whoever has it, until it ends. Only the SHA-256 of
    its token is kept. `opened_at` None: nobody has looked.
    """

    __tablename__ = "shared_link"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(_child_of("moment_list"), unique=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]


class WatchedFolder(Base):
    """A folder that is ingested again and again, by the process that serves the search page."""

    __tablename__ = "watched_folder"
    __table_args__ = (UniqueConstraint("collection", "path"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    collection: Mapped[str]
    path: Mapped[str]
    scanned_at: Mapped[datetime | None]
    error: Mapped[Message | None]


class ProcessRow(Base):
    """A worker or a page process that lives: it reports every now and then. `seen_at_s` is Unix
    time by the database's clock; `models`: the key of each stage that it plans with, by stage.
    """

    __tablename__ = "process"

    owner: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    kinds: Mapped[list] = mapped_column(JSON(none_as_null=True))
    models: Mapped[dict] = mapped_column(JSON(none_as_null=True))
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at_s: Mapped[float]


class AuditRow(Base):
    """What somebody did. `who` and `subject` are names as they were then: an entry outlives the
    account and the collection that it tells of.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    who: Mapped[str]
    account_id: Mapped[int | None]
    address: Mapped[str]
    action: Mapped[AuditAction]
    subject: Mapped[str]
    details: Mapped[dict] = mapped_column(JSON(none_as_null=True))


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
