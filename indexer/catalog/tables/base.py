"""What all tables share: how columns are typed and named, and the columns of leased rows.

Ids are 64 bit, grow, and are never used again: a vector index may hold an id long after its row is
gone.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    TextClause,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from indexer.catalog.database.column_types import EnumText, MessageText, UtcTime
from indexer.messages import Message
from indexer.vocabulary import AuditAction, JobKind, PageJobKind, TaskState, VideoState, Wanted

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


def child_of(parent: type[Base]) -> ForeignKey:
    """The row goes with that of `parent`."""
    return ForeignKey(f"{parent.__tablename__}.id", ondelete="CASCADE")


def may_be_of(parent: type[Base]) -> ForeignKey:
    """The row stays when that of `parent` goes."""
    return ForeignKey(f"{parent.__tablename__}.id", ondelete="SET NULL")


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


IS_OPEN = text("state IN ('pending', 'running')")


IS_HELD = text("state = 'running'")


def partial_index(name: str, *columns: str, where: TextClause) -> Index:
    """An index of the rows that meet the condition, on SQLite."""
    return Index(name, *columns, sqlite_where=where)  # of a server: postgresql.adapt_tables
