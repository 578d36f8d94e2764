"""What people keep: searches, alerts, opinions, lists of moments and links to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, UniqueConstraint
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
from indexer.catalog.tables.library import Video
from indexer.catalog.tables.people import Account, ApiToken


class SearchRow(Base):
    """A search that somebody asked (`saved` False: pushed out by later ones) or saved. No account
    and no token: whoever uses the local page.
    """

    __tablename__ = "search"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(child_of(Account), index=True)
    token_id: Mapped[int | None] = mapped_column(child_of(ApiToken), index=True)
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
    search_id: Mapped[int] = mapped_column(child_of(SearchRow), unique=True)
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
        partial_index("ix_alert_delivery_open", "due_s", "id", where=IS_OPEN),
        {"sqlite_autoincrement": True},
    )

    alert_id: Mapped[int] = mapped_column(child_of(SearchAlert))
    video_id: Mapped[int] = mapped_column(child_of(Video), index=True)
    due_s: Mapped[float] = mapped_column(default=0.0)
    body: Mapped[str | None]


class Feedback(Base):
    """Somebody's word on an answer: whether the span of the video shows what was asked. Whose it
    was is forgotten with them; the word stays.
    """

    __tablename__ = "feedback"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(may_be_of(Account), index=True)
    token_id: Mapped[int | None] = mapped_column(may_be_of(ApiToken), index=True)
    video_id: Mapped[int] = mapped_column(child_of(Video), index=True)
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
    account_id: Mapped[int | None] = mapped_column(child_of(Account), index=True)
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
    list_id: Mapped[int] = mapped_column(child_of(MomentList))
    position: Mapped[int]
    video_id: Mapped[int] = mapped_column(child_of(Video), index=True)
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
    list_id: Mapped[int] = mapped_column(child_of(MomentList), unique=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
