"""Links that show a few moments, and nothing else, to whoever has them, until a day.

A link has a copy of the list as it was when it was made. It shows what the one who made it may
still see. Only the SHA-256 of its token is kept.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from indexer.catalog import audit
from indexer.catalog.audit import Actor
from indexer.catalog.people.moment_lists import ListKind, copy_list
from indexer.catalog.people.owner import is_of
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.saved import MomentList, SharedLink
from indexer.errors import UsageError
from indexer.vocabulary import AuditAction

LONGEST_DAYS = 366.0
LONGEST_TOKEN = 100


@dataclass(frozen=True, slots=True)
class SharedLinkRow:
    """`account_id`: who made it; None: whoever was at the local machine. Times in UTC."""

    id: int
    list_id: int
    account_id: int | None
    name: str
    created_at: datetime
    expires_at: datetime
    opened_at: datetime | None

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires_at <= utc_now()


def add_link(s: Session, list_id: int, name: str, days: float, actor: Actor) -> str:
    """The token of a new link to what the list holds now; it is kept nowhere. Raises UsageError."""
    if not 0 < days <= LONGEST_DAYS:
        raise UsageError(
            "a link cannot hold for {days:g} days", "give a number up to 366", days=days
        )
    copy_id = copy_list(s, actor.account_id, list_id, name, ListKind.SHARED)
    token = secrets.token_urlsafe(32)
    expires_at = utc_now() + timedelta(days=days)
    s.add(SharedLink(list_id=copy_id, token_hash=_hash(token), expires_at=expires_at))
    until = {"until": f"{expires_at:%Y-%m-%d}"}
    audit.record(s, AuditAction.SHARED, actor, _subject(name), until)
    return token


def find_link(s: Session, token: str) -> SharedLinkRow | None:
    """None for one that is unknown, ended or expired."""
    if not token or len(token) > LONGEST_TOKEN:
        return None
    valid = (SharedLink.token_hash == _hash(token)) & (SharedLink.expires_at > utc_now())
    found = s.execute(_links().where(valid)).first()
    return None if found is None else _row(*found)


def note_opened(s: Session, link_id: int) -> None:
    """Somebody looks at it now."""
    s.execute(update(SharedLink).where(SharedLink.id == link_id).values(opened_at=utc_now()))


def list_links(s: Session, account_id: int | None) -> list[SharedLinkRow]:
    """The links that an account made, newest first, expired ones too."""
    own = is_of(MomentList.account_id, account_id)
    found = s.execute(_links().where(own).order_by(SharedLink.id.desc()))
    return [_row(*row) for row in found]


def end_link(s: Session, link_id: int, actor: Actor) -> bool:
    """The link shows nothing from now on; False where the actor made none of this number."""
    found = next((one for one in list_links(s, actor.account_id) if one.id == link_id), None)
    if found is None:
        return False
    s.execute(delete(MomentList).where(MomentList.id == found.list_id))
    audit.record(s, AuditAction.SHARED, actor, _subject(found.name), {"ended": 1})
    return True


def _links() -> Any:
    return select(SharedLink, MomentList).join(MomentList, MomentList.id == SharedLink.list_id)


def _row(link: SharedLink, moments: MomentList) -> SharedLinkRow:
    return SharedLinkRow(
        link.id,
        moments.id,
        moments.account_id,
        moments.name,
        link.created_at,
        link.expires_at,
        link.opened_at,
    )


def _subject(name: str) -> str:
    return f"moments {name}"


def _hash(token: str) -> str:
    # A token is 256 random bits: nothing slower is needed.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
