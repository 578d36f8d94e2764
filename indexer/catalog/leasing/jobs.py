"""Errands: what workers do besides chunks. They are claimed, renewed, handed back and parked as
work is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import and_, case, delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from indexer.catalog.database.dialect import among, insert_ignoring, is_sqlite, now_s, storable
from indexer.catalog.tables import Collection, Errand, utc_now
from indexer.messages import N_

Kind = Literal["plan", "ground", "artefacts"]
OPEN = ("pending", "running")


@dataclass(frozen=True, slots=True)
class ErrandItem:
    """A claimed errand; `attempts` counts this one."""

    id: int
    kind: str
    collection_id: int
    video_id: int | None
    name: str
    details: Mapping[str, Any]
    attempts: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Errands of a kind by state; `oldest`: when the one was asked for that has waited longest."""

    pending: int = 0
    running: int = 0
    failed: int = 0
    oldest: Any = None


def add(
    s: Session,
    kind: Kind,
    collection_id: int,
    name: str,
    details: Mapping[str, Any],
    *,
    size: float = 0.0,
    video_id: int | None = None,
) -> int:
    """Id of the errand, which waits from now on; one of that name that waits already, or failed,
    takes the new details.

    One that somebody is at now goes on, and is done again afterwards if the details are others.
    """
    place = {"kind": kind, "collection_id": collection_id, "name": storable(name)}
    values = {
        "details": dict(details),
        "size": float(size),
        "video_id": video_id,
        "created_at": utc_now(),
        "attempts": 0,
    }
    s.execute(insert_ignoring(s, Errand, tuple(place)), {**place, **values, "state": "pending"})
    known = s.execute(select(Errand.id, Errand.state, Errand.details).filter_by(**place)).one()
    if known.state == "failed" or known.details != values["details"]:
        fresh = {
            **values,
            "state": "pending",
            "error": None,
            "owner": None,
            "lease_until_s": None,
            "result": None,
            "finished_at": None,
        }
        _change(s, Errand.id == known.id, **fresh)
    return int(known.id)


def claim(
    s: Session,
    owner: str,
    lease_s: float,
    kind: Kind,
    max_attempts: int,
    *,
    without: Sequence[int] = (),
) -> ErrandItem | None:
    """Takes the next errand in one statement that two workers cannot both win: of the collection
    that waited longest, the smallest.
    """
    taken = aliased(Errand, name="waiting")
    now = now_s(s)
    lost = and_(taken.state == "running", taken.lease_until_s < now, taken.attempts < max_attempts)
    next_id = (
        select(taken.id)
        .join(Collection, Collection.id == taken.collection_id)
        .where(taken.kind == kind, or_(taken.state == "pending", lost))
        .order_by(func.coalesce(Collection.claimed_s, 0.0), taken.size, taken.id)
        .limit(1)
    )
    if without:
        next_id = next_id.where(~among(s, taken.id, list(without)))
    if not is_sqlite(s):
        next_id = next_id.with_for_update(skip_locked=True, of=taken)
    columns = (
        Errand.id,
        Errand.kind,
        Errand.collection_id,
        Errand.video_id,
        Errand.name,
        Errand.details,
        Errand.attempts,
    )
    claimed = s.execute(
        update(Errand)
        .where(Errand.id == next_id.scalar_subquery())
        .values(
            state="running", owner=owner, lease_until_s=now + lease_s, attempts=Errand.attempts + 1
        )
        .returning(*columns),
        execution_options={"synchronize_session": False},
    ).one_or_none()
    if claimed is None:
        return None
    note_turn(s, claimed.collection_id)
    return ErrandItem(*claimed)


def note_turn(s: Session, collection_id: int) -> None:
    """Work of the collection was taken now. Who finds its row locked leaves it: another has just
    noted the same.
    """
    row = select(Collection.id).where(Collection.id == collection_id)
    if not is_sqlite(s):
        row = row.with_for_update(skip_locked=True)
    noted = (
        update(Collection).where(Collection.id == row.scalar_subquery()).values(claimed_s=now_s(s))
    )
    s.execute(noted, execution_options={"synchronize_session": False})


def finish(
    s: Session, item: ErrandItem, owner: str, result: Mapping[str, Any] | None = None
) -> bool:
    """Without a result the errand goes, with one it stays until it is taken. False: it was lost, or
    asked for anew meanwhile.
    """
    if result is None:
        return s.execute(delete(Errand).where(_held(item.id, owner))).rowcount > 0  # pyright: ignore[reportAttributeAccessIssue]
    done = {
        "state": "done",
        "result": dict(result),
        "owner": None,
        "lease_until_s": None,
        "error": None,
        "finished_at": utc_now(),
    }
    return _change(s, _held(item.id, owner), **done) > 0


def fail(s: Session, item: ErrandItem, owner: str, error: str, max_attempts: int) -> bool:
    """Notes a failed attempt: below `max_attempts` it waits again, then it is parked with the
    reason.
    """
    state = case((Errand.attempts >= max_attempts, "failed"), else_="pending")
    noted = {
        "state": state,
        "error": storable(error),
        "owner": None,
        "lease_until_s": None,
        "finished_at": utc_now(),
    }
    return _change(s, _held(item.id, owner), **noted) > 0


def release(s: Session, owner: str, errand_id: int | None = None) -> int:
    """Hands back what the owner holds (or one errand), without counting the attempt."""
    held = and_(Errand.state == "running", Errand.owner == owner)
    if errand_id is not None:
        held = and_(held, Errand.id == errand_id)
    return _change(
        s, held, state="pending", owner=None, lease_until_s=None, attempts=Errand.attempts - 1
    )


