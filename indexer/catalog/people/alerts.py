"""Webhooks of saved searches, and the videos that they have yet to be told of.

A video that becomes ready is noted for every alert in the same transaction, so none is forgotten;
whoever does the deliveries asks the question and tells of what matches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, func, literal, or_, select, update
from sqlalchemy.orm import Session

from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.database.dialect import count_changed, now_s
from indexer.catalog.leasing.lease_queue import OPEN_STATES, LeaseQueue
from indexer.catalog.people.owner import belongs_to
from indexer.catalog.people.tokens import get_collection_ids
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.saved import AlertDelivery, SearchAlert, SearchRow
from indexer.catalog.video_queries import Filters
from indexer.errors import UsageError
from indexer.messages import Message
from indexer.vocabulary import TaskState

MOST_ALERTS = 100
"""Of one account or token."""
ALL = Filters()
KEPT = timedelta(days=30)
"""How long it is known what was delivered."""

queue: LeaseQueue[AlertDelivery] = LeaseQueue(AlertDelivery)


@dataclass(frozen=True, slots=True)
class Query:
    """What a saved search asks. `collections` (names), `kinds` None: all."""

    question: str
    collections: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None
    filters: Filters = ALL


@dataclass(frozen=True, slots=True)
class AlertRow:
    """`waiting`, `failed`: deliveries; `error`: of the last one that went wrong."""

    search_id: int
    query: Query
    url: str
    created_at: datetime
    waiting: int
    failed: int
    error: Message | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A video to ask an alert's question; `body`: what is sent, once the video is known to match.
    `collection_ids` None: whose search it is may see all. `belongs_to`: the ids of the account and
    of the token that it is of.
    """

    id: int
    attempts: int
    video_id: int
    search_id: int
    title: str
    query: Query
    url: str
    secret: str
    body: str | None
    collection_ids: tuple[int, ...] | None
    belongs_to: tuple[int | None, int | None]


def set_alert(s: Session, search_id: int, query: Query, url: str, secret: str) -> None:
    """A saved search tells at this address of what becomes ready from now on; an alert that it had
    is replaced. Raises UsageError where whose it is has very many.
    """
    search = s.get_one(SearchRow, search_id)
    count_changed(s, delete(SearchAlert).where(SearchAlert.search_id == search_id))
    own = belongs_to(SearchRow, search.account_id, search.token_id)
    counted = select(func.count()).join_from(SearchAlert, SearchRow).where(own)
    if (s.scalar(counted) or 0) >= MOST_ALERTS:
        raise UsageError(
            "there are {n} saved searches with webhooks already",
            "delete one that is not needed any more",
            n=MOST_ALERTS,
        )
    s.add(
        SearchAlert(
            search_id=search_id,
            question=sanitize_text(query.question),
            collections=None if query.collections is None else list(query.collections),
            kinds=None if query.kinds is None else list(query.kinds),
            filters=_stored(query.filters),
            url=url,
            secret=secret,
        )
    )
    s.flush()


def delete_alert(s: Session, search_id: int) -> None:
    """The saved search tells nobody any more."""
    count_changed(s, delete(SearchAlert).where(SearchAlert.search_id == search_id))


def list_alerts(s: Session, search_ids: Sequence[int]) -> dict[int, AlertRow]:
    """The alerts of these searches, by the search."""
    found = s.scalars(select(SearchAlert).where(SearchAlert.search_id.in_(search_ids))).all()
    return {alert.search_id: _row(s, alert) for alert in found}


def note_ready(s: Session, video_id: int) -> None:
    """The video became ready for the first time: every alert has to look at it. (Whether whose
    it is may see the video is decided when it is looked at.)
    """
    now = utc_now()
    waiting = {
        "alert_id": SearchAlert.id,
        "video_id": literal(video_id),
        "due_s": literal(0.0),
        "state": literal(str(TaskState.PENDING)),
        "attempts": literal(0),
        "created_at": literal(now, AlertDelivery.created_at.type),
    }
    known = select(AlertDelivery.id).where(
        AlertDelivery.alert_id == SearchAlert.id, AlertDelivery.video_id == video_id
    )
    # An alert that somebody deletes meanwhile must not break the commit.
    missing = select(*waiting.values()).where(~known.exists())
    missing = missing.with_for_update(key_share=True, of=SearchAlert)
    s.execute(AlertDelivery.__table__.insert().from_select(list(waiting), missing))  # pyright: ignore[reportAttributeAccessIssue]


def is_due(s: Session) -> bool:
    """Whether a delivery waits whose time has come; it only reads."""
    return s.scalar(_due(s)[1].limit(1)) is not None


