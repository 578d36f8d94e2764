"""The job `plan`: a file that arrived is recognised and probed, and its chunks are planned."""

from __future__ import annotations

from indexer.catalog.leasing import page_job_files
from indexer.catalog.leasing.jobs import ClaimedJob
from indexer.context import Context
from indexer.errors import MediaError, os_reason
from indexer.ingest.discover import FoundFile
from indexer.ingest.finalize import finalize_video
from indexer.ingest.plan import Planner
from indexer.queue.reachable import reachable_path
from indexer.queue.submit import add_artefact_job


def plan_file(context: Context, job: ClaimedJob) -> None:
    """Raises MediaError for a file that cannot be planned, RootUnavailable where it is not on this
    machine.
    """
    file = _find(context, job)
    details = job.details
    stages = context.stages(
        fast=details["fast"],
        adaptive=details.get("adaptive", False),  # jobs that were noted before there was one
        events=details["events"],
    )
    planner = Planner(context.catalog, context.settings, {stage.name: stage for stage in stages})
    video_id = planner.recognise(file, job.collection_id).video_id
    planner.plan(video_id, file.path)
    with context.catalog.begin() as session:
        page_job_files.note_planned(session, job.collection_id, job.name, video_id)
    # Nothing may have been missing.
    finalize_video(context.catalog, context.artefacts, video_id)
    if context.settings.proxies_ahead:
        with context.catalog.begin() as session:
            add_artefact_job(session, video_id, job.collection_id, file.size_bytes)


def _find(context: Context, job: ClaimedJob) -> FoundFile:
    path = reachable_path(context, job.details["root"], job.details["relative_path"])
    try:
        status = path.stat()
    except OSError as error:
        raise MediaError(
            "{path}: {reason}",
            "check the path, then ingest it again",
            path=path,
            reason=os_reason(error),
        ) from None
    return FoundFile(path, status.st_size, status.st_mtime_ns)
