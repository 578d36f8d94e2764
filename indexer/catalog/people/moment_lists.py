"""Moments that people keep: a tray over several searches, and lists with names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.database.dialect import count_changed, in_values, insert_or_ignore
from indexer.catalog.people.owner import is_of
from indexer.catalog.tables.saved import KeptMoment, MomentList
from indexer.errors import UsageError

MOST_MOMENTS = 500
MOST_LISTS = 200
LONGEST_NAME = 100


class ListKind(StrEnum):
    """Everybody has one tray; `SHARED` is what a link shows, and changes no more."""

    TRAY = "tray"
    NAMED = "named"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class MomentListRow:
    """A list of an account (None: of the local machine) and how many moments it holds."""

    id: int
    account_id: int | None
    kind: ListKind
    name: str
    moments: int


@dataclass(frozen=True, slots=True)
class KeptMomentRow:
    """`question`: what the moment answered; empty where nothing was asked."""

    id: int
    video_id: int
    span: Span
    question: str


# --- lists ---


def tray_of(s: Session, account_id: int | None) -> int:
    """Id of the tray, which is made at first use."""
    is_tray = is_of(MomentList.account_id, account_id) & (MomentList.kind == ListKind.TRAY)
    known = s.scalar(select(MomentList.id).where(is_tray).order_by(MomentList.id))
    return known if known is not None else _add_list(s, account_id, ListKind.TRAY, "")


def list_lists(s: Session, account_id: int | None, kind: ListKind) -> list[MomentListRow]:
    """The lists of this kind that an account has, newest first."""
    found = _lists(is_of(MomentList.account_id, account_id) & (MomentList.kind == kind))
    return [_row(*row) for row in s.execute(found)]


def find_list(s: Session, account_id: int | None, list_id: int) -> MomentListRow | None:
    """The list of this number, if it is theirs."""
    row = s.execute(
        _lists(is_of(MomentList.account_id, account_id) & (MomentList.id == list_id))
    ).first()
    return None if row is None else _row(*row)


def copy_list(
    s: Session, account_id: int | None, list_id: int, name: str, kind: ListKind = ListKind.NAMED
) -> int:
    """A new list with the moments of another, which stays as it is; its id. Raises UsageError for
    a name that is none, or one list too many.
    """
    name = sanitize_text(" ".join(name.split()))
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError("{name!r} is not a name for a list", "use letters and digits", name=name)
    counted = select(func.count()).where(
        is_of(MomentList.account_id, account_id), MomentList.kind == kind
    )
    if (s.scalar(counted) or 0) >= MOST_LISTS:
        raise UsageError("there are {n} lists already", "delete one first", n=MOST_LISTS)
    copy_id = _add_list(s, account_id, kind, name)
    columns = ("position", "video_id", "start_s", "end_s", "question")
    moments = select(*[getattr(KeptMoment, column) for column in columns])
    rows = s.execute(moments.where(KeptMoment.list_id == list_id)).mappings().all()
    if rows:
        s.execute(insert(KeptMoment), [{"list_id": copy_id, **row} for row in rows])
    return copy_id


def delete_list(s: Session, account_id: int | None, list_id: int) -> bool:
    """Deletes a list of this account; False where it has none of this number."""
    own = is_of(MomentList.account_id, account_id) & (MomentList.id == list_id)
    return count_changed(s, delete(MomentList).where(own)) > 0


def _add_list(s: Session, account_id: int | None, kind: ListKind, name: str) -> int:
    row = MomentList(account_id=account_id, kind=kind, name=name)
    s.add(row)
    s.flush()
    return row.id


# --- moments ---


def count_in_tray(s: Session, account_id: int | None) -> int:
    """How many moments lie in the tray of an account; 0 where it has none yet."""
    is_tray = is_of(MomentList.account_id, account_id) & (MomentList.kind == ListKind.TRAY)
    of_tray = select(func.count(KeptMoment.id)).join(
        MomentList, MomentList.id == KeptMoment.list_id
    )
    return s.scalar(of_tray.where(is_tray)) or 0


def list_moments(s: Session, list_id: int) -> list[KeptMomentRow]:
    """The moments of a list in its order."""
    rows = s.scalars(
        select(KeptMoment)
        .where(KeptMoment.list_id == list_id)
        .order_by(KeptMoment.position, KeptMoment.id)
    )
    return [
        KeptMomentRow(row.id, row.video_id, Span(row.start_s, row.end_s), row.question)
        for row in rows
    ]


def add_moment(s: Session, list_id: int, video_id: int, span: Span, question: str = "") -> None:
    """Puts a moment at the end of a list; one that is there stays where it is. Raises UsageError
    for one too many.
    """
    end = select(func.count(), func.coalesce(func.max(KeptMoment.position), 0)).where(
        KeptMoment.list_id == list_id
    )
    count, last = s.execute(end).one()
    if count >= MOST_MOMENTS:
        raise UsageError(
            "a list holds {n} moments at most",
            "keep these under a name and begin another",
            n=MOST_MOMENTS,
        )
    values = {
        "list_id": list_id,
        "video_id": video_id,
        "start_s": round(span.start_s, 3),
        "end_s": round(span.end_s, 3),
    }
    rest = {"position": last + 1, "question": sanitize_text(question)[:2000]}
    s.execute(insert_or_ignore(s, KeptMoment, tuple(values)).values(**values, **rest))


def remove_moment(s: Session, list_id: int, video_id: int, span: Span) -> None:
    """Takes the moment of this span out of a list."""
    same = (
        (KeptMoment.list_id == list_id)
        & (KeptMoment.video_id == video_id)
        & (KeptMoment.start_s == round(span.start_s, 3))
        & (KeptMoment.end_s == round(span.end_s, 3))
    )
    s.execute(delete(KeptMoment).where(same))


def remove_moments(s: Session, list_id: int, moment_ids: Sequence[int] | None = None) -> None:
    """Takes these moments, or all, out of a list."""
    statement = delete(KeptMoment).where(KeptMoment.list_id == list_id)
    if moment_ids is not None:
        statement = statement.where(in_values(s, KeptMoment.id, moment_ids))
    s.execute(statement)


def order_moments(s: Session, list_id: int, moment_ids: Sequence[int]) -> None:
    """The moments of a list in this order; those that are not named stand behind, as they were."""
    known = dict.fromkeys(moment.id for moment in list_moments(s, list_id))
    wanted = dict.fromkeys(one for one in moment_ids if one in known)
    for position, moment_id in enumerate(wanted | known, 1):
        s.execute(update(KeptMoment).where(KeptMoment.id == moment_id).values(position=position))


# --- reading rows ---


def _lists(condition: Any) -> Any:
    return (
        select(MomentList, func.count(KeptMoment.id))
        .outerjoin(KeptMoment, KeptMoment.list_id == MomentList.id)
        .where(condition)
        .group_by(MomentList.id)
        .order_by(MomentList.id.desc())
    )


def _row(row: MomentList, moments: int) -> MomentListRow:
    return MomentListRow(row.id, row.account_id, ListKind(row.kind), row.name, moments)
