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

from indexer.catalog import watched_folders
from indexer.errors import SeekpointError
from indexer.ingest.run import FileOutcome, Observer
from indexer.messages import Message

if TYPE_CHECKING:
    from indexer.library import Library

log = logging.getLogger(__name__)

KEPT = 30
LOOK_EVERY_S = 5.0
PUBLISH_EVERY_S = 60.0
State = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Job:
    """`what`: ingest, demo, retry or proxy. `fraction` in [0, 1]. `problems`: what failed, for
    people.
    """

    id: int
    what: str
    subject: str
    collection: str
    state: State = "waiting"
    fraction: float = 0.0
    files: int = 0
    problems: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
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
        self._lines: dict[
            str, queue.SimpleQueue[tuple[int, Callable[[Report], Sequence[str]]]]
        ] = {}

    def all(self) -> list[Job]:
        """Newest first."""
        with self._lock:
            return sorted(self._jobs.values(), key=lambda job: -job.id)

    def get(self, job_id: int) -> Job | None:
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
        return self._add(
            "ingest",
            ", ".join(path.name for path in paths),
            collection,
            lambda report: self._ingest(paths, collection, report),
        )

    def demo(self, collection: str) -> Job:
        def work(report: Report) -> Sequence[str]:
            from indexer.admin.demo import make_library

            paths = make_library(self._library.settings.home_path / "demo")
            return self._ingest([paths[0].parent], collection, report)

        return self._add("demo", "", collection, work)

    def retry(self, video_id: int, subject: str, collection: str) -> Job:
        def work(report: Report) -> Sequence[str]:
            return self._library.retry([video_id], observer=_Progress(report)).errors

        return self._add("retry", subject, collection, work)

    def proxy(self, video_id: int, subject: str, collection: str) -> Job:
        """The proxy of a video; one that is being made already is that job."""
        with self._lock:
            for job in self._jobs.values():
                if job.what == "proxy" and job.subject == f"{video_id} {subject}" and job.is_open:
                    return job

        def work(report: Report) -> Sequence[str]:
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
        from indexer.queue.publish import publish_alone

        try:
            publish_alone(self._library.context)
        except SeekpointError as error:
            log.warning("no new vector snapshot: %s", error)

    def _is_scanning(self, folder: watched_folders.WatchedFolderRow) -> bool:
        return any(
            job.what == "watch" and job.is_open and job.subject == folder.path for job in self.all()
        )

    def _scan(self, folder: watched_folders.WatchedFolderRow) -> None:
        def work(report: Report) -> Sequence[str]:
            problems = self._ingest([Path(folder.path)], folder.collection, report)
            with self._library.catalog.begin() as session:
                error = Message(problems[0]) if problems else None
                watched_folders.note_scan(session, folder.id, error)
            return problems

        self._add("watch", folder.path, folder.collection, work)

    # --- doing it ---

    def _ingest(self, paths: Sequence[Path], collection: str, report: Report) -> Sequence[str]:
        outcome = self._library.ingest(paths, collection, observer=_Progress(report))
        with contextlib.suppress(SeekpointError):  # whoever asks will be told
            self._library.warm()
        return [f"{failure.error}. {failure.hint}" for failure in outcome.failures]

    def _add(
        self, what: str, subject: str, collection: str, work: Callable[[Report], Sequence[str]]
    ) -> Job:
        with self._lock:
            self._last_id += 1
            job = Job(self._last_id, what, subject, collection)
            self._jobs[job.id] = job
            old = [id for id, it in self._jobs.items() if not it.is_open][:-KEPT]
            for id in old:
                del self._jobs[id]
            # A proxy must not wait behind a long ingest: somebody wants to watch now.
            line = "proxy" if what == "proxy" else "ingest"
            if line not in self._lines:
                self._lines[line] = queue.SimpleQueue()
                threading.Thread(
                    target=self._work, args=(self._lines[line],), name=f"jobs-{line}", daemon=True
                ).start()
            self._lines[line].put((job.id, work))
        return job

    def _work(self, line: queue.SimpleQueue) -> None:
        while True:
            job_id, work = line.get()

            def report(job_id: int = job_id, **changes) -> None:
                self._change(job_id, **changes)

            report(state="running")
            try:
                problems = tuple(work(report))
            except SeekpointError as error:
                problems = (str(error),)
            except Exception as error:
                log.exception("work behind the page failed")
                problems = (f"{type(error).__name__}: {error}",)
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
