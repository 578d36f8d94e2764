"""Tokens with which other programs use the API: each has a name, a role and collections of its own.

Only the SHA-256 of a token is kept, so it can be shown once, when it is made.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from indexer.catalog import audit
from indexer.catalog.accounts import LONGEST_NAME, check_role, name_key
from indexer.catalog.audit import Actor
from indexer.catalog.database.dialect import count_changed, insert_or_ignore
from indexer.catalog.database.text_normalize import normalize
from indexer.catalog.tables import ApiToken, utc_now
from indexer.errors import UsageError
from indexer.vocabulary import AuditAction

PREFIX = "skp_"
"""Tools that look for secrets in what people publish know a token by its beginning."""
LONGEST_TOKEN = 100
LONGEST_DAYS = 36_500.0


@dataclass(frozen=True, slots=True)
class TokenRow:
    """Times in UTC. `collection_ids` None: all. `used_at` None: never; else to a minute."""

    id: int
    name: str
    role: str
    collection_ids: tuple[int, ...] | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None

    @property
    def is_expired(self) -> bool:
        """Whether its time is over: it opens nothing any more."""
        return self.expires_at <= utc_now()


def add_token(
    s: Session,
    name: str,
    role: str,
    collection_ids: Sequence[int] | None,
    days: float,
    actor: Actor,
) -> str:
    """The new token, which is kept nowhere. Raises UsageError, also for a name that is taken."""
    name = normalize("NFC", name).strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(
            "{name!r} is not a name for a token", "use letters and digits", name=name[:LONGEST_NAME]
        )
    check_role(role, collection_ids)
    if not 0 < days <= LONGEST_DAYS:
        raise UsageError(
            "a token cannot hold for {days:g} days", "give a number above 0", days=days
        )
    token, now = PREFIX + secrets.token_urlsafe(32), utc_now()
    values = {
        "name": name,
        "name_key": name_key(name),
        "token_hash": _hash(token),
        "role": role,
        "collection_ids": None if collection_ids is None else sorted(collection_ids),
        "created_at": now,
        "expires_at": now + timedelta(days=days),
    }
    insert = insert_or_ignore(s, ApiToken, ("name_key",)).values(**values)
    if s.scalar(insert.returning(ApiToken.id)) is None:
        raise UsageError(
            "there is a token {name!r} already",
            "`seekpoint tokens revoke` ends it, or choose another name",
            name=name,
        )
    audit.record(s, AuditAction.CHANGED_RIGHTS, actor, _subject(name), {"role": role})
    return token


def find_token(s: Session, token: str) -> TokenRow | None:
    """None for one that is unknown, revoked or expired."""
    if not token.startswith(PREFIX) or len(token) > LONGEST_TOKEN:
        return None
    valid = (ApiToken.token_hash == _hash(token)) & (ApiToken.expires_at > utc_now())
    found = s.scalar(select(ApiToken).where(valid))
    return None if found is None else _row(found)


def touch_token(s: Session, token_id: int) -> None:
    """Notes that the token is used now."""
    s.execute(update(ApiToken).where(ApiToken.id == token_id).values(used_at=utc_now()))


def list_tokens(s: Session) -> list[TokenRow]:
    """All tokens by name, expired ones too."""
    return [_row(token) for token in s.scalars(select(ApiToken).order_by(ApiToken.name_key))]


def revoke_token(s: Session, name: str, actor: Actor) -> None:
    """The token opens nothing from now on. Raises UsageError when there is none of that name."""
    if not count_changed(s, delete(ApiToken).where(ApiToken.name_key == name_key(name))):
        raise UsageError(
            "there is no token {name!r}", "`seekpoint tokens list` shows them", name=name
        )
    audit.record(s, AuditAction.CHANGED_RIGHTS, actor, _subject(name), {"role": "revoked"})


def _subject(name: str) -> str:
    return f"token {name}"


def _hash(token: str) -> str:
    # A token is 256 random bits: nothing slower is needed.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _row(token: ApiToken) -> TokenRow:
    ids = token.collection_ids
    return TokenRow(
        token.id,
        token.name,
        token.role,
        None if ids is None else tuple(int(id) for id in ids),
        token.created_at,
        token.expires_at,
        token.used_at,
    )
