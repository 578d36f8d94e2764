"""Page jobs: what somebody asked for on the search page, in a lease queue. Their progress stands in
the row, so that every page process shows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, delete, func, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from indexer.catalog.database.column_types import sanitize_message, sanitize_text
from indexer.catalog.database.dialect import count_changed, in_values, is_sqlite, now_s
from indexer.catalog.leasing.lease_queue import OPEN_STATES, LeaseQueue
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.library import Collection
from indexer.catalog.tables.work import PageJob
from indexer.messages import NOTHING, Message
from indexer.vocabulary import PageJobKind, TaskState, Wanted

KEPT = 30
"""Jobs that have ended which are kept for people to see."""

MAX_PROBLEMS = 100
MAX_RESULTS = 10_000

# A copy that is being made serves whoever asks again; files may have come since an ingest began.
_JOINED = {PageJobKind.PROXY: OPEN_STATES, PageJobKind.WATCH: OPEN_STATES}
_CLAIM_LOCK = 7004711  # of PostgreSQL: one claim at a time

queue: LeaseQueue[PageJob] = LeaseQueue(PageJob)


@dataclass(frozen=True, slots=True)
class PageJobRow:
    """As the table has it. `problems`: what failed, file by file, and the error of the job."""

    id: int
    kind: PageJobKind
    collection_id: int
    collection: str
    video_id: int | None
    account_id: int | None
    subject: str
    details: Mapping[str, Any]
    state: TaskState
    wanted: Wanted
    handed_over: bool
    files: int
    files_done: int
    size_bytes: int
    done_bytes: float
    video_s: float
    worked_s: float
    created_at: datetime
    problems: tuple[Message, ...]

    @property
    def is_open(self) -> bool:
        """Whether the job still waits or runs."""
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of a file of a job; `state` as a report of an ingest says it. `name`: of the file
    as the job that plans it is called, where workers are at it.
    """

    path: str
    state: str
    video_id: int | None = None
    error: Message = NOTHING
    hint: Message = NOTHING
    name: str = ""


@dataclass(frozen=True, slots=True)
class PageProgress:
    """How far a job is; see `PageJob`."""

    files: int = 0
    files_done: int = 0
    size_bytes: int = 0
    done_bytes: float = 0.0
    video_s: float = 0.0
    worked_s: float = 0.0


# --- asking for a job ---


def add_page_job(
    s: Session,
    kind: PageJobKind,
    collection_id: int,
    subject: str,
    details: Mapping[str, Any],
    *,
    video_id: int | None = None,
    account_id: int | None = None,
) -> int:
    """Id of the job, which is acknowledged with the caller's commit. One that asks for the same and
    waits is that job.
    """
    same = select(PageJob.id, PageJob.details).where(
        PageJob.kind == kind,
        PageJob.collection_id == collection_id,
        PageJob.video_id.is_(None) if video_id is None else PageJob.video_id == video_id,
        PageJob.wanted != Wanted.CANCEL,
        PageJob.handed_over.is_(False),
        PageJob.state.in_(_JOINED.get(kind, (TaskState.PENDING,))),
    )
    for known in s.execute(same):
        if known.details == dict(details):
            return known.id
    job = PageJob(
        kind=kind,
        collection_id=collection_id,
        video_id=video_id,
        account_id=account_id,
        subject=sanitize_text(subject),
        details=dict(details),
    )
    s.add(job)
    s.flush()
    _delete_old(s)
    return job.id


def _delete_old(s: Session) -> None:
    kept = (
        select(PageJob.id)
        .where(PageJob.state.not_in(OPEN_STATES))
        .order_by(PageJob.finished_at.desc())
        .limit(KEPT)
    )
    ids = list(s.scalars(kept))
    if len(ids) == KEPT:
        has_ended = PageJob.state.not_in(OPEN_STATES)
        count_changed(s, delete(PageJob).where(has_ended, ~in_values(s, PageJob.id, ids)))


# --- doing it ---


