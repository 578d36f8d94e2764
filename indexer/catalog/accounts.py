"""Who may enter the search page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import count_changed, insert_or_ignore
from indexer.catalog.tables import Account, utc_now
from indexer.errors import UsageError

ROLES = ("viewer", "editor", "administrator")
"""A viewer asks; an editor adds and removes too; an administrator reads the audit log too."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """`collection_ids` None: all. A change of `epoch` ends the sessions that began under another.
    No hash: no sign-in by password.
    """

    id: int
    name: str
    role: str
    collection_ids: tuple[int, ...] | None
    epoch: int
    password_hash: str | None


def save_account(
    s: Session,
    name: str,
    role: str,
    collection_ids: Sequence[int] | None,
    password_hash: str | None,
) -> int:
    """Adds the account, or changes the one of that name (whose sessions end). Raises UsageError."""
    name = name.strip()
    if not name or len(name) > 200 or not name.isprintable():
        raise UsageError(
            "{name!r} is not a name for a user",
            "use letters, digits, or an e-mail address",
            name=name,
        )
    if role not in ROLES:
        raise UsageError(
            "there is no role {role!r}", "choose from {roles}", role=role, roles=", ".join(ROLES)
        )
    values = {
        "role": role,
        "collection_ids": None if collection_ids is None else sorted(collection_ids),
        "password_hash": password_hash,
    }
    s.execute(
        insert_or_ignore(s, Account, ("name",)),
        {"name": name, "epoch": 0, "created_at": utc_now(), **values},
    )
    s.execute(update(Account).where(Account.name == name).values(**values, epoch=Account.epoch + 1))
    return s.scalars(select(Account.id).where(Account.name == name)).one()


def find_account(
    s: Session, *, name: str | None = None, account_id: int | None = None
) -> AccountRow | None:
    """By name or by id."""
    account = s.scalar(
        select(Account).where(
            Account.name == name if name is not None else Account.id == account_id
        )
    )
    return None if account is None else _row(account)


def list_accounts(s: Session) -> list[AccountRow]:
    """All accounts, by name."""
    return [_row(account) for account in s.scalars(select(Account).order_by(Account.name))]


def count_accounts(s: Session) -> int:
    """How many accounts there are."""
    return s.scalar(select(func.count()).select_from(Account)) or 0


def end_sessions(s: Session, account_id: int) -> None:
    """Signs out whoever is signed in with this account, on all devices."""
    s.execute(update(Account).where(Account.id == account_id).values(epoch=Account.epoch + 1))


def remove_account(s: Session, name: str) -> None:
    """Raises UsageError when there is none of that name."""
    if not count_changed(s, delete(Account).where(Account.name == name)):
        raise UsageError(
            "there is no user {name!r}", "`seekpoint users list` shows them", name=name
        )


def _row(account: Account) -> AccountRow:
    ids = account.collection_ids
    return AccountRow(
        account.id,
        account.name,
        account.role,
        None if ids is None else tuple(int(i) for i in ids),
        account.epoch,
        account.password_hash,
    )
