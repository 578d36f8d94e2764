"""Files of page jobs that workers are at: how many are open, what failed, and how people pause and
cancel them.

A file is open while the job that plans it, or a chunk task of its video, is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, case, func, select, update
from sqlalchemy.orm import Session

from indexer.catalog.database.dialect import count_changed, insert_or_ignore
from indexer.catalog.leasing import chunk_tasks, jobs
from indexer.catalog.leasing.lease_queue import OPEN_STATES
from indexer.catalog.leasing.page_jobs import (
    MAX_PROBLEMS,
    FileResult,
    PageJobRow,
    PageProgress,
    get_results,
)
from indexer.catalog.tables.library import Chunk, ChunkTask, Video
from indexer.catalog.tables.work import Job, PageJob, PageJobFile
from indexer.messages import NOTHING, Message
from indexer.vocabulary import JobKind, TaskState, VideoState, Wanted


def add_file(s: Session, page_job_id: int, name: str, size_bytes: int) -> None:
    """Notes a file of a job that workers will be at; `name` is that of the job which plans it."""
    values = {"page_job_id": page_job_id, "name": name, "size_bytes": size_bytes}
    s.execute(insert_or_ignore(s, PageJobFile, ("page_job_id", "name")), values)


def sum_bytes(s: Session, page_job_id: int) -> int:
    """Bytes of all files of a job that workers are at."""
    mine = PageJobFile.page_job_id == page_job_id
    return int(
        s.scalar(select(func.coalesce(func.sum(PageJobFile.size_bytes), 0)).where(mine)) or 0
    )


def note_planned(s: Session, collection_id: int, name: str, video_id: int) -> None:
    """Notes which video a file was recognised as, for all jobs that await it."""
    of_collection = select(PageJob.id).where(PageJob.collection_id == collection_id)
    awaiting = and_(PageJobFile.name == name, PageJobFile.page_job_id.in_(of_collection))
    count_changed(s, update(PageJobFile).where(awaiting).values(video_id=video_id))


def measure(s: Session, job: PageJobRow) -> tuple[PageProgress, tuple[Message, ...]]:
    """How far workers are with the files of a job, and what failed so far."""
    open_files = _open_files(s, job)
    left_bytes = sum(size * (1.0 - share) for size, share in open_files)
    done = s.execute(_done(job)).one()
    progress = PageProgress(
        job.files,
        max(0, job.files - len(open_files)),
        job.size_bytes,
        max(0.0, job.size_bytes - left_bytes),
        float(done.video_s),
        float(done.worked_s),
    )
    return progress, tuple(_errors(s, job))


def is_done(s: Session, job: PageJobRow) -> bool:
    """Whether workers have nothing left to do for the job."""
    open_file = _of(job).where(_is_open(job)).limit(1)
    return s.execute(open_file).first() is None


def _of(job: PageJobRow) -> Any:
    return select(PageJobFile.id).where(PageJobFile.page_job_id == job.id)


def _plan_job(job: PageJobRow, *states: TaskState) -> Any:
    return (
        select(Job.id)
        .where(
            Job.kind == JobKind.PLAN,
            Job.collection_id == job.collection_id,
            Job.name == PageJobFile.name,
            Job.state.in_(states),
        )
        .correlate(PageJobFile)
    )


def _is_open(job: PageJobRow) -> Any:
    task = select(ChunkTask.id).where(
        ChunkTask.video_id == PageJobFile.video_id, ChunkTask.state.in_(OPEN_STATES)
    )
    return _plan_job(job, *OPEN_STATES).exists() | task.correlate(PageJobFile).exists()


def _open_files(s: Session, job: PageJobRow) -> list[tuple[int, float]]:
    """(bytes, share of its chunk tasks that are done) of each file that is open."""
    is_done = case((ChunkTask.state == TaskState.DONE, 1.0), else_=0.0)
    statement = (
        select(PageJobFile.size_bytes, func.coalesce(func.avg(is_done), 0.0))
        .outerjoin(ChunkTask, ChunkTask.video_id == PageJobFile.video_id)
        .where(PageJobFile.page_job_id == job.id, _is_open(job))
        .group_by(PageJobFile.id, PageJobFile.size_bytes)
    )
    return [(int(size), float(share)) for size, share in s.execute(statement)]


def _done(job: PageJobRow) -> Any:
    """Seconds of video whose picture is done, and seconds of work at all stages, since the job was
    asked for.
    """
    length_s = case((ChunkTask.stage == "picture", Chunk.end_s - Chunk.start_s), else_=0.0)
    return (
        select(
            func.coalesce(func.sum(length_s), 0.0).label("video_s"),
            func.coalesce(func.sum(ChunkTask.seconds), 0.0).label("worked_s"),
        )
        .select_from(PageJobFile)
        .join(ChunkTask, ChunkTask.video_id == PageJobFile.video_id)
        .join(Chunk, Chunk.id == ChunkTask.chunk_id)
        .where(
            PageJobFile.page_job_id == job.id,
            ChunkTask.state == TaskState.DONE,
            ChunkTask.finished_at >= job.created_at,
        )
    )


def _errors(s: Session, job: PageJobRow) -> list[Message]:
    unplanned = (
        select(Job.error)
        .join(PageJobFile, PageJobFile.name == Job.name)
        .where(
            PageJobFile.page_job_id == job.id,
            Job.kind == JobKind.PLAN,
            Job.collection_id == job.collection_id,
            Job.state == TaskState.FAILED,
        )
    )
    failed = (
        select(Video.error)
        .join(PageJobFile, PageJobFile.video_id == Video.id)
        .where(PageJobFile.page_job_id == job.id, Video.state == VideoState.FAILED)
    )
    found = [*s.scalars(unplanned.limit(MAX_PROBLEMS)), *s.scalars(failed.limit(MAX_PROBLEMS))]
    return [error for error in found if error]


def settled_results(s: Session, job: PageJobRow) -> list[FileResult]:
    """What became of the files of a job; of those that workers were at, when they are through."""
    errors = {
        name: error
        for name, error in s.execute(
            select(Job.name, Job.error).where(
                Job.kind == JobKind.PLAN,
                Job.collection_id == job.collection_id,
                Job.state == TaskState.FAILED,
            )
        )
        if error
    }
    videos = {
        name: (video_id, error if state == VideoState.FAILED else None)
        for name, video_id, state, error in s.execute(
            select(PageJobFile.name, Video.id, Video.state, Video.error)
            .join(Video, Video.id == PageJobFile.video_id)
            .where(PageJobFile.page_job_id == job.id)
        )
    }
    results = []
    for one in get_results(s, job.id):
        if not one.name:
            results.append(one)
            continue
        video_id, failed = videos.get(one.name, (None, None))
        error = errors.get(one.name) or failed or NOTHING
        state = "failed" if error else one.state if video_id is None else "indexed"
        results.append(FileResult(one.path, state, video_id, error))
    return results


# --- pausing and cancelling ---


def list_paused(s: Session) -> tuple[list[int], list[int]]:
    """Ids of jobs that plan files, and of videos, which workers leave alone because people paused
    what they belong to.
    """
    is_paused = and_(PageJob.handed_over.is_(True), PageJob.wanted == Wanted.PAUSE)
    paused = list(s.execute(select(PageJob.id, PageJob.collection_id).where(is_paused)))
    plans: list[int] = []
    videos: list[int] = []
    for job_id, collection_id in paused:
        mine = select(PageJobFile.name).where(PageJobFile.page_job_id == job_id)
        is_plan = and_(
            Job.kind == JobKind.PLAN, Job.collection_id == collection_id, Job.name.in_(mine)
        )
        plans += s.scalars(select(Job.id).where(is_plan))
        videos += _open_videos(s, job_id)
    return plans, videos


def _open_videos(s: Session, page_job_id: int) -> Sequence[int]:
    task = select(ChunkTask.id).where(
        ChunkTask.video_id == PageJobFile.video_id, ChunkTask.state.in_(OPEN_STATES)
    )
    found = select(PageJobFile.video_id).where(
        PageJobFile.page_job_id == page_job_id,
        PageJobFile.video_id.is_not(None),
        task.correlate(PageJobFile).exists(),
    )
    return [int(video_id) for video_id in s.scalars(found) if video_id is not None]


def cancel_files(s: Session, job: PageJobRow) -> None:
    """Drops what waits of a job that workers are at; what is done stays searchable."""
    mine = select(PageJobFile.name).where(PageJobFile.page_job_id == job.id)
    jobs.queue.cancel(
        s,
        Job.kind == JobKind.PLAN,
        Job.collection_id == job.collection_id,
        Job.name.in_(mine),
    )
    chunk_tasks.cancel_tasks(s, _open_videos(s, job.id))