def _lane(s: Session, kinds: Sequence[PageJobKind]) -> tuple[Any, Any]:
    row, candidates = queue.candidates(s)
    busy = aliased(PageJob, name="busy")
    is_busy = select(busy.id).where(
        busy.kind.in_(kinds),
        busy.state == TaskState.RUNNING,
        busy.lease_until_s >= now_s(s),
    )
    candidates = candidates.where(
        row.kind.in_(kinds),
        row.handed_over.is_(False),
        row.wanted != Wanted.PAUSE,
        ~is_busy.exists(),
    )
    # A folder that is looked into again can wait; people cannot.
    return row, candidates.order_by(case((row.kind == PageJobKind.WATCH, 1), else_=0), row.id)


def is_waiting(s: Session, kinds: Sequence[PageJobKind]) -> bool:
    """Whether one of these kinds can be claimed now; it only reads."""
    return s.scalar(_lane(s, kinds)[1].limit(1)) is not None


def oldest_waiting(s: Session, kind: PageJobKind) -> datetime | None:
    """When the job of this kind was asked for that can be claimed and has waited longest."""
    row, candidates = _lane(s, [kind])
    return s.scalar(
        candidates.with_only_columns(row.created_at)
        .order_by(None)
        .order_by(row.created_at)
        .limit(1)
    )


def list_held(s: Session, owner: str, kinds: Sequence[PageJobKind]) -> list[int]:
    """Ids of the jobs of these kinds that the owner holds."""
    held = select(PageJob.id).where(
        PageJob.state == TaskState.RUNNING, PageJob.owner == owner, PageJob.kind.in_(kinds)
    )
    return list(s.scalars(held))


def claim_page_job(
    s: Session,
    owner: str,
    lease_s: float,
    kinds: Sequence[PageJobKind],
    among: Sequence[int] | None = None,
) -> int | None:
    """Takes the next job of these kinds, of which one runs at a time among all processes (`among`:
    one of these alone): its id, or None.
    """
    if not is_sqlite(s):
        s.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _CLAIM_LOCK})
    row, candidates = _lane(s, kinds)
    if among is not None:
        candidates = candidates.where(in_values(s, row.id, among))
    job_id = queue.claim(s, row, candidates, owner, lease_s)
    if job_id is not None:
        nothing: dict[str, Any] = {"files": 0, "files_done": 0, "size_bytes": 0, "problems": []}
        nothing |= {"done_bytes": 0.0, "video_s": 0.0, "worked_s": 0.0, "outcomes": None}
        count_changed(s, update(PageJob).where(PageJob.id == job_id).values(**nothing))
    return job_id


def note_progress(s: Session, job_id: int, owner: str, progress: PageProgress) -> Wanted | None:
    """Notes how far the job is; what people want of it now. None: the owner has lost it."""
    values = {name: getattr(progress, name) for name in PageProgress.__slots__}
    held = queue.held(job_id, owner)
    changed = update(PageJob).where(held).values(**values).returning(PageJob.wanted)
    return s.execute(changed, execution_options={"synchronize_session": False}).scalar()


def note_results(s: Session, job_id: int, results: Sequence[FileResult]) -> None:
    """Keeps what became of the files of a job, of the first MAX_RESULTS."""
    stored = [
        {
            "path": sanitize_text(one.path),
            "state": one.state,
            "video_id": one.video_id,
            "error": _json_of(one.error),
            "hint": _json_of(one.hint),
            "name": sanitize_text(one.name),
        }
        for one in results[:MAX_RESULTS]
    ]
    count_changed(s, update(PageJob).where(PageJob.id == job_id).values(outcomes=stored))


def get_results(s: Session, job_id: int) -> list[FileResult]:
    """What became of the files of a job; none before it has ended, and of older versions."""
    stored = s.scalar(select(PageJob.outcomes).where(PageJob.id == job_id)) or ()
    return [
        FileResult(**{**one, **{part: _from_json(one[part]) for part in ("error", "hint")}})
        for one in stored
    ]


def finish_page_job(s: Session, job_id: int, owner: str, problems: Sequence[Message]) -> bool:
    """The job is done, or has failed where there are problems. False: the owner had lost it."""
    held = queue.held(job_id, owner)
    return _end(s, held, problems) > 0


def _end(s: Session, condition: Any, problems: Sequence[Message]) -> int:
    values = {
        "state": TaskState.FAILED if problems else TaskState.DONE,
        "owner": None,
        "lease_until_s": None,
        "handed_over": False,
        "finished_at": utc_now(),
        "problems": _to_json(problems),
    }
    return count_changed(s, update(PageJob).where(condition).values(**values))