def claim_delivery(
    s: Session,
    owner: str,
    lease_s: float,
    last: Sequence[tuple[int | None, int | None]] = (),
) -> Delivery | None:
    """Takes the next delivery that is due; None: there is none. Those that belong to `last` (ids of
    account and token) come after all others.
    """
    row, candidates = _due(s)
    if last:
        own = or_(*(belongs_to(SearchRow, account, token) for account, token in last))
        theirs = select(SearchAlert.id).join(SearchRow, SearchRow.id == SearchAlert.search_id)
        waits = case((row.alert_id.in_(theirs.where(own)), 1), else_=0)
        candidates = candidates.order_by(None).order_by(waits, row.due_s, row.id)
    delivery_id = queue.claim(s, row, candidates, owner, lease_s)
    if delivery_id is None:
        return None
    delivery, alert, search = s.execute(
        select(AlertDelivery, SearchAlert, SearchRow)
        .join(SearchAlert, SearchAlert.id == AlertDelivery.alert_id)
        .join(SearchRow, SearchRow.id == SearchAlert.search_id)
        .where(AlertDelivery.id == delivery_id)
        .execution_options(populate_existing=True)
    ).one()
    return Delivery(
        delivery.id,
        delivery.attempts,
        delivery.video_id,
        search.id,
        search.title,
        _query(alert),
        alert.url,
        alert.secret,
        delivery.body,
        get_collection_ids(s, search.account_id, search.token_id),
        (search.account_id, search.token_id),
    )


def keep_body(s: Session, delivery_id: int, owner: str, body: str) -> bool:
    """The video matches: this is sent, word for word in each attempt. False: the owner lost it."""
    held = queue.held(delivery_id, owner)
    return count_changed(s, update(AlertDelivery).where(held).values(body=body)) > 0


def drop_delivery(s: Session, delivery_id: int, owner: str) -> None:
    """The video does not match, or is not for whose search it is."""
    count_changed(s, delete(AlertDelivery).where(queue.held(delivery_id, owner)))


def postpone(
    s: Session, delivery_id: int, owner: str, error: Message, wait_s: float, max_attempts: int
) -> TaskState | None:
    """Notes a failed attempt; the next one comes after `wait_s`, or none after `max_attempts`."""
    held = queue.held(delivery_id, owner)
    count_changed(s, update(AlertDelivery).where(held).values(due_s=now_s(s) + wait_s))
    return queue.fail(s, delivery_id, owner, error, max_attempts)


def delete_old(s: Session) -> int:
    """Forgets deliveries that ended long ago; how many."""
    has_ended = AlertDelivery.state.not_in(OPEN_STATES)
    is_old = AlertDelivery.finished_at < utc_now() - KEPT
    return count_changed(s, delete(AlertDelivery).where(has_ended, is_old))


def _due(s: Session) -> tuple[Any, Any]:
    row, candidates = queue.candidates(s)
    return row, candidates.where(row.due_s <= now_s(s)).order_by(row.due_s, row.id)


def _row(s: Session, alert: SearchAlert) -> AlertRow:
    own = AlertDelivery.alert_id == alert.id
    states = select(AlertDelivery.state, func.count()).where(own).group_by(AlertDelivery.state)
    counts = {state: int(count) for state, count in s.execute(states)}
    last = AlertDelivery.finished_at.desc()
    has_error = own & AlertDelivery.error.is_not(None)
    error = s.scalar(select(AlertDelivery.error).where(has_error).order_by(last).limit(1))
    return AlertRow(
        alert.search_id,
        _query(alert),
        alert.url,
        alert.created_at,
        sum(counts.get(state, 0) for state in OPEN_STATES),
        counts.get(TaskState.FAILED, 0),
        error,
    )


def _query(alert: SearchAlert) -> Query:
    return Query(
        alert.question,
        None if alert.collections is None else tuple(alert.collections),
        None if alert.kinds is None else tuple(alert.kinds),
        _filters(alert.filters),
    )


def _stored(filters: Filters) -> dict[str, Any]:
    first, last = filters.recorded_from, filters.recorded_to
    return {
        "recorded_from": first.isoformat() if first else None,
        "recorded_to": last.isoformat() if last else None,
        "shortest_s": filters.shortest_s,
        "longest_s": filters.longest_s,
        "name": filters.name,
    }


def _filters(stored: Mapping[str, Any]) -> Filters:
    first, last = stored["recorded_from"], stored["recorded_to"]
    return Filters(
        date.fromisoformat(first) if first else None,
        date.fromisoformat(last) if last else None,
        stored["shortest_s"],
        stored["longest_s"],
        stored["name"],
    )
