"""People, what they may see, and what they did."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import Base, child_of, may_be_of, utc_now


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
    account_id: Mapped[int] = mapped_column(child_of(Account), index=True)
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
    account_id: Mapped[int | None] = mapped_column(child_of(Account), index=True)


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
    account_id: Mapped[int | None] = mapped_column(may_be_of(Account), index=True)
    token_id: Mapped[int | None] = mapped_column(may_be_of(ApiToken), index=True)
    name: Mapped[str | None] = mapped_column(unique=True)
    size_bytes: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
