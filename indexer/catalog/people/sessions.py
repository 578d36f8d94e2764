"""Browsers in which people are signed in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from indexer.catalog.accounts import AccountRow, row_of
from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.database.dialect import count_changed
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.people import Account, AccountSession

LONGEST_BROWSER = 200
MOST_SESSIONS = 50


@dataclass(frozen=True, slots=True)
class SessionRow:
    """Times in UTC. `browser`: what it says of itself."""

    id: int
    created_at: datetime
    seen_at: datetime
    address: str
    browser: str


def add_session(
    s: Session, account_id: int, token: str, address: str, browser: str, max_age_s: float
) -> int:
    """Somebody signed in: the id of the session. Expired ones go, and the oldest of very many."""
    now = utc_now()
    count_changed(s, delete(AccountSession).where(AccountSession.expires_at <= now))
    session = AccountSession(
        account_id=account_id,
        token_hash=_hash(token),
        created_at=now,
        seen_at=now,
        expires_at=now + timedelta(seconds=max_age_s),
        address=sanitize_text(address)[:100],
        browser=sanitize_text(browser)[:LONGEST_BROWSER],
    )
    s.add(session)
    s.flush()
    newest = (
        select(AccountSession.id)
        .where(AccountSession.account_id == account_id)
        .order_by(AccountSession.id.desc())
        .limit(MOST_SESSIONS)
    )
    old = AccountSession.id.not_in(s.scalars(newest).all())
    count_changed(s, delete(AccountSession).where(AccountSession.account_id == account_id, old))
    return session.id


def find_session(s: Session, token: str) -> tuple[AccountRow, SessionRow] | None:
    """Who holds the token, and the session; None for an unknown or an expired one."""
    found = s.execute(
        select(Account, AccountSession)
        .join(AccountSession, AccountSession.account_id == Account.id)
        .where(AccountSession.token_hash == _hash(token), AccountSession.expires_at > utc_now())
    ).one_or_none()
    return None if found is None else (row_of(found[0]), _row(found[1]))


def touch_session(s: Session, session_id: int) -> None:
    """Notes that the session is used now."""
    s.execute(
        update(AccountSession).where(AccountSession.id == session_id).values(seen_at=utc_now())
    )


def list_sessions(s: Session, account_id: int) -> list[SessionRow]:
    """Of an account, the one that was used last first."""
    found = select(AccountSession).where(
        AccountSession.account_id == account_id, AccountSession.expires_at > utc_now()
    )
    return [_row(one) for one in s.scalars(found.order_by(AccountSession.seen_at.desc()))]


def end_session(s: Session, account_id: int, session_id: int) -> bool:
    """Ends one session of the account; False where it has none of this id."""
    own = (AccountSession.account_id == account_id) & (AccountSession.id == session_id)
    return count_changed(s, delete(AccountSession).where(own)) > 0


def _hash(token: str) -> str:
    # A token is 256 random bits: nothing slower is needed.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _row(session: AccountSession) -> SessionRow:
    return SessionRow(
        session.id, session.created_at, session.seen_at, session.address, session.browser
    )
