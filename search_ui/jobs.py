"""Work that runs behind the page, one ingest at a time, with progress that any session can read."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from indexer.admin.demo import make_library
from indexer.catalog import watched_folders
from indexer.errors import SeekpointError
from indexer.ingest.run import FileOutcome, Observer
from indexer.messages import N_, Message, with_advice
from indexer.queue.publish_snapshots import publish_alone

if TYPE_CHECKING:
    from indexer.library import Library

log = logging.getLogger(__name__)

KEPT = 30
LOOK_EVERY_S = 5.0
PUBLISH_EVERY_S = 60.0
State = Literal["waiting", "running", "done", "failed"]
TITLES = {
    "ingest": N_("Reading {subject}"),
    "demo": N_("Making the demo library"),
    "retry": N_("Trying {subject} again"),
    "proxy": N_("Converting video {subject}"),
    "watch": N_("Looking into {subject}"),
}


@dataclass(frozen=True, slots=True)
class Job:
    """`kind`: ingest, demo, retry, proxy or watch; `subject`: what of. `fraction` in [0, 1].
    `problems`: what failed.
    """

    id: int
    kind: str
    subject: str
    collection: str
    state: State = "waiting"
    fraction: float = 0.0
    files: int = 0
    problems: tuple[Message, ...] = ()

    @property
    def title(self) -> Message:
        """What the job does, for people."""
        return Message(TITLES[self.kind], {"subject": self.subject})

    @property
    def is_open(self) -> bool:
        """Whether the job still waits or runs."""
        return self.state in ("waiting", "running")


Report = Callable[..., None]


class Jobs:
    """Threads start with the first job and end with the process."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._jobs: dict[int, Job] = {}
        self._last_id = 0
        self._ended = 0
        self._queues: dict[
            str, queue.SimpleQueue[tuple[int, Callable[[Report], Sequence[Message]]]]
        ] = {}

    def all(self) -> list[Job]:
        """Newest first."""
        with self._lock:
            return sorted(self._jobs.values(), key=lambda job: -job.id)

    def get(self, job_id: int) -> Job | None:
        """The job of this number, if it is known."""
        with self._lock:
            return self._jobs.get(job_id)

    @property
    def finished(self) -> int:
        """Grows whenever a job ends: a page that saw a smaller number is out of date."""
        with self._lock:
            return self._ended

    def forget(self, job_id: int) -> None:
        """Takes one that has ended off the list."""
        with self._lock:
            if job_id in self._jobs and not self._jobs[job_id].is_open:
                del self._jobs[job_id]

    # --- what can be asked for ---

    def ingest(self, paths: Sequence[Path], collection: str) -> Job:
        """Starts to make files and folders searchable."""
        return self._add(
            "ingest",
            ", ".join(path.name for path in paths),
            collection,
            lambda report: self._ingest(paths, collection, report),
        )

    def demo(self, collection: str) -> Job:
        """Starts to make the demonstration videos and to ingest them."""

        def work(report: Report) -> Sequence[Message]:
            paths = make_library(self._library.settings.home_path / "demo")
            return self._ingest([paths[0].parent], collection, report)

        return self._add("demo", "", collection, work)

    def retry(self, video_id: int, subject: str, collection: str) -> Job:
        """Starts to do the failed chunks of a video again."""

        def work(report: Report) -> Sequence[Message]:
            return self._library.retry([video_id], observer=_Progress(report)).errors

        return self._add("retry", subject, collection, work)

    def proxy(self, video_id: int, subject: str, collection: str) -> Job:
        """The proxy of a video; one that is being made already is that job."""
        with self._lock:
            for job in self._jobs.values():
                if job.kind == "proxy" and job.subject == f"{video_id} {subject}" and job.is_open:
                    return job

        def work(report: Report) -> Sequence[Message]:
            self._library.make_proxy(video_id, lambda fraction: report(fraction=fraction))
            return ()

        return self._add("proxy", f"{video_id} {subject}", collection, work)

    def watch(self, stop: threading.Event) -> None:
        """Ingests the watched folders when they are due, until told to stop. Runs in a thread of
        the server.

        Vector snapshots too: where workers on other machines do the work, nobody else writes those
        of this one.
        """
        publish_at = time.monotonic() + PUBLISH_EVERY_S
        while not stop.wait(LOOK_EVERY_S):
            if time.monotonic() >= publish_at:
                self._publish()
                publish_at = time.monotonic() + PUBLISH_EVERY_S
            with self._library.catalog.read() as session:
                folders = watched_folders.list_watched_folders(session)
            due_s = self._library.settings.ui_rescan_minutes * 60
            for folder in folders:
                age_s = (
                    float("inf")
                    if folder.scanned_at is None
                    else time.time() - folder.scanned_at.timestamp()
                )
                if age_s >= due_s and not self._is_scanning(folder):
                    self._scan(folder)

    def _publish(self) -> None:
        try:
            publish_alone(self._library.context)
        except SeekpointError as error:
            log.warning("no new vector snapshot: %s", error)

    def _is_scanning(self, folder: watched_folders.WatchedFolderRow) -> bool:
        return any(
            job.kind == "watch" and job.is_open and job.subject == folder.path for job in self.all()
        )

    def _scan(self, folder: watched_folders.WatchedFolderRow) -> None:
        def work(report: Report) -> Sequence[Message]:
            problems = self._ingest([Path(folder.path)], folder.collection, report)
            with self._library.catalog.begin() as session:
                error = problems[0] if problems else None
                watched_folders.note_scan(session, folder.id, error)
            return problems

        self._add("watch", folder.path, folder.collection, work)

    # --- doing it ---

    def _ingest(self, paths: Sequence[Path], collection: str, report: Report) -> Sequence[Message]:
        outcome = self._library.ingest(paths, collection, observer=_Progress(report))
        with contextlib.suppress(SeekpointError):  # the next search says so
            self._library.warm()
        return [with_advice(failure.error, failure.hint) for failure in outcome.failures]

    def _add(
        self, kind: str, subject: str, collection: str, work: Callable[[Report], Sequence[Message]]
    ) -> Job:
        with self._lock:
            self._last_id += 1
            job = Job(self._last_id, kind, subject, collection)
            self._jobs[job.id] = job
            old = [id for id, job in self._jobs.items() if not job.is_open][:-KEPT]
            for id in old:
                del self._jobs[id]
            # A proxy must not wait behind a long ingest: somebody wants to watch now.
            name = "proxy" if kind == "proxy" else "ingest"
            if name not in self._queues:
                self._queues[name] = queue.SimpleQueue()
                threading.Thread(
                    target=self._work, args=(self._queues[name],), name=f"jobs-{name}", daemon=True
                ).start()
            self._queues[name].put((job.id, work))
        return job

    def _work(self, jobs: queue.SimpleQueue) -> None:
        while True:
            job_id, work = jobs.get()

            def report(job_id: int = job_id, **changes) -> None:
                self._change(job_id, **changes)

            report(state="running")
            try:
                problems = tuple(work(report))
            except SeekpointError as error:
                problems = (error.full_message,)
            except Exception as error:
                log.exception("work behind the page failed")
                values = {"name": type(error).__name__, "error": error}
                problems = (Message("{name}: {error}", values),)
            self._change(
                job_id, state="failed" if problems else "done", fraction=1.0, problems=problems
            )

    def _change(self, job_id: int, **changes) -> None:
        with self._lock:
            changed = self._jobs[job_id] = replace(self._jobs[job_id], **changes)
            self._ended += not changed.is_open


class _Progress(Observer):
    def __init__(self, report: Report) -> None:
        self._report = report
        self._total = 0
        self._done = 0.0

    def started(self, files: int, size_bytes: int) -> None:
        self._total += size_bytes
        self._report(files=files)

    def advanced(self, size_bytes: float, video_s: float) -> None:
        self._done += size_bytes
        self._report(fraction=min(1.0, self._done / self._total) if self._total else 0.0)

    def finished(self, outcome: FileOutcome) -> None: ...
