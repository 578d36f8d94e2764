"""Jobs: what workers do besides chunks, in a lease queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.orm import Session

from indexer.catalog.collections import touch_last_claimed
from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.database.dialect import count_changed, in_values, insert_or_ignore
from indexer.catalog.leasing.lease_queue import OPEN_STATES, LeaseQueue
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.library import Collection
from indexer.catalog.tables.work import Job
from indexer.messages import Message
from indexer.vocabulary import JobKind, TaskState

NO_ERROR = Message("")

queue: LeaseQueue[Job] = LeaseQueue(Job)


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """What a worker needs in order to do a job; `attempts` counts this one."""

    id: int
    kind: JobKind
    collection_id: int
    video_id: int | None
    name: str
    details: Mapping[str, Any]
    attempts: int


@dataclass(frozen=True, slots=True)
class JobCounts:
    """Jobs of a kind by state; `oldest`: when the one was asked for that has waited longest."""

    pending: int = 0
    running: int = 0
    failed: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobResult:
    """What came of a job: `result` of one that is done, `error` of one that failed. State "gone":
    there is no such job any more.
    """

    state: TaskState | Literal["gone"]
    result: Mapping[str, Any] | None = None
    error: Message = NO_ERROR

    @property
    def has_ended(self) -> bool:
        """Nothing more will come of the job."""
        return self.state not in OPEN_STATES


# --- asking for a job ---


def add_job(
    s: Session,
    kind: str,
    collection_id: int,
    name: str,
    details: Mapping[str, Any],
    *,
    size: float = 0.0,
    video_id: int | None = None,
) -> int:
    """Id of the job, which waits from now on; one of that name that waits already, or failed, takes
    the new details.

    One that somebody is at now goes on, and is done again afterwards if the details are others.
    """
    place = {"kind": kind, "collection_id": collection_id, "name": sanitize_text(name)}
    values = {
        "details": dict(details),
        "size": float(size),
        "video_id": video_id,
        "created_at": utc_now(),
        "state": TaskState.PENDING,
        "attempts": 0,
    }
    s.execute(insert_or_ignore(s, Job, tuple(place)), {**place, **values})
    known = s.execute(select(Job.id, Job.state, Job.details).filter_by(**place)).one()
    if known.state == TaskState.FAILED or known.details != values["details"]:
        cleared = ("error", "owner", "lease_until_s", "result", "started_at", "finished_at")
        again = {**values, **dict.fromkeys(cleared)}
        count_changed(s, update(Job).where(Job.id == known.id).values(**again))
    return int(known.id)


# --- doing it ---


def claim_job(
    s: Session,
    owner: str,
    lease_s: float,
    kind: str,
    max_attempts: int,
    *,
    without: Sequence[int] = (),
) -> ClaimedJob | None:
    """Takes the next job of a kind: of the collection that waited longest, the smallest. `without`:
    these jobs.
    """
    row, candidates = queue.candidates(s, max_attempts)
    candidates = (
        candidates.join(Collection, Collection.id == row.collection_id)
        .where(row.kind == kind)
        .order_by(func.coalesce(Collection.last_claimed_s, 0.0), row.size, row.id)
    )
    if without:
        candidates = candidates.where(~in_values(s, row.id, list(without)))
    job_id = queue.claim(s, row, candidates, owner, lease_s)
    if job_id is None:
        return None
    columns = (Job.id, Job.kind, Job.collection_id, Job.video_id, Job.name, Job.details)
    claimed = s.execute(select(*columns, Job.attempts).where(Job.id == job_id)).one()
    touch_last_claimed(s, claimed.collection_id)
    return ClaimedJob(*claimed)


def finish_job(
    s: Session, job: ClaimedJob, owner: str, result: Mapping[str, Any] | None = None
) -> bool:
    """Without a result the job goes, with one it stays until the result is taken. False: the owner
    had lost it, or it was asked for again meanwhile.
    """
    if not queue.finish(s, job.id, owner, result=None if result is None else dict(result)):
        return False
    if result is None:
        _delete(s, Job.id == job.id)
    return True


# --- its result ---


def take_result(s: Session, job_id: int) -> JobResult:
    """What came of the job; one that is done or failed is gone afterwards."""
    found = select(Job.state, Job.result, Job.error).where(Job.id == job_id)
    row = s.execute(found).one_or_none()
    if row is None:
        return JobResult("gone")
    if row.state in (TaskState.DONE, TaskState.FAILED):
        _delete(s, Job.id == job_id)
    return JobResult(row.state, row.result, row.error or NO_ERROR)


def withdraw_jobs(s: Session, ids: Sequence[int]) -> None:
    """Deletes jobs whose result nobody awaits any more; who is at one finds it lost."""
    _delete(s, in_values(s, Job.id, list(ids)))


def delete_old_results(s: Session, age_s: float) -> int:
    """Deletes results that nobody took; how many."""
    is_old = Job.finished_at < utc_now() - timedelta(seconds=age_s)
    return _delete(s, and_(Job.state == TaskState.DONE, is_old))


# --- by people ---


def retry_jobs(s: Session, video_ids: Sequence[int] | None = None) -> int:
    """Failed jobs wait again, of these videos or all; how many."""
    return queue.retry(s, *_of_videos(s, video_ids))


def cancel_jobs(s: Session, kind: str, video_ids: Sequence[int] | None = None) -> int:
    """Deletes jobs of a kind that are not done, of these videos or all; how many."""
    return queue.cancel(s, Job.kind == kind, *_of_videos(s, video_ids))


def delete_failed(s: Session, ids: Sequence[int]) -> int:
    """Deletes those of the jobs that have failed; how many."""
    is_failed = Job.state == TaskState.FAILED
    return _delete(s, and_(in_values(s, Job.id, list(ids)), is_failed))


# --- what there is ---


def count_jobs(s: Session) -> dict[JobKind, JobCounts]:
    """Jobs that are not done, by kind."""
    counted = (
        select(Job.kind, Job.state, func.count(), func.min(Job.created_at))
        .where(Job.state != TaskState.DONE)
        .group_by(Job.kind, Job.state)
    )
    found: dict[JobKind, dict[str, Any]] = {}
    for kind, state, count, oldest in s.execute(counted):
        of_kind = found.setdefault(kind, {})
        of_kind[state.value] = int(count)
        if state == TaskState.PENDING:
            of_kind["oldest"] = oldest
    return {kind: JobCounts(**counts) for kind, counts in found.items()}


def is_waiting(s: Session, kind: str) -> bool:
    """Whether a job of the kind waits for a worker."""
    waiting = select(Job.id).where(Job.kind == kind, Job.state == TaskState.PENDING).limit(1)
    return s.scalar(waiting) is not None


def list_errors(s: Session, limit: int = 10) -> list[tuple[str, Message]]:
    """(name, error) of jobs that failed, the latest first."""
    failed = (
        select(Job.name, Job.error)
        .where(Job.state == TaskState.FAILED)
        .order_by(Job.finished_at.desc())
        .limit(limit)
    )
    return [(name, error or NO_ERROR) for name, error in s.execute(failed)]


def list_failed(s: Session, kind: str, collection_id: int) -> list[tuple[int, Mapping[str, Any]]]:
    """(id, details) of a collection's jobs of a kind that failed."""
    failed = select(Job.id, Job.details).where(
        Job.kind == kind, Job.collection_id == collection_id, Job.state == TaskState.FAILED
    )
    return [(row.id, row.details) for row in s.execute(failed)]


def _of_videos(s: Session, video_ids: Sequence[int] | None) -> list[Any]:
    return [] if video_ids is None else [in_values(s, Job.video_id, list(video_ids))]


def _delete(s: Session, condition: Any) -> int:
    return count_changed(s, delete(Job).where(condition))