def renew_all(s: Session, owner: str, lease_s: float) -> int:
    return _change(
        s, and_(Errand.state == "running", Errand.owner == owner), lease_until_s=now_s(s) + lease_s
    )


def owners(s: Session) -> list[str]:
    """Who holds errands."""
    held = (
        select(Errand.owner).where(Errand.state == "running", Errand.owner.is_not(None)).distinct()
    )
    return [str(owner) for owner in s.scalars(held)]


def expire(s: Session, max_attempts: int, dead: Sequence[str] = ()) -> int:
    """What lost workers held waits again, or is parked after `max_attempts`; how many."""
    lost = and_(
        Errand.state == "running",
        or_(Errand.lease_until_s < now_s(s), among(s, Errand.owner, list(dead))),
    )
    parked = and_(lost, Errand.attempts >= max_attempts)
    count = _change(
        s, parked, state="failed", error=N_("its worker was lost each time that it was tried"), owner=None, lease_until_s=None,
        finished_at=utc_now(),
    )  # fmt: skip
    return count + _change(s, lost, state="pending", owner=None, lease_until_s=None)


def retry(s: Session, video_ids: Sequence[int] | None = None) -> int:
    """Failed errands wait again, of these videos or all; how many."""
    failed = Errand.state == "failed"
    if video_ids is not None:
        failed = and_(failed, among(s, Errand.video_id, list(video_ids)))
    return _change(s, failed, state="pending", attempts=0, error=None, finished_at=None)


def cancel(s: Session, kind: Kind, video_ids: Sequence[int] | None = None) -> int:
    """Drops errands of a kind that are not done, of these videos or all; how many. Who is at one
    finds it lost.
    """
    chosen = and_(Errand.kind == kind, Errand.state.in_(OPEN))
    if video_ids is not None:
        chosen = and_(chosen, among(s, Errand.video_id, list(video_ids)))
    return s.execute(delete(Errand).where(chosen)).rowcount  # pyright: ignore[reportAttributeAccessIssue]


def take_result(s: Session, errand_id: int) -> tuple[str, Mapping[str, Any] | None, str]:
    """(state, result, error); one that is done or failed is gone afterwards. The state of what is
    not there is "gone".
    """
    row = s.execute(
        select(Errand.state, Errand.result, Errand.error).where(Errand.id == errand_id)
    ).one_or_none()
    if row is None:
        return "gone", None, ""
    if row.state in ("done", "failed"):
        s.execute(delete(Errand).where(Errand.id == errand_id))
    return row.state, row.result, row.error or ""


def withdraw(s: Session, ids: Sequence[int]) -> None:
    """Deletes errands whose result nobody awaits any more; who is at one finds it lost."""
    s.execute(delete(Errand).where(among(s, Errand.id, list(ids))))


def forget_results(s: Session, age_s: float) -> int:
    """Deletes results that nobody took."""
    old = and_(Errand.state == "done", Errand.finished_at < utc_now() - timedelta(seconds=age_s))
    return s.execute(delete(Errand).where(old)).rowcount  # pyright: ignore[reportAttributeAccessIssue]


def waiting(s: Session) -> dict[str, Waiting]:
    """What there is, by kind."""
    counted = select(Errand.kind, Errand.state, func.count(), func.min(Errand.created_at)).group_by(
        Errand.kind, Errand.state
    )
    found: dict[str, dict[str, Any]] = {}
    for kind, state, count, oldest in s.execute(counted):
        if state == "done":
            continue
        of_kind = found.setdefault(kind, {})
        of_kind[state] = int(count)
        if state == "pending":
            of_kind["oldest"] = oldest
    return {kind: Waiting(**counts) for kind, counts in found.items()}


def holders(s: Session) -> dict[str, int]:
    """Who runs how many."""
    held = (
        select(Errand.owner, func.count())
        .where(Errand.state == "running", Errand.owner.is_not(None))
        .group_by(Errand.owner)
    )
    return {str(owner): int(count) for owner, count in s.execute(held)}


def is_waiting(s: Session, kind: Kind) -> bool:
    return (
        s.scalar(select(Errand.id).where(Errand.kind == kind, Errand.state == "pending").limit(1))
        is not None
    )


def is_held(s: Session, item: ErrandItem, owner: str) -> bool:
    return s.scalar(select(Errand.id).where(_held(item.id, owner))) is not None


def failures(s: Session, limit: int = 10) -> list[tuple[str, str]]:
    """(name, error) of errands that are parked, the latest first."""
    parked = (
        select(Errand.name, Errand.error)
        .where(Errand.state == "failed")
        .order_by(Errand.finished_at.desc())
        .limit(limit)
    )
    return [(name, error or "") for name, error in s.execute(parked)]


def parked(s: Session, kind: Kind, collection_id: int) -> list[tuple[int, Mapping[str, Any]]]:
    """(id, details) of a collection's errands of a kind that failed."""
    return [
        (id_, details)
        for id_, details in s.execute(
            select(Errand.id, Errand.details).filter_by(
                kind=kind, collection_id=collection_id, state="failed"
            )
        )
    ]


def forget_parked(s: Session, errand_ids: Sequence[int]) -> int:
    """Those of them that still are parked; how many."""
    chosen = and_(among(s, Errand.id, list(errand_ids)), Errand.state == "failed")
    return s.execute(delete(Errand).where(chosen)).rowcount  # pyright: ignore[reportAttributeAccessIssue]


def _held(errand_id: int, owner: str) -> Any:
    return and_(Errand.id == errand_id, Errand.state == "running", Errand.owner == owner)


def _change(s: Session, condition: Any, **values: Any) -> int:
    statement = update(Errand).where(condition).values(**values)
    return s.execute(statement, execution_options={"synchronize_session": False}).rowcount  # pyright: ignore[reportAttributeAccessIssue]
