"""What runs behind the server: ingests that were asked for, uploads, and how far they are."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from indexer.catalog.leasing.chunk_tasks import count_failed_tasks
from search_ui.api.rights import LARGEST_ID, CurrentUser, VisibleVideo, editor_of, require_editor
from search_ui.api.values import Body, FileItem, JobItem, RetryItem, Uploaded
from search_ui.app_state import app_state
from search_ui.auth.access_rights import User
from search_ui.i18n.translator import Translator, translator_of
from search_ui.jobs import Job
from search_ui.routes.upload import receive_video

router = APIRouter(tags=["jobs"])
LOOK_EVERY_S = 0.5
QUIET_S = 15.0
"""Without news a line says that the connection lives: proxies end silent ones."""
LONGEST_S = 60.0
"""Then the stream ends and programs ask again, with a token that is looked at again."""
BYTES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
ANSWER_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `progress` with a job each, then `end`",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


class NewJob(Body):
    """Files and folders of the server to make searchable."""

    paths: list[Annotated[str, Field(min_length=1, max_length=4000)]] = Field(
        min_length=1, max_length=100
    )
    collection: str = Field(min_length=1, max_length=100)


class JobChange(Body):
    """`cancel` drops what is not done; what is done stays searchable."""

    wanted: Literal["run", "pause", "cancel"]


def job_of_path(
    request: Request, user: CurrentUser, job_id: Annotated[int, Path(ge=0, le=LARGEST_ID)]
) -> Job:
    """The job with the number in the address; 404 for one that is unknown or not to be seen."""
    job = app_state().jobs.get(job_id)
    if job is None or not _sees(user, job):
        raise HTTPException(404, translator_of(request)("There is no such job."))
    return job


VisibleJob = Annotated[Job, Depends(job_of_path)]


@router.get("/jobs")
def list_jobs(request: Request, user: CurrentUser) -> list[JobItem]:
    """What runs, waits or has ended lately in the collections that you may see, newest first."""
    return [_item(request, user, job) for job in app_state().jobs.all() if _sees(user, job)]


@router.post("/jobs", status_code=202)
def ingest(request: Request, user: CurrentUser, wanted: NewJob) -> JobItem:
    """Makes files and folders of the server searchable. When this answers, no crash loses them."""
    shared = app_state()
    tr = translator_of(request)
    collection = editor_of(request, user, wanted.collection)
    reach = shared.reach_of(user, collection)
    # Unlike those of pathlib, these raise nothing at unknown people and endless names.
    paths = [FilePath(os.path.expanduser(path)) for path in wanted.paths]
    if not all(path.is_absolute() and reach.holds(path) for path in paths):
        raise HTTPException(403, tr("This folder may not be added from here."))
    if not all(os.path.exists(path) for path in paths):
        raise HTTPException(404, tr("There is no such folder on the server."))
    for path in paths:
        if os.path.isdir(path):
            shared.give_folder(user, collection, path)
    job = shared.jobs.ingest(paths, collection, actor=user.actor(), reach=reach)
    return _item(request, user, job)


@router.post("/uploads", status_code=202, openapi_extra=BYTES)
async def upload(
    request: Request,
    collection: Annotated[str, Query(min_length=1, max_length=100)],
    name: Annotated[str, Query(min_length=1, max_length=500, description="Name of the file")],
) -> Uploaded:
    """Takes the body as a video and makes it searchable. When this answers, no crash loses it."""
    stored, job = await receive_video(request, collection.strip(), name)
    return Uploaded(stored, _item(request, request.state.user, job))


@router.post("/videos/{video_id}/retry", status_code=202)
def retry(request: Request, user: CurrentUser, video: VisibleVideo) -> RetryItem:
    """Does what failed of a video again."""
    require_editor(request, user)
    found = app_state().library.video(video.id)
    with app_state().library.catalog.read() as session:
        chunks = count_failed_tasks(session, video.id)
    job = app_state().jobs.retry(video.id, found.shown_title, video.collection)
    return RetryItem(**asdict(_item(request, user, job)), chunks=chunks)


@router.get("/jobs/{job_id}")
def get_job(request: Request, user: CurrentUser, job: VisibleJob) -> JobItem:
    """How far a job is."""
    return _item(request, user, job)


@router.get("/jobs/{job_id}/files")
def list_results(request: Request, user: CurrentUser, job: VisibleJob) -> list[FileItem]:
    """What became of each file (of the first 10,000) of a job that has ended; of one that tries
    again none is named. For those who may edit.
    """
    require_editor(request, user)
    tr = translator_of(request)
    return [FileItem.of(one, tr) for one in app_state().jobs.results(job.id)]


@router.patch("/jobs/{job_id}")
def change_job(request: Request, user: CurrentUser, job: VisibleJob, change: JobChange) -> JobItem:
    """Pauses a job, goes on with it or cancels it."""
    require_editor(request, user)
    jobs = app_state().jobs
    {"run": jobs.resume, "pause": jobs.pause, "cancel": jobs.cancel}[change.wanted](job.id)
    return _item(request, user, jobs.get(job.id) or job)


@router.delete("/jobs/{job_id}", status_code=204, response_class=Response)
def forget_job(request: Request, user: CurrentUser, job: VisibleJob) -> None:
    """Takes a job that has ended off the list."""
    require_editor(request, user)
    if job.is_open:
        raise HTTPException(409, translator_of(request)("The job has not ended yet."))
    app_state().jobs.forget(job.id)


@router.get("/jobs/{job_id}/events", response_class=StreamingResponse, responses=ANSWER_EVENTS)
def watch_job(request: Request, user: CurrentUser, job: VisibleJob) -> StreamingResponse:
    """Server-sent events: `progress` whenever the job is further, `end` when it has ended. The
    stream ends after a minute; ask again then, as an EventSource does by itself.
    """
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    events = _events(user, job, translator_of(request))
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(user: User, job: Job | None, tr: Translator) -> AsyncIterator[str]:
    began = sent_s = time.monotonic()
    last = ""
    yield "retry: 1000\n\n"
    while job is not None:
        now = json.dumps(asdict(JobItem.of(job, tr, with_problems=user.can_edit)))
        if now != last:
            yield f"event: progress\ndata: {now}\n\n"
            last, sent_s = now, time.monotonic()
        if not job.is_open or time.monotonic() - began > LONGEST_S:
            break
        if time.monotonic() - sent_s > QUIET_S:
            yield ": nothing new\n\n"
            sent_s = time.monotonic()
        await asyncio.sleep(LOOK_EVERY_S)
        job = await run_in_threadpool(app_state().jobs.get, job.id)
    if job is None or not job.is_open:
        yield f"event: end\ndata: {last}\n\n"


def _sees(user: User, job: Job) -> bool:
    return user.sees(job.collection_id)


def _item(request: Request, user: User, job: Job) -> JobItem:
    return JobItem.of(job, translator_of(request), with_problems=user.can_edit)
