"""Work that runs behind the page. What is asked for stands in SQL before it is acknowledged, so a
crash loses none, and every page process shows it; supervised threads do it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from indexer.admin.uploads import delete_old_parts
from indexer.catalog import audit, collections, videos, watched_folders
from indexer.catalog.audit import Actor
from indexer.catalog.leasing import page_job_files, page_jobs, processes
from indexer.catalog.leasing.owner import owner_name
from indexer.catalog.leasing.page_jobs import FileResult, PageJobRow, PageProgress
from indexer.catalog.people import alerts
from indexer.errors import SeekpointError
from indexer.messages import N_, Message
from indexer.paths import EVERYTHING, Reach
from indexer.queue.alerts import Alerts
from indexer.queue.page_jobs import PageJobs
from indexer.queue.publish_snapshots import publish_alone
from indexer.vocabulary import AuditAction, PageJobKind, TaskState, Wanted
from search_ui.supervisor import Supervisor

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from indexer.library import Library

LOCAL_ACTOR = Actor()
PRESENCE_EVERY_S = 30.0
DAY_S = 86_400.0
NAMED = 5  # files that the title of a job names
LOOK_EVERY_S = 2.0
WATCH_EVERY_S = 5.0
PUBLISH_EVERY_S = 60.0
ALERT_EVERY_S = 5.0
State = Literal["waiting", "running", "paused", "cancelled", "done", "failed"]
TITLES = {
    PageJobKind.INGEST: N_("Reading {subject}"),
    PageJobKind.DEMO: N_("Making the demo library"),
    PageJobKind.RETRY: N_("Trying {subject} again"),
    PageJobKind.PROXY: N_("Converting video {subject}"),
    PageJobKind.WATCH: N_("Looking into {subject}"),
}


@dataclass(frozen=True, slots=True)
class Job:
    """`subject`: what of. `account_id`: who asked for it. `progress`: how far it is. `problems`:
    what failed, file by file.
    """

    id: int
    kind: PageJobKind
    subject: str
    collection: str
    collection_id: int
    video_id: int | None
    account_id: int | None
    state: State
    progress: PageProgress
    problems: tuple[Message, ...]

    @property
    def title(self) -> Message:
        """What the job does, for people."""
        return Message(TITLES[self.kind], {"subject": self.subject})

    @property
    def is_open(self) -> bool:
        """Whether the job still waits or runs."""
        return self.state in ("waiting", "running", "paused")

    @property
    def fraction(self) -> float:
        """The share that is done, in [0, 1]."""
        if not self.is_open:
            return 1.0
        total = self.progress.size_bytes
        return min(1.0, self.progress.done_bytes / total) if total else 0.0

    @property
    def speed(self) -> float | None:
        """Seconds of video per second of work; None: nothing is done yet."""
        worked_s, video_s = self.progress.worked_s, self.progress.video_s
        return video_s / worked_s if worked_s > 0 and video_s > 0 else None

    @property
    def left_s(self) -> float | None:
        """About how long it still takes, as fast as it went so far; None: that cannot be said."""
        worked_s, share = self.progress.worked_s, self.fraction
        return worked_s * (1.0 - share) / share if worked_s > 0 and 0.02 < share < 1.0 else None


class Jobs:
    """Asks for jobs and shows them. `reach`: where files may lie that are added here.

    The threads that do them start with the first job, or with the server.
    """

    def __init__(self, library: Library, reach: Reach = EVERYTHING) -> None:
        self._library = library
        self._reach = reach
        self.supervisor = Supervisor()
        self._runner = PageJobs(library.context, self.supervisor.stopping.is_set)
        self._alerts = Alerts(library.context, lambda: library.searcher)

    # --- what there is ---

    def all(self) -> list[Job]:
        """Newest first."""
        with self._library.catalog.read() as session:
            return [_job(session, row) for row in page_jobs.list_page_jobs(session)]

    def get(self, job_id: int) -> Job | None:
        """The job of this number, if it is known."""
        with self._library.catalog.read() as session:
            row = page_jobs.get_page_job(session, job_id)
            return None if row is None else _job(session, row)

    def results(self, job_id: int) -> list[FileResult]:
        """What became of the files of a job that has ended."""
        with self._library.catalog.read() as session:
            row = page_jobs.get_page_job(session, job_id)
            if row is None or row.is_open:
                return []
            return page_job_files.settled_results(session, row)

    @property
    def finished(self) -> int:
        """Changes whenever a job ends: a page that saw another number is out of date."""
        with self._library.catalog.read() as session:
            ended_at = page_jobs.last_ended(session)
        return 0 if ended_at is None else int(ended_at.timestamp() * 1e6)

    # --- what people want of them ---

    def forget(self, job_id: int) -> None:
        """Takes one that has ended off the list."""
        with self._library.catalog.begin() as session:
            page_jobs.forget(session, job_id)

    def pause(self, job_id: int) -> None:
        """What is at hand is finished, and nothing more begun."""
        self._want(job_id, Wanted.PAUSE)

    def resume(self, job_id: int) -> None:
        """A paused job goes on."""
        self._want(job_id, Wanted.RUN)

    def cancel(self, job_id: int) -> None:
        """Drops what is not done; what is done stays searchable."""
        self._want(job_id, Wanted.CANCEL)

    def _want(self, job_id: int, wanted: Wanted) -> None:
        with self._library.catalog.begin() as session:
            page_jobs.want(session, job_id, wanted)
        self._wake()

    # --- what can be asked for ---

    def ingest(
        self,
        paths: Sequence[Path],
        collection: str,
        *,
        actor: Actor = LOCAL_ACTOR,
        reach: Reach | None = None,
    ) -> Job:
        """Files and folders are made searchable. When this returns, no crash loses them. `reach`:
        where they may lie, for whoever may add from less than this page can reach.
        """
        named = ", ".join(path.name or str(path) for path in paths[:NAMED])
        subject = f"{named}, …" if len(paths) > NAMED else named
        details = {
            "paths": [os.fspath(path) for path in paths],
            "reach": (reach or self._reach).to_json(),
        }
        return self._add(PageJobKind.INGEST, subject, collection, details, actor=actor)

    def demo(self, collection: str, *, actor: Actor = LOCAL_ACTOR) -> Job:
        """The demonstration videos are made and ingested."""
        folder = self._library.settings.home_path / "demo"
        folder.mkdir(parents=True, exist_ok=True)  # who sees it can make them for this page
        return self._add(PageJobKind.DEMO, "", collection, {"paths": [str(folder)]}, actor=actor)

    def retry(self, video_id: int, subject: str, collection: str) -> Job:
        """The failed chunks of a video are done again."""
        return self._add(PageJobKind.RETRY, subject, collection, {}, video_id=video_id)

    def again(self, job_id: int, *, actor: Actor = LOCAL_ACTOR, reach: Reach | None = None) -> None:
        """One that has ended is asked for once more, as it was; what succeeded is not done again.
        `reach`: where its files may lie now; None: where they might then.
        """
        with self._library.catalog.read() as session:
            row = page_jobs.get_page_job(session, job_id)
        if row is None or row.is_open:
            return
        details = dict(row.details)
        if reach is not None and "reach" in details:
            details["reach"] = reach.to_json()
        video_id = row.video_id
        self._add(row.kind, row.subject, row.collection, details, video_id=video_id, actor=actor)

    def proxy(self, video_id: int, subject: str, collection: str) -> Job:
        """The proxy of a video; one that is being made already is that job."""
        return self._add(
            PageJobKind.PROXY, f"{video_id} {subject}", collection, {}, video_id=video_id
        )

    def _add(
        self,
        kind: PageJobKind,
        subject: str,
        collection: str,
        details: Mapping[str, Any],
        *,
        video_id: int | None = None,
        actor: Actor = LOCAL_ACTOR,
    ) -> Job:
        with self._library.catalog.begin() as session:
            if video_id is not None:
                collection_id = videos.get_video(session, video_id).collection_id
            else:
                collection_id = collections.ensure_collection(session, collection)
            job_id = page_jobs.add_page_job(
                session,
                kind,
                collection_id,
                subject,
                details,
                video_id=video_id,
                account_id=actor.account_id,
            )
            if kind in (PageJobKind.INGEST, PageJobKind.DEMO):
                what = {"paths": details["paths"]}
                audit.record(session, AuditAction.ADDED, actor, collection, what)
            row = page_jobs.get_page_job(session, job_id)
            assert row is not None, "it was just added"
            job = _job(session, row)
        self.start()
        self._wake()
        return job

    # --- doing it ---

    def start(self) -> None:
        """Starts the threads that do the jobs; those that run already go on."""
        start = self.supervisor.start
        start("leases", self._look_after_leases, self._library.settings.lease_s / 3)
        start("jobs", self._run_adding, LOOK_EVERY_S)
        start("copies", self._runner.make_next_proxy, LOOK_EVERY_S)
        start("handed-over", self._runner.end_handed_over, LOOK_EVERY_S)

    def serve(self) -> None:
        """Starts the threads of a server: watched folders are looked into, and vector snapshots
        written. Where workers on other machines do the work, nobody else writes those of this one.
        """
        self.start()
        self.supervisor.start("folders", self._ask_for_due_folders, WATCH_EVERY_S)
        self.supervisor.start("snapshots", self._publish, PUBLISH_EVERY_S)
        self.supervisor.start("alerts", self._alerts.run_next, ALERT_EVERY_S)
        self.supervisor.start("presence", self._report, PRESENCE_EVERY_S)
        self.supervisor.start("audit", self._delete_old_entries, DAY_S)
        self.supervisor.start("uploads", self._delete_old_parts, DAY_S)

    def stop(self, timeout_s: float = 0.0) -> None:
        """Ends the threads; what they are at waits for another process, or for the next start."""
        self.supervisor.stop(timeout_s)
        with contextlib.suppress(SeekpointError):
            self._runner.release()
            with self._library.catalog.begin() as session:
                processes.end_process(session, owner_name())

    def _wake(self) -> None:
        for name in ("jobs", "copies", "handed-over"):
            self.supervisor.wake(name)

    def _look_after_leases(self) -> None:
        self._runner.renew()
        self._runner.requeue_lost()

    def _run_adding(self) -> bool:
        if not self._runner.run_next_adding():
            return False
        with contextlib.suppress(SeekpointError):  # the next search says so
            self._library.warm()
        return True

    def _publish(self) -> None:
        publish_alone(self._library.context)

    def _report(self) -> None:
        """With the models that this process would plan with."""
        stages = self._library.context.stages(events=False)
        models = {stage.name: stage.key for stage in stages}
        with self._library.catalog.begin() as session:
            processes.report_process(session, owner_name(), "page", [], models)

    def _delete_old_entries(self) -> None:
        days = self._library.settings.audit_days
        self._library.catalog.write(lambda s: audit.delete_old(s, days))
        self._library.catalog.write(alerts.delete_old)

    def _delete_old_parts(self) -> None:
        delete_old_parts(self._library.context, DAY_S)

    def _ask_for_due_folders(self) -> None:
        """One page process of many asks for a folder that is due."""
        age_s = self._library.settings.ui_rescan_minutes * 60
        with self._library.catalog.read() as session:
            folders = watched_folders.list_watched_folders(session)
        for folder in folders:
            with self._library.catalog.begin() as session:
                if not watched_folders.claim_scan(session, folder.id, age_s):
                    continue
                collection_id = collections.ensure_collection(session, folder.collection)
                details = {
                    "paths": [folder.path],
                    "folder_id": folder.id,
                    "reach": self._reach.to_json(),
                }
                page_jobs.add_page_job(
                    session, PageJobKind.WATCH, collection_id, folder.path, details
                )
            self._wake()


def _job(session: Session, row: PageJobRow) -> Job:
    progress = PageProgress(*(getattr(row, name) for name in PageProgress.__slots__))
    problems = row.problems
    if row.handed_over:
        progress, failed = page_job_files.measure(session, row)
        problems = (*problems, *failed)
    return Job(
        row.id,
        row.kind,
        row.subject,
        row.collection,
        row.collection_id,
        row.video_id,
        row.account_id,
        _state(row),
        progress,
        problems,
    )


def _state(row: PageJobRow) -> State:
    if row.state == TaskState.FAILED:
        return "failed"
    if row.state == TaskState.DONE:
        return "cancelled" if row.wanted == Wanted.CANCEL else "done"
    if row.wanted == Wanted.PAUSE:
        return "paused"
    return "running" if row.handed_over or row.state == TaskState.RUNNING else "waiting"
