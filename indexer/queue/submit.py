"""Leaving work to workers: files are noted in the catalog, and workers are notified. Nothing is
opened here, so it returns at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from sqlalchemy.orm import Session

from indexer.catalog import collections, videos
from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.leasing import jobs, page_job_files, page_jobs
from indexer.catalog.leasing.progress import count_waiting
from indexer.catalog.video_paths import get_known_paths
from indexer.context import Context
from indexer.errors import QueueError
from indexer.ingest.discover import FoundFile, Unusable, find_files
from indexer.ingest.finalize import mark_offline
from indexer.ingest.plan import Planner
from indexer.ingest.run import FileOutcome, IngestReport
from indexer.ingest.served_models import others_note, require_served_embedder
from indexer.paths import EVERYTHING, Reach, absolute_path, printable
from indexer.queue.notify import Notifier
from indexer.vocabulary import JobKind, PageJobKind

FILES_PER_TRANSACTION = 1000


def enqueue(
    context: Context,
    paths: Sequence[str | os.PathLike[str]],
    collection: str,
    *,
    fast: bool,
    adaptive: bool | None = None,
    events: bool | None,
    reach: Reach = EVERYTHING,
) -> IngestReport:
    """The report names what is queued, unchanged, or unusable. Raises QueueError where workers
    cannot be notified; what is noted stays.
    """
    notifier = Notifier(context.settings)
    # Before anything is noted: somebody who mistyped the broker should not queue by accident.
    notifier.check()
    report = note_files(
        context, paths, collection, fast=fast, adaptive=adaptive, events=events, reach=reach
    )
    arrived = sum(file.state == "queued" for file in report.files)
    if arrived:
        _notify(notifier, arrived)
    return report


def note_files(
    context: Context,
    paths: Sequence[str | os.PathLike[str]],
    collection: str,
    *,
    fast: bool = False,
    adaptive: bool | None = None,
    events: bool | None = None,
    page_job_id: int | None = None,
    reach: Reach = EVERYTHING,
) -> IngestReport:
    """Notes files for workers, whom nobody notifies here; `page_job_id`: the job of the search page
    that they belong to; `reach`: where they may lie. It may be repeated.
    """
    started = time.monotonic()
    submission = _Submission(
        context, collection, fast=fast, adaptive=adaptive, events=events, job_id=page_job_id
    )
    found = list(find_files(paths, reach))
    files = [file for file in found if isinstance(file, FoundFile)]
    outcomes = [
        FileOutcome(bad.path, "failed", None, bad.error.what, bad.error.advice)
        for bad in found
        if isinstance(bad, Unusable)
    ]
    outcomes += [submission.outcome(file) for file in files]
    submission.add_jobs()
    offline = mark_offline(
        context.catalog, submission.planner.roots, paths, files, submission.known
    )
    submission.delete_errors_of_deleted(paths)
    with context.catalog.read() as session:
        notes = tuple(filter(None, [others_note(session)]))
    return IngestReport(
        collection, tuple(outcomes), offline, 0.0, time.monotonic() - started, notes
    )


def _notify(notifier: Notifier, count: int) -> None:
    try:
        notifier.notify({JobKind.PLAN: count})
    except QueueError as error:
        raise QueueError(
            error.what,
            "{count} files are noted in the catalog, and workers find them as soon as the "
            "broker is back; {advice}",
            count=count,
            advice=error.advice,
        ) from error


class _Submission:
    """Files that are left to workers, and what is known of them."""

    def __init__(
        self,
        context: Context,
        collection: str,
        *,
        fast: bool,
        adaptive: bool | None,
        events: bool | None,
        job_id: int | None,
    ) -> None:
        self._catalog = context.catalog
        self._page_job_id = job_id
        self._fast = fast
        self._adaptive = context.settings.adaptive if adaptive is None else adaptive
        self._events = events
        # Without a grounder its key is not known here: the worker that plans has to look.
        self._knows_events = bool(context.settings.grounder_kind)
        stages = context.stages(
            fast=fast,
            adaptive=self._adaptive,
            events=events if self._knows_events else False,
        )
        if not context.settings.change_model:
            require_served_embedder(context.catalog, stages)
        self.planner = Planner(
            context.catalog, context.settings, {stage.name: stage for stage in stages}
        )
        with self._catalog.begin() as session:
            self._collection_id = collections.ensure_collection(session, collection)
            self.known = get_known_paths(session, self._collection_id)
        self.arrived: list[FoundFile] = []

    def outcome(self, file: FoundFile) -> FileOutcome:
        """Whether the file is to be planned, which is noted, or is unchanged."""
        known = self.known.get(self.planner.roots.split(file.path))
        video_id = None if known is None else known.video_id
        is_comparable = self._knows_events or not self._events
        if is_comparable and self.planner.is_unchanged(file, known):
            return FileOutcome(printable(file.path), "unchanged", video_id)
        self.arrived.append(file)
        return FileOutcome(printable(file.path), "queued", video_id)

    def add_jobs(self) -> None:
        """Notes the files that arrived in the catalog."""
        for first in range(0, len(self.arrived), FILES_PER_TRANSACTION):
            with self._catalog.begin() as session:
                for file in self.arrived[first : first + FILES_PER_TRANSACTION]:
                    self._add_job(session, file)

    def _add_job(self, session: Session, file: FoundFile) -> None:
        root, relative_path = self.planner.roots.split(file.path)
        details = {
            "root": root,
            "relative_path": relative_path,
            "fast": self._fast,
            "adaptive": self._adaptive,
            "events": self._events,
            "mtime_ns": file.mtime_ns,
        }
        name = f"{root}:{relative_path}"
        jobs.add_job(
            session, JobKind.PLAN, self._collection_id, name, details, size=file.size_bytes
        )
        if self._page_job_id is not None:
            page_job_files.add_file(
                session, self._page_job_id, sanitize_text(name), file.size_bytes
            )

    def delete_errors_of_deleted(self, paths: Sequence[str | os.PathLike[str]]) -> None:
        """Deletes the errors of files below the given paths that could not be planned and were
        deleted since: nobody could fix them.
        """
        folders = [absolute_path(path) for path in paths]
        with self._catalog.begin() as session:
            gone = [
                job_id
                for job_id, details in jobs.list_failed(session, JobKind.PLAN, self._collection_id)
                if self.planner.roots.find_vanished(
                    details["root"], details["relative_path"], folders
                )
            ]
            jobs.delete_failed(session, gone)


def request_artefacts(context: Context, video_ids: Sequence[int] | None) -> int:
    """Workers make the thumbnails and proxies that these videos (all, if None) lack; how many
    videos. Raises CatalogError for an unknown video, QueueError where workers cannot be notified.
    """
    with context.catalog.begin() as session:
        if video_ids is None:
            chosen = videos.list_videos(session)
        else:
            chosen = [videos.get_video(session, video_id) for video_id in video_ids]
        for video in chosen:
            add_artefact_job(session, video.id, video.collection_id, video.size_bytes)
    Notifier(context.settings).notify({JobKind.ARTEFACTS: len(chosen)})
    return len(chosen)


def add_artefact_job(session: Session, video_id: int, collection_id: int, size_bytes: int) -> None:
    """A worker makes the thumbnails and the proxy that the video lacks."""
    jobs.add_job(
        session,
        JobKind.ARTEFACTS,
        collection_id,
        str(video_id),
        {},
        size=size_bytes,
        video_id=video_id,
    )


def waiting_counts(context: Context) -> dict[str, int]:
    """Chunk tasks and jobs that wait, by kind."""
    with context.catalog.read() as session:
        counts = count_waiting(session)
        for kind, of_kind in jobs.count_jobs(session).items():
            if of_kind.pending:
                counts[kind] = of_kind.pending
        if page_jobs.is_waiting(session, [PageJobKind.PROXY]):
            counts["proxy"] = 1
    return counts
