"""Leaving work to workers: files are noted in the catalog, and workers are told. Nothing is opened
here, so it returns at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence

from indexer.catalog import collections, videos
from indexer.catalog.leasing import jobs
from indexer.catalog.leasing.progress import count_waiting
from indexer.catalog.video_paths import KnownPath, get_known_paths
from indexer.context import Context
from indexer.errors import QueueError
from indexer.ingest.plan import Planner
from indexer.ingest.run import FileOutcome, IngestReport, mark_offline
from indexer.paths import FoundFile, Unusable, find_files, given_path, printable
from indexer.queue.notify import Hints

AT_ONCE = 1000  # files in one transaction


def enqueue(
    context: Context,
    paths: Sequence[str | os.PathLike[str]],
    collection: str,
    *,
    fast: bool,
    events: bool | None,
) -> IngestReport:
    """The report names what is queued, unchanged, or unusable. Raises QueueError where workers
    cannot be told; what is noted stays.
    """
    started = time.monotonic()
    hints = Hints(context.settings)
    # before anything is noted: somebody who mistyped the broker shall not queue by accident
    hints.check()
    here = bool(
        context.settings.lego_path
    )  # without a checkpoint its key is not known here: the worker that plans has to look
    stages = context.stages(fast=fast, events=events if here else False)
    planner = Planner(context.catalog, context.settings, {stage.name: stage for stage in stages})
    with context.catalog.begin() as session:
        collection_id = collections.ensure_collection(session, collection)
        known = get_known_paths(session, collection_id)
    found = list(find_files(paths))
    files = [file for file in found if isinstance(file, FoundFile)]
    outcomes = [
        FileOutcome(bad.path, "failed", None, bad.error.what, bad.error.advice)
        for bad in found
        if isinstance(bad, Unusable)
    ]
    arrived = []
    for file in files:
        at = known.get(planner.roots.split(file.path))
        if (here or not events) and planner.is_unchanged(file, at):
            outcomes.append(
                FileOutcome(printable(file.path), "unchanged", at.video_id if at else None)
            )
        else:
            arrived.append((file, at))
            outcomes.append(
                FileOutcome(printable(file.path), "queued", at.video_id if at else None)
            )
    for first in range(0, len(arrived), AT_ONCE):
        _note(context, planner, collection_id, arrived[first : first + AT_ONCE], fast, events)
    offline = mark_offline(context.catalog, planner, paths, files, known)
    _forget_gone(context, planner, collection_id, paths)
    if arrived:
        try:
            hints.tell({"plan": len(arrived)})
        except QueueError as error:
            raise QueueError(
                error.what,
                "{count} files are noted in the catalog, and workers find them as soon as the "
                "broker is back; {advice}",
                count=len(arrived),
                advice=error.advice,
            ) from error
    return IngestReport(collection, tuple(outcomes), offline, 0.0, time.monotonic() - started)


def request_artefacts(context: Context, video_ids: Sequence[int] | None) -> int:
    """Workers make the thumbnails and proxies that these videos (all, if None) lack."""
    with context.catalog.begin() as session:
        chosen = (
            videos.list_videos(session)
            if video_ids is None
            else [videos.get_video(session, it) for it in video_ids]
        )
        for video in chosen:
            jobs.add_job(
                session,
                "artefacts",
                video.collection_id,
                str(video.id),
                {},
                size=video.size_bytes,
                video_id=video.id,
            )
    Hints(context.settings).tell({"artefacts": len(chosen)})
    return len(chosen)


def waiting_counts(context: Context) -> dict[str, int]:
    """Works and errands that wait, by kind."""
    with context.catalog.read() as session:
        return {
            **count_waiting(session),
            **{kind: it.pending for kind, it in jobs.count_jobs(session).items() if it.pending},
        }


def _forget_gone(
    context: Context, planner: Planner, collection_id: int, paths: Sequence[str | os.PathLike[str]]
) -> None:
    """The errors of files below the given paths that could not be planned and were deleted since:
    nobody could mend them.
    """
    given = [given_path(path) for path in paths]
    with context.catalog.begin() as session:
        gone = [
            errand_id
            for errand_id, details in jobs.list_failed(session, "plan", collection_id)
            if planner.roots.vanished(details["root"], details["relative_path"], given)
        ]
        jobs.delete_failed(session, gone)


def _note(
    context: Context,
    planner: Planner,
    collection_id: int,
    arrived: Iterable[tuple[FoundFile, KnownPath | None]],
    fast: bool,
    events: bool | None,
) -> None:
    with context.catalog.begin() as session:
        for file, _ in arrived:
            root, relative_path = planner.roots.split(file.path)
            details = {
                "root": root,
                "relative_path": relative_path,
                "fast": fast,
                "events": events,
                "mtime_ns": file.mtime_ns,
            }
            jobs.add_job(
                session,
                "plan",
                collection_id,
                f"{root}:{relative_path}",
                details,
                size=file.size_bytes,
            )
