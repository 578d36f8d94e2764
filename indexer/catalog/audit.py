"""The audit log: who signed in, was refused, added, removed, shared or changed rights.

An entry is a row of the transaction that it tells of, and a line of the log once that is committed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, event, select
from sqlalchemy.orm import Session

from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.database.dialect import count_changed
from indexer.catalog.tables.audit import AuditRow
from indexer.catalog.tables.base import utc_now
from indexer.vocabulary import AuditAction

log = logging.getLogger(__name__)

LONGEST = 500
"""Characters of a name, a subject or a value: what a stranger typed must not fill the disk."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: `name` of an account, as it was then; empty for whoever is at the local
    page. `address`: from where, if that is known.
    """

    name: str = ""
    account_id: int | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`subject`: what it was done to; `details`: how, by name."""

    id: int
    at: datetime
    actor: Actor
    action: AuditAction
    subject: str
    details: Mapping[str, Any] = field(default_factory=dict)


def record(
    s: Session,
    action: AuditAction,
    actor: Actor,
    subject: str = "",
    details: Mapping[str, str | int | Sequence[str]] | None = None,
) -> None:
    """Adds an entry to the caller's transaction; its line is logged when that is committed."""
    row = AuditRow(
        at=utc_now(),
        who=_short(actor.name),
        account_id=actor.account_id,
        address=_short(actor.address),
        action=action,
        subject=_short(subject),
        details={name: _plain(value) for name, value in (details or {}).items()},
    )
    s.add(row)
    fields = {
        "action": str(action),
        "who": row.who,
        "address": row.address,
        "subject": row.subject,
        "details": row.details,
    }

    @event.listens_for(s, "after_commit", once=True)
    def write_line(_session: Session) -> None:
        log.info("audit: %s", action, extra={"fields": fields})


def list_entries(
    s: Session,
    *,
    last: int = 100,
    actions: Sequence[AuditAction] = (),
    who: str | None = None,
    since: datetime | None = None,
) -> list[AuditEntry]:
    """The newest first, at most `last`; of these actions, of this name, and not before `since`."""
    statement = select(AuditRow).order_by(AuditRow.id.desc()).limit(last)
    if actions:
        statement = statement.where(AuditRow.action.in_(actions))
    if who is not None:
        statement = statement.where(AuditRow.who == who)
    if since is not None:
        statement = statement.where(AuditRow.at >= since)
    return [_entry(row) for row in s.scalars(statement)]


def delete_old(s: Session, days: float) -> int:
    """Deletes entries that are older than so many days; how many."""
    is_old = AuditRow.at < utc_now() - timedelta(days=days)
    return count_changed(s, delete(AuditRow).where(is_old))


def _entry(row: AuditRow) -> AuditEntry:
    actor = Actor(row.who, row.account_id, row.address)
    return AuditEntry(row.id, row.at, actor, row.action, row.subject, row.details)


def _short(text: str) -> str:
    """One line without control characters: an entry cannot be forged by a line break in a name."""
    plain = "".join(c if c.isprintable() else "\ufffd" for c in sanitize_text(text))
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"


def _plain(value: str | int | Sequence[str]) -> Any:
    if isinstance(value, str):
        return _short(value)
    return value if isinstance(value, int) else [_short(str(one)) for one in value]
