"""Work besides chunks, and the processes that do it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import (
    IS_OPEN,
    Base,
    LeasedRow,
    child_of,
    may_be_of,
    partial_index,
    utc_now,
)
from indexer.catalog.tables.library import Collection, Video
from indexer.catalog.tables.people import Account
from indexer.messages import Message
from indexer.vocabulary import JobKind, PageJobKind, Wanted


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
    collection_id: Mapped[int] = mapped_column(child_of(Collection))
    video_id: Mapped[int | None] = mapped_column(child_of(Video), index=True)
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
    as JSON, one for each file that failed. `outcomes`: what became of each file, as JSON; read
    where it is asked for alone.
    """

    __tablename__ = "page_job"
    __table_args__ = (
        partial_index("ix_page_job_open", "kind", "id", where=IS_OPEN),
        Index("ix_page_job_finished_at", "finished_at"),
        {"sqlite_autoincrement": True},
    )

    kind: Mapped[PageJobKind]
    collection_id: Mapped[int] = mapped_column(child_of(Collection), index=True)
    video_id: Mapped[int | None] = mapped_column(child_of(Video), index=True)
    account_id: Mapped[int | None] = mapped_column(may_be_of(Account), index=True)
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
    outcomes: Mapped[list | None] = mapped_column(JSON(none_as_null=True), deferred=True)


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
    page_job_id: Mapped[int] = mapped_column(child_of(PageJob))
    name: Mapped[str]
    size_bytes: Mapped[int]
    video_id: Mapped[int | None] = mapped_column(may_be_of(Video), index=True)


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
