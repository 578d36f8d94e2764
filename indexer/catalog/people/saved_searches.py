"""Searches that people asked lately, and those that they saved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.database.dialect import count_changed
from indexer.catalog.people.owner import belongs_to
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.saved import SearchRow

RECENT_SEARCHES = 20
LONGEST_TITLE, LONGEST_LINK = 500, 4000


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


def save_search(
    s: Session, account_id: int | None, title: str, link: str, *, token_id: int | None = None
) -> int:
    """Saves a search until it is deleted; the same one is there once, and keeps its id and its
    alert. Its id.
    """
    own = _of(account_id, True, token_id) & (SearchRow.link == sanitize_text(link)[:LONGEST_LINK])
    known = s.scalar(select(SearchRow.id).where(own))
    if known is None:
        return _insert(s, account_id, True, title, link, token_id)
    values = {"title": sanitize_text(title)[:LONGEST_TITLE], "asked_at": utc_now()}
    s.execute(update(SearchRow).where(SearchRow.id == known).values(**values))
    return known


def delete_search(
    s: Session, account_id: int | None, search_id: int, *, token_id: int | None = None
) -> bool:
    """Deletes a search of this account or token; False where it has none of this id."""
    own = belongs_to(SearchRow, account_id, token_id) & (SearchRow.id == search_id)
    return count_changed(s, delete(SearchRow).where(own)) > 0


def clear_recent_searches(s: Session, account_id: int | None) -> None:
    """Forgets what an account asked lately; what it saved stays."""
    s.execute(delete(SearchRow).where(_of(account_id, False)))


def list_searches(
    s: Session, account_id: int | None, *, saved: bool, token_id: int | None = None
) -> list[SavedSearch]:
    """The searches that an account saved, or asked lately; newest first."""
    newest = (SearchRow.asked_at.desc(), SearchRow.id.desc())
    found = s.scalars(select(SearchRow).where(_of(account_id, saved, token_id)).order_by(*newest))
    return [SavedSearch(row.id, row.title, row.link, row.asked_at) for row in found]


def _insert(
    s: Session,
    account_id: int | None,
    saved: bool,
    title: str,
    link: str,
    token_id: int | None = None,
) -> int:
    row = SearchRow(
        account_id=account_id,
        token_id=token_id if account_id is None else None,
        saved=saved,
        title=sanitize_text(title)[:LONGEST_TITLE],
        link=sanitize_text(link)[:LONGEST_LINK],
        asked_at=utc_now(),
    )
    s.add(row)
    s.flush()
    return row.id


def _delete(
    s: Session, account_id: int | None, saved: bool, condition: ColumnElement[bool]
) -> None:
    s.execute(delete(SearchRow).where(_of(account_id, saved), condition))


def _of(account_id: int | None, saved: bool, token_id: int | None = None) -> Any:
    return belongs_to(SearchRow, account_id, token_id) & (SearchRow.saved == saved)
