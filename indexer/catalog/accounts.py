"""Who may enter the search page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.database.dialect import count_changed, insert_or_ignore
from indexer.catalog.database.text_normalize import normalize
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.people import Account, AccountSession
from indexer.errors import UsageError

ROLES = ("viewer", "editor", "administrator")
"""A viewer asks; an editor adds and removes too; an administrator reads the audit log too."""
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class AccountRow:
    """`collection_ids` None: all. No hash: no sign-in by password, but by the identity (`issuer`,
    `subject`), which is known from the first time on.
    """

    id: int
    name: str
    role: str
    collection_ids: tuple[int, ...] | None
    password_hash: str | None
    issuer: str | None
    subject: str | None


def name_key(name: str) -> str:
    """The name as names are compared: in one form of Unicode, without case and outer spaces."""
    folded = normalize("NFKC", sanitize_text(name)).strip().casefold()
    return normalize("NFKC", folded)[:LONGEST_NAME]


def add_account(
    s: Session,
    name: str,
    role: str,
    collection_ids: Sequence[int] | None,
    *,
    password_hash: str | None = None,
    identity: tuple[str, str] | None = None,
) -> int:
    """Adds an account, by password or by `identity` (issuer, subject). Raises UsageError, also for
    a name that is taken.
    """
    name = normalize("NFC", name).strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(
            "{name!r} is not a name for a user",
            "use letters, digits, or an e-mail address",
            name=name,
        )
    check_role(role, collection_ids)
    issuer, subject = identity or (None, None)
    values = {
        "name": name,
        "name_key": name_key(name),
        "role": role,
        "collection_ids": None if collection_ids is None else sorted(collection_ids),
        "password_hash": password_hash,
        "issuer": issuer,
        "subject": subject,
        "created_at": utc_now(),
    }
    # PostgreSQL's driver does not count the rows of such an INSERT.
    insert = insert_or_ignore(s, Account, ("name_key",)).values(**values)
    account_id = s.scalar(insert.returning(Account.id))
    if account_id is None:
        raise _taken(name)
    return account_id


def change_account(s: Session, account_id: int, **values: Any) -> None:
    """Changes `role`, `collection_ids` or `password_hash`; what is not named stays. A change of
    the password ends all sessions. Raises UsageError.
    """
    account = s.get_one(Account, account_id)
    role = values.get("role", account.role)
    check_role(role, values.get("collection_ids", account.collection_ids))
    if "password_hash" in values:
        # Who signs in otherwise from now on does not keep the old way in.
        values |= {"issuer": None, "subject": None}
        end_sessions(s, account_id)
    s.execute(update(Account).where(Account.id == account_id).values(**values))


def bind_identity(s: Session, account_id: int, issuer: str, subject: str) -> bool:
    """Notes who signs in with the account from now on; False where that is known already."""
    unbound = (Account.id == account_id) & Account.subject.is_(None)
    bound = update(Account).where(unbound & Account.password_hash.is_(None))
    return count_changed(s, bound.values(issuer=issuer, subject=subject)) > 0


def find_account(
    s: Session,
    *,
    name: str | None = None,
    account_id: int | None = None,
    identity: tuple[str, str] | None = None,
) -> AccountRow | None:
    """By name, by id, or by issuer and subject."""
    condition: ColumnElement[bool] = Account.id == account_id
    if name is not None:
        condition = Account.name_key == name_key(name)
    elif identity is not None:
        condition = (Account.issuer == identity[0]) & (Account.subject == identity[1])
    account = s.scalar(select(Account).where(condition))
    return None if account is None else row_of(account)


def require_account(s: Session, name: str) -> AccountRow:
    """Raises UsageError when there is none of that name."""
    account = find_account(s, name=name)
    if account is None:
        raise UsageError(
            "there is no user {name!r}", "`seekpoint users list` shows them", name=name
        )
    return account


def require_free_name(s: Session, name: str) -> None:
    """Raises UsageError when somebody has the name."""
    if find_account(s, name=name) is not None:
        raise _taken(name)


def _taken(name: str) -> UsageError:
    return UsageError(
        "there is a user {name!r} already", "`seekpoint users set` changes a user", name=name
    )


def list_accounts(s: Session) -> list[AccountRow]:
    """All accounts, by name."""
    return [row_of(account) for account in s.scalars(select(Account).order_by(Account.name_key))]


def count_accounts(s: Session) -> int:
    """How many accounts there are."""
    return s.scalar(select(func.count()).select_from(Account)) or 0


def end_sessions(s: Session, account_id: int, *, but: int | None = None) -> int:
    """Signs out whoever is signed in with this account, on all devices but the session `but`; how
    many that were.
    """
    ended = delete(AccountSession).where(AccountSession.account_id == account_id)
    return count_changed(s, ended if but is None else ended.where(AccountSession.id != but))


def remove_account(s: Session, name: str) -> None:
    """Raises UsageError when there is none of that name."""
    count_changed(s, delete(Account).where(Account.id == require_account(s, name).id))


def check_role(role: str, collection_ids: Sequence[int] | None) -> None:
    """Raises UsageError for an unknown role, and for an administrator of some collections only."""
    if role not in ROLES:
        raise UsageError(
            "there is no role {role!r}", "choose from {roles}", role=role, roles=", ".join(ROLES)
        )
    if role == "administrator" and collection_ids is not None:
        raise UsageError(
            "an administrator sees all collections", "choose the role editor, or all collections"
        )


def row_of(account: Account) -> AccountRow:
    """The account without its session."""
    ids = account.collection_ids
    return AccountRow(
        account.id,
        account.name,
        account.role,
        None if ids is None else tuple(int(i) for i in ids),
        account.password_hash,
        account.issuer,
        account.subject,
    )
