"""Searches that people asked lately, and those that they saved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import storable
from indexer.catalog.tables import KeptSearch, utc_now

RECENT = 20


@dataclass(frozen=True, slots=True)
class Kept:
    id: int
    title: str
    link: str
    asked_at: datetime


def note_search(s: Session, account_id: int | None, title: str, link: str) -> None:
    """Puts a search on top of the recent ones; the same one is there once, and the oldest go."""
    _delete(s, account_id, False, KeptSearch.link == link)
    _insert(s, account_id, False, title, link)
    newest = (
        select(KeptSearch.id)
        .where(_of(account_id, False))
        .order_by(KeptSearch.id.desc())
        .limit(RECENT)
    )
    _delete(s, account_id, False, KeptSearch.id.not_in(s.scalars(newest).all()))


def save_search(s: Session, account_id: int | None, title: str, link: str) -> None:
    _delete(s, account_id, True, KeptSearch.link == link)
    _insert(s, account_id, True, title, link)


def forget_search(s: Session, account_id: int | None, search_id: int) -> None:
    s.execute(delete(KeptSearch).where(KeptSearch.id == search_id, _owned(account_id)))


def kept_searches(s: Session, account_id: int | None, *, saved: bool) -> list[Kept]:
    """Newest first."""
    found = s.scalars(
        select(KeptSearch).where(_of(account_id, saved)).order_by(KeptSearch.id.desc())
    )
    return [Kept(row.id, row.title, row.link, row.asked_at) for row in found]


def _insert(s: Session, account_id: int | None, saved: bool, title: str, link: str) -> None:
    values = {
        "account_id": account_id,
        "saved": saved,
        "title": storable(title)[:500],
        "link": storable(link)[:4000],
    }
    s.execute(insert(KeptSearch).values(**values, asked_at=utc_now()))


def _delete(
    s: Session, account_id: int | None, saved: bool, condition: ColumnElement[bool]
) -> None:
    s.execute(delete(KeptSearch).where(_of(account_id, saved), condition))


def _of(account_id: int | None, saved: bool) -> Any:
    return _owned(account_id) & (KeptSearch.saved == saved)


def _owned(account_id: int | None) -> ColumnElement[bool]:
    return (
        KeptSearch.account_id.is_(None)
        if account_id is None
        else KeptSearch.account_id == account_id
    )
