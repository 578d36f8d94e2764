"""Page jobs are done: by this process, or handed over to workers where there is a broker.

A job is one row with a lease. Whoever does it may be killed at any moment: the row waits again, and
doing it again does only what is missing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from indexer.admin.demo import make_library
from indexer.admin.playback import make_proxy_of
from indexer.catalog import videos, watched_folders
from indexer.catalog.leasing import page_job_files, page_jobs, processes
from indexer.catalog.leasing.claim_gate import ClaimGate
from indexer.catalog.leasing.owner import dead_owners, owner_name
from indexer.catalog.leasing.page_jobs import FileResult, PageJobRow, PageProgress
from indexer.catalog.tables.base import utc_now
from indexer.catalog.videos import VideoRow
from indexer.context import Context
from indexer.errors import CatalogError, MediaError, SeekpointError
from indexer.ingest.run import FileOutcome, Ingest, IngestReport, Observer
from indexer.messages import Message, with_advice
from indexer.paths import EVERYTHING, Reach, Roots
from indexer.process.abandon import abandonable
from indexer.queue.notify import Notifier
from indexer.queue.publish_snapshots import publish
from indexer.queue.retry import retry
from indexer.queue.submit import note_files, waiting_counts
from indexer.vocabulary import JobKind, PageJobKind, Wanted

log = logging.getLogger(__name__)

ADDING = (PageJobKind.INGEST, PageJobKind.DEMO, PageJobKind.RETRY, PageJobKind.WATCH)
"""Kinds that are done one after another; copies for browsers do not wait behind them."""

LEFT_TO_WORKERS = ADDING
"""Kinds that a page hands over to workers, and that they begin by themselves where no page runs."""

WORKERS_BEGIN_WITHIN_S = 10.0
"""A proxy, or the demo, that no worker has begun by then is made by the page: somebody waits."""

NOTED_EVERY_S = 0.5
HAND_OVER_LEASE_S = 600.0
"""Looking through the largest folders; nobody renews while a worker hands a job over."""


class JobStopped(Exception):
    """The job ends before it is done: people want it so, the process ends, or it was lost."""


class PageJobs:
    """The jobs of the search page that one process does. `stopping`: whether it was told to end;
    `gate`: that of the process, where it claims other work too.
    """

    def __init__(
        self,
        context: Context,
        stopping: Callable[[], bool] = lambda: False,
        gate: ClaimGate | None = None,
    ) -> None:
        self.context = context
        self._gate = gate or ClaimGate(context.catalog)
        self.owner = owner_name()
        self._stopping = stopping

    # --- holding on to jobs ---

    def renew(self) -> None:
        """Keeps what this process is at; to be called a few times within a lease."""
        lease_s = self.context.settings.lease_s
        with self.context.catalog.begin() as session:
            page_jobs.queue.renew(session, self.owner, lease_s)

    def release(self) -> None:
        """What this process is at waits for others; its attempts do not count."""
        with self.context.catalog.begin() as session:
            page_jobs.queue.release(session, [self.owner])

    def requeue_lost(self) -> None:
        """What processes were at that died on this machine, or did not renew, waits again; what was
        tried too often has failed.
        """
        with self.context.catalog.read() as session:
            held = page_jobs.queue.owners(session)
        if not held:
            return
        dead = dead_owners(held)
        max_attempts = self.context.settings.max_attempts
        with self.context.catalog.begin() as session:
            page_jobs.queue.expire(session, max_attempts, dead)

    # --- doing them ---

    def run_next(self, kinds: Sequence[PageJobKind]) -> PageJobRow | None:
        """Does the next job of these kinds; None: nothing waits, or another process is at it.

        Raises CatalogError where the database is away: the job is kept then.
        """
        job = self._claim(kinds)
        return None if job is None else self._run(job)

    def _run(self, job: PageJobRow) -> PageJobRow:
        try:
            problems = self._do(job) if job.wanted == Wanted.RUN else ()
        except JobStopped:
            self._stop(job)
            return job
        except CatalogError as error:
            # The database may be there again already: then it counts as one attempt of several.
            self._fail(job, error.full_message, self.context.settings.max_attempts)
            return job
        except SeekpointError as error:
            problems = (error.full_message,)
        except Exception as error:
            log.exception("work behind the page failed")
            values = {"name": type(error).__name__, "error": error}
            problems = (Message("{name}: {error}", values),)
        self.context.catalog.write(
            lambda s: page_jobs.finish_page_job(s, job.id, self.owner, problems)
        )
        return job

    def run_next_adding(self) -> bool:
        """Does the next job that adds, as a page: the files of the demo, which take seconds of
        computing, are left to workers for a while. False: nothing was done.
        """
        left = self._is_left_to_workers(PageJobKind.DEMO, "reap")
        kinds = [kind for kind in ADDING if not (left and kind == PageJobKind.DEMO)]
        return self.run_next(kinds) is not None

    def _is_left_to_workers(self, kind: PageJobKind, task: str) -> bool:
        """Whether a job of this kind waits that workers may still begin; they are notified."""
        if not self.context.settings.broker_url:
            return False
        with self.context.catalog.read() as session:
            asked_at = page_jobs.oldest_waiting(session, kind)
            workers = processes.list_live(session, "worker") if asked_at is not None else []
        if asked_at is None or not any(task in worker.kinds for worker in workers):
            return False
        if (utc_now() - asked_at).total_seconds() >= WORKERS_BEGIN_WITHIN_S:
            return False
        _notify(self.context, {task: 1})
        return True

    def _claim(self, kinds: Sequence[PageJobKind]) -> PageJobRow | None:
        catalog, lease_s = self.context.catalog, self.context.settings.lease_s
        with catalog.read() as session:
            # One thread does these kinds: what it holds now, it could not let go in an outage.
            left = page_jobs.list_held(session, self.owner, kinds)
            if not left and not page_jobs.is_waiting(session, kinds):
                return None

        def claim(session: Session) -> PageJobRow | None:
            for job_id in left:
                page_jobs.queue.release(session, [self.owner], job_id)
            return self._take(session, lease_s, kinds)

        return self._gate.claim(claim)

    def _take(
        self,
        session: Session,
        lease_s: float,
        kinds: Sequence[PageJobKind],
        among: Sequence[int] | None = None,
    ) -> PageJobRow | None:
        job_id = page_jobs.claim_page_job(session, self.owner, lease_s, kinds, among)
        return None if job_id is None else page_jobs.get_page_job(session, job_id)

    def _stop(self, job: PageJobRow) -> None:
        with self.context.catalog.begin() as session:
            now = page_jobs.get_page_job(session, job.id)
            if now is not None and now.wanted == Wanted.CANCEL:
                page_jobs.finish_page_job(session, job.id, self.owner, now.problems)
            else:
                page_jobs.queue.release(session, [self.owner], job.id)

    def _fail(self, job: PageJobRow, error: Message, max_attempts: int) -> None:
        with self.context.catalog.begin() as session:
            page_jobs.queue.fail(session, job.id, self.owner, error, max_attempts)

    def _do(self, job: PageJobRow) -> Sequence[Message]:
        if job.kind == PageJobKind.PROXY:
            return self._make_proxy(job)
        if job.kind == PageJobKind.RETRY:
            assert job.video_id is not None, "a job that tries again names its video"
            with self._progress(job) as progress:
                return retry(self.context, [job.video_id], progress).errors
        if job.kind == PageJobKind.DEMO:
            (folder,) = job.details.get("paths") or [self.context.settings.home_path / "demo"]
            return self._add(job, [make_library(Path(folder))[0].parent])
        return self._add(job, [Path(path) for path in job.details["paths"]])

    def _make_proxy(self, job: PageJobRow) -> Sequence[Message]:
        progress = self._progress(job)
        assert job.video_id is not None, "a job that converts names its video"
        progress.on_start(1, 1)
        with abandonable() as work:

            def note(share: float) -> None:  # from a thread beside ffmpeg
                try:
                    progress.at(share)
                except JobStopped:
                    work.abandon()
                except CatalogError as error:
                    log.warning("%s; the conversion goes on", error)

            try:
                make_proxy_of(self.context, job.video_id, note)
            except MediaError:
                if work.abandoned:
                    raise JobStopped from None
                raise
        return ()

    def _add(self, job: PageJobRow, paths: Sequence[Path]) -> Sequence[Message]:
        if self.context.settings.broker_url:
            problems = hand_over(self.context, job, self.owner, paths)
        else:
            report = self._ingest(job, paths)
            problems, results = _problems(report), _results(report)
            self.context.catalog.write(lambda s: page_jobs.note_results(s, job.id, results))
        if job.kind == PageJobKind.WATCH:
            folder_id, error = int(job.details["folder_id"]), next(iter(problems), None)
            self.context.catalog.write(lambda s: watched_folders.note_scan(s, folder_id, error))
        return problems

    def _ingest(self, job: PageJobRow, paths: Sequence[Path]) -> IngestReport:
        context = self.context
        with self._progress(job) as progress:
            ingest = Ingest(context.catalog, context.settings, context.stages(), progress)
            report = ingest.run(paths, job.collection, _reach(job))
        publish(context)
        return report

    def _progress(self, job: PageJobRow) -> _Progress:
        return _Progress(self.context, job.id, self.owner, self._stopping)

    # --- proxies, which people wait for ---

    def make_next_proxy(self) -> bool:
        """Makes the next proxy, as a page: one that workers may begin is left to them for a while.
        False: none was made.
        """
        if self._is_left_to_workers(PageJobKind.PROXY, "proxy"):
            return False
        return self.run_next([PageJobKind.PROXY]) is not None

    def make_next_proxy_here(self) -> bool:
        """Makes the next proxy of a file that this machine has, as a worker. False: none was
        made.
        """
        with self.context.catalog.read() as session:
            waiting = [
                (job.id, videos.get_video(session, job.video_id))
                for job in page_jobs.list_page_jobs(session, only_open=True)
                if job.kind == PageJobKind.PROXY and job.video_id is not None
            ]
        ids = [job_id for job_id, video in waiting if self._has_file(video)]
        if not ids:
            return False
        lease_s = self.context.settings.lease_s
        job = self._gate.claim(lambda s: self._take(s, lease_s, [PageJobKind.PROXY], ids))
        if job is None:
            return False
        self._run(job)
        return True

    def _has_file(self, video: VideoRow) -> bool:
        try:
            return self.context.path_of(video).exists()
        except (SeekpointError, OSError):
            return False

    # --- what workers are at ---

    def begin_as_worker(self) -> int:
        """Where no page runs, what people asked for there is handed over to workers, if this
        machine has the files; how many jobs. Where one runs, only the demo is made for it.
        """
        count = 0
        while not self._stopping() and (job := self._claim_as_worker()) is not None:
            self._run(job)
            count += 1
        return count

    def _claim_as_worker(self) -> PageJobRow | None:
        catalog = self.context.catalog
        with catalog.read() as session:
            waiting = page_jobs.list_page_jobs(session, only_open=True)
            pages = [page.owner for page in processes.list_live(session, "page")]
        # One that was killed on this machine has not reported its end.
        has_page = bool(set(pages) - set(dead_owners(pages)))
        kinds = (PageJobKind.DEMO,) if has_page else LEFT_TO_WORKERS
        ids = [
            job.id
            for job in waiting
            if not job.handed_over
            and job.kind in kinds
            and all(Path(path).exists() for path in job.details.get("paths", ()))
        ]
        if not ids:
            return None
        return self._gate.claim(lambda s: self._take(s, HAND_OVER_LEASE_S, kinds, ids))

    def end_handed_over(self) -> None:
        """Notes which jobs workers are through with, and drops what was cancelled."""
        with self.context.catalog.read() as session:
            jobs = page_jobs.list_page_jobs(session, only_open=True)
        for job in jobs:
            if job.handed_over:
                end_if_done(self.context, job)


def _reach(job: PageJobRow) -> Reach:
    stored = job.details.get("reach")
    return EVERYTHING if stored is None else Reach.from_json(stored)


def hand_over(
    context: Context, job: PageJobRow, owner: str, paths: Sequence[Path]
) -> Sequence[Message]:
    """The files of a job wait for workers from now on; what could not even be noted."""
    report = note_files(context, paths, job.collection, page_job_id=job.id, reach=_reach(job))
    problems = _problems(report)
    queued = sum(file.state == "queued" for file in report.files)
    progress = PageProgress(files=len(report.files), size_bytes=_size_bytes(context, job))
    results = _results(report, context.roots)
    context.catalog.write(lambda s: page_jobs.note_results(s, job.id, results))
    if queued:
        context.catalog.write(lambda s: page_jobs.hand_over(s, job.id, owner, progress, problems))
        _notify(context, {JobKind.PLAN: waiting_counts(context).get("plan", 0)})
    return problems


def _size_bytes(context: Context, job: PageJobRow) -> int:
    with context.catalog.read() as session:
        return page_job_files.sum_bytes(session, job.id)


def _notify(context: Context, counts: Mapping[str, int]) -> None:
    """Without a broker in reach they find the work when it is back: the reaper tells of it."""
    try:
        Notifier(context.settings).notify(counts)
    except SeekpointError as error:
        log.warning("workers could not be notified: %s", error)


def end_if_done(context: Context, job: PageJobRow) -> bool:
    """Ends a job whose files workers are through with, or that people cancelled."""
    with context.catalog.begin() as session:
        if job.wanted == Wanted.CANCEL:
            page_job_files.cancel_files(session, job)
        elif not page_job_files.is_done(session, job):
            return False
        progress, problems = page_job_files.measure(session, job)
        if job.wanted == Wanted.CANCEL:
            problems = ()
        return page_jobs.end_handed_over(session, job.id, progress, [*job.problems, *problems])


def _problems(report: IngestReport) -> tuple[Message, ...]:
    return tuple(with_advice(failure.error, failure.hint) for failure in report.failures)


def _results(report: IngestReport, roots: Roots | None = None) -> list[FileResult]:
    """`roots`: where the files lie that are left to workers."""
    return [
        FileResult(
            file.path,
            file.state,
            file.video_id,
            file.error,
            file.hint,
            ":".join(roots.split(Path(file.path))) if roots and file.state == "queued" else "",
        )
        for file in report.files
    ]


class _Progress(Observer):
    """Notes in the job's row how far it is, now and then; JobStopped where it must end."""

    def __init__(
        self, context: Context, job_id: int, owner: str, stopping: Callable[[], bool]
    ) -> None:
        self._catalog = context.catalog
        self._job_id = job_id
        self._owner = owner
        self._stopping = stopping
        self._began = time.monotonic()
        self._noted = 0.0
        self._files = self._files_done = self._size_bytes = 0
        self._done_bytes = self._video_s = 0.0

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:  # what came since it was noted last would be missing for ever
            self._write()

    def on_start(self, files: int, size_bytes: int) -> None:
        self._files += files
        self._size_bytes += size_bytes
        self._note()

    def on_advance(self, size_bytes: float, video_s: float) -> None:
        self._done_bytes += size_bytes
        self._video_s += video_s
        self._note_now_and_then()

    def on_finish(self, outcome: FileOutcome) -> None:
        self._files_done += 1
        self._note_now_and_then()

    def at(self, share: float) -> None:
        """`share`: of the whole, in [0, 1]."""
        self._done_bytes = share * self._size_bytes
        self._note_now_and_then()

    def _note_now_and_then(self) -> None:
        if self._stopping():
            raise JobStopped
        if time.monotonic() - self._noted >= NOTED_EVERY_S:
            self._note()

    def _note(self) -> None:
        if self._write() != Wanted.RUN:
            raise JobStopped

    def _write(self) -> Wanted | None:
        self._noted = time.monotonic()
        progress = PageProgress(
            self._files,
            self._files_done,
            self._size_bytes,
            self._done_bytes,
            self._video_s,
            self._noted - self._began,
        )
        with self._catalog.begin() as session:
            return page_jobs.note_progress(session, self._job_id, self._owner, progress)
