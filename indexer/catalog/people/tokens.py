"""Tokens with which other programs use the API: each has a name, a role and collections of its own.

Only the SHA-256 of a token is kept, so it can be shown once, when it is made.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.orm import Session

from indexer.catalog import audit
from indexer.catalog.accounts import LONGEST_NAME, ROLES, check_role, name_key
from indexer.catalog.audit import Actor
from indexer.catalog.database.dialect import count_changed, insert_or_ignore
from indexer.catalog.database.text_normalize import normalize
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.people import Account, ApiToken
from indexer.errors import UsageError
from indexer.vocabulary import AuditAction

PREFIX = "skp_"
"""Tools that look for secrets in what people publish know a token by its beginning."""
LONGEST_TOKEN = 100
LONGEST_DAYS = 36_500.0
# Columns, since objects of the mapper take as long as the query itself.
_WITH_OWNER = select(
    ApiToken.id,
    ApiToken.name,
    ApiToken.role,
    ApiToken.collection_ids,
    ApiToken.created_at,
    ApiToken.expires_at,
    ApiToken.used_at,
    ApiToken.account_id,
    Account.role.label("owner_role"),
    Account.collection_ids.label("owner_collection_ids"),
).outerjoin(Account, Account.id == ApiToken.account_id)
# Put together once: it is asked with each request.
_VALID = _WITH_OWNER.where(
    ApiToken.token_hash == bindparam("token_hash"), ApiToken.expires_at > bindparam("now")
)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """Times in UTC. `collection_ids` None: all. `used_at` None: never; else to a minute.
    `account_id`: whose it is; role and collections are no more than theirs then. None: the token
    stands for itself.
    """

    id: int
    name: str
    role: str
    collection_ids: tuple[int, ...] | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    account_id: int | None = None

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
    account_id: int | None = None,
) -> str:
    """The new token, which is kept nowhere. Raises UsageError, also for a name that is taken.
    `account_id`: whose it is, who may not do less; what it saves and uploads is theirs.
    """
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
        "account_id": account_id,
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
    shown = {"token_hash": _hash(token), "now": utc_now()}
    found = s.execute(_VALID, shown).one_or_none()
    return None if found is None else _row(found)


def touch_token(s: Session, token_id: int) -> None:
    """Notes that the token is used now."""
    s.execute(update(ApiToken).where(ApiToken.id == token_id).values(used_at=utc_now()))


def has_valid_token(s: Session) -> bool:
    """Whether a program could enter."""
    return any(not token.is_expired for token in list_tokens(s))


def list_tokens(s: Session) -> list[TokenRow]:
    """All tokens by name, expired ones too."""
    return [_row(found) for found in s.execute(_WITH_OWNER.order_by(ApiToken.name_key))]


def get_collection_ids(
    s: Session, account_id: int | None, token_id: int | None
) -> tuple[int, ...] | None:
    """The collections that an account, or a token that stands for itself, may see now; None: all.
    Of somebody who is gone, or whose token is over, none.
    """
    if account_id is not None:
        account = s.get(Account, account_id)
        return () if account is None else _ids(account.collection_ids)
    if token_id is not None:
        valid = (ApiToken.id == token_id) & (ApiToken.expires_at > utc_now())
        token = s.scalar(select(ApiToken).where(valid))
        return () if token is None else _ids(token.collection_ids)
    return None


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


def _row(found: Row) -> TokenRow:
    role, ids = found.role, _ids(found.collection_ids)
    if found.owner_role is not None:
        role = min(role, found.owner_role, key=ROLES.index)
        ids = _both(ids, _ids(found.owner_collection_ids))
    return TokenRow(
        found.id,
        found.name,
        role,
        ids,
        found.created_at,
        found.expires_at,
        found.used_at,
        found.account_id,
    )


def _ids(stored: list | None) -> tuple[int, ...] | None:
    return None if stored is None else tuple(int(id) for id in stored)


def _both(one: tuple[int, ...] | None, other: tuple[int, ...] | None) -> tuple[int, ...] | None:
    if one is None or other is None:
        return other if one is None else one
    return tuple(id for id in one if id in other)