def _to_json(problems: Sequence[Message]) -> list[Any]:
    return [_json_of(one) for one in problems[:MAX_PROBLEMS]]


def _json_of(message: Message) -> Any:
    return json.loads(sanitize_message(message).to_json())


def _from_json(stored: Any) -> Message:
    return Message.from_json(json.dumps(stored))


def end_handed_over(
    s: Session, job_id: int, progress: PageProgress, problems: Sequence[Message]
) -> bool:
    """The files of a job that workers were at are done. False: somebody else has noted that."""
    condition = and_(
        PageJob.id == job_id, PageJob.handed_over.is_(True), PageJob.state.in_(OPEN_STATES)
    )
    values = {name: getattr(progress, name) for name in PageProgress.__slots__}
    count_changed(s, update(PageJob).where(condition).values(**values))
    return _end(s, condition, problems) > 0


def hand_over(
    s: Session, job_id: int, owner: str, progress: PageProgress, problems: Sequence[Message]
) -> bool:
    """Workers are at the files of the job from now on. False: the owner had lost it."""
    values = {
        "state": TaskState.PENDING,
        "handed_over": True,
        "owner": None,
        "lease_until_s": None,
        "files": progress.files,
        "size_bytes": progress.size_bytes,
        "problems": _to_json(problems),
    }
    held = queue.held(job_id, owner)
    return count_changed(s, update(PageJob).where(held).values(**values)) > 0


# --- by people ---


def want(s: Session, job_id: int, wanted: Wanted) -> bool:
    """What people want of a job from now on. One that nobody has begun is cancelled at once.
    False: it has ended.
    """
    is_open = and_(PageJob.id == job_id, PageJob.state.in_(OPEN_STATES))
    changed = count_changed(s, update(PageJob).where(is_open).values(wanted=wanted)) > 0
    if wanted == Wanted.CANCEL:
        waits = and_(is_open, PageJob.state == TaskState.PENDING, PageJob.handed_over.is_(False))
        _end(s, waits, ())
    return changed


def forget(s: Session, job_id: int) -> None:
    """Deletes a job that has ended."""
    has_ended = and_(PageJob.id == job_id, PageJob.state.not_in(OPEN_STATES))
    count_changed(s, delete(PageJob).where(has_ended))


# --- what there is ---


def list_page_jobs(s: Session, *, only_open: bool = False) -> list[PageJobRow]:
    """Newest first."""
    return _rows(s, PageJob.state.in_(OPEN_STATES) if only_open else None)


def get_page_job(s: Session, job_id: int) -> PageJobRow | None:
    """The job of this number, if it is there still."""
    return next(iter(_rows(s, PageJob.id == job_id)), None)


def last_ended(s: Session) -> datetime | None:
    """When a job ended last: a page that saw another time is out of date."""
    return s.scalar(select(func.max(PageJob.finished_at)).where(_has_ended()))


def _has_ended() -> Any:
    return PageJob.state.not_in(OPEN_STATES)


def _rows(s: Session, condition: Any) -> list[PageJobRow]:
    statement = (
        select(PageJob, Collection.name)
        .join(Collection, Collection.id == PageJob.collection_id)
        .order_by(PageJob.id.desc())
    )
    if condition is not None:
        statement = statement.where(condition)
    return [_row(job, name) for job, name in s.execute(statement)]


def _row(job: PageJob, collection: str) -> PageJobRow:
    own = {
        name: getattr(job, name)
        for name in PageJobRow.__slots__
        if name not in ("collection", "problems")
    }
    problems = [_from_json(one) for one in job.problems]
    if job.error and job.state == TaskState.FAILED:
        problems.append(job.error)
    return PageJobRow(**own, collection=collection, problems=tuple(problems))


def count_open(s: Session) -> dict[tuple[PageJobKind, str], int]:
    """Open jobs by kind and state; those that workers are at count as running."""
    state = case(
        (or_(PageJob.state == TaskState.RUNNING, PageJob.handed_over.is_(True)), "running"),
        else_="waiting",
    )
    counted = (
        select(PageJob.kind, state, func.count())
        .where(PageJob.state.in_(OPEN_STATES))
        .group_by(PageJob.kind, state)
    )
    return {(kind, name): int(count) for kind, name, count in s.execute(counted)}
