"""Searches that people asked lately, and those that they saved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.tables import SearchRow, utc_now

RECENT_SEARCHES = 20


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """`link` leads to the search in the page; times in UTC."""

    id: int
    title: str
    link: str
    asked_at: datetime


def add_recent_search(s: Session, account_id: int | None, title: str, link: str) -> None:
    """Puts a search on top of the recent ones; the same one is there once, and the oldest go."""
    _delete(s, account_id, False, SearchRow.link == link)
    _insert(s, account_id, False, title, link)
    newest = (
        select(SearchRow.id)
        .where(_of(account_id, False))
        .order_by(SearchRow.id.desc())
        .limit(RECENT_SEARCHES)
    )
    _delete(s, account_id, False, SearchRow.id.not_in(s.scalars(newest).all()))


def save_search(s: Session, account_id: int | None, title: str, link: str) -> None:
    """Saves a search until it is deleted; the same one is there once."""
    _delete(s, account_id, True, SearchRow.link == link)
    _insert(s, account_id, True, title, link)


def delete_search(s: Session, account_id: int | None, search_id: int) -> None:
    """Deletes a search of this account."""
    s.execute(delete(SearchRow).where(SearchRow.id == search_id, _is_of(account_id)))


def clear_recent_searches(s: Session, account_id: int | None) -> None:
    """Forgets what an account asked lately; what it saved stays."""
    s.execute(delete(SearchRow).where(_of(account_id, False)))


def list_searches(s: Session, account_id: int | None, *, saved: bool) -> list[SavedSearch]:
    """The searches that an account saved, or asked lately; newest first."""
    found = s.scalars(select(SearchRow).where(_of(account_id, saved)).order_by(SearchRow.id.desc()))
    return [SavedSearch(row.id, row.title, row.link, row.asked_at) for row in found]


def _insert(s: Session, account_id: int | None, saved: bool, title: str, link: str) -> None:
    values = {
        "account_id": account_id,
        "saved": saved,
        "title": sanitize_text(title)[:500],
        "link": sanitize_text(link)[:4000],
    }
    s.execute(insert(SearchRow).values(**values, asked_at=utc_now()))


def _delete(
    s: Session, account_id: int | None, saved: bool, condition: ColumnElement[bool]
) -> None:
    s.execute(delete(SearchRow).where(_of(account_id, saved), condition))


def _of(account_id: int | None, saved: bool) -> Any:
    return _is_of(account_id) & (SearchRow.saved == saved)


def _is_of(account_id: int | None) -> ColumnElement[bool]:
    return (
        SearchRow.account_id.is_(None) if account_id is None else SearchRow.account_id == account_id
    )
