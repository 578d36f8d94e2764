"""The workers and page processes that live: each reports what it does, and with which models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import count_changed, insert_or_ignore, now_s
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.work import ProcessRow

LIVE_S = 90.0
"""A process that has not reported for longer does not live any more."""

KEPT_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class LiveProcess:
    """`owner` as the leases name it; `kinds`: what it does; `models`: the key that it plans each
    stage with, by stage.
    """

    owner: str
    role: str
    kinds: tuple[str, ...]
    models: Mapping[str, str]
    started_at: datetime

    @property
    def host(self) -> str:
        """The machine that it runs on."""
        return self.owner.split("/", 1)[0]


def report_process(
    s: Session,
    owner: str,
    role: str,
    kinds: Sequence[str],
    models: Mapping[str, str] | None = None,
) -> None:
    """Notes that a process lives now, and forgets those that did long ago. `models` None: as
    before.
    """
    values: dict[str, Any] = {"role": role, "kinds": list(kinds)}
    s.execute(
        insert_or_ignore(s, ProcessRow, ("owner",)),
        {"owner": owner, "models": {}, "started_at": utc_now(), "seen_at_s": 0.0, **values},
    )
    if models is not None:
        values["models"] = dict(models)
    mine = update(ProcessRow).where(ProcessRow.owner == owner)
    count_changed(s, mine.values(seen_at_s=now_s(s), **values))
    count_changed(s, delete(ProcessRow).where(ProcessRow.seen_at_s < now_s(s) - KEPT_S))


def note_models(s: Session, owner: str, models: Mapping[str, str]) -> None:
    """Notes the models that a process which reports plans with."""
    mine = update(ProcessRow).where(ProcessRow.owner == owner)
    count_changed(s, mine.values(models=dict(models)))


def end_process(s: Session, owner: str) -> None:
    """The process ends."""
    count_changed(s, delete(ProcessRow).where(ProcessRow.owner == owner))


def list_live(s: Session, role: str | None = None) -> list[LiveProcess]:
    """Processes that live (of a role), by owner."""
    live = select(ProcessRow).where(ProcessRow.seen_at_s >= now_s(s) - LIVE_S)
    if role is not None:
        live = live.where(ProcessRow.role == role)
    return [
        LiveProcess(row.owner, row.role, tuple(row.kinds), row.models, row.started_at)
        for row in s.scalars(live.order_by(ProcessRow.owner))
    ]
