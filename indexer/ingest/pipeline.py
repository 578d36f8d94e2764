"""The stages of chunks, one after another: read, compute, commit. The media of the next chunk is
read while this one is computed.

Whoever runs it (an ingest, a worker) says which chunks: it hands in jobs that it has claimed, and
is told what became of each.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from indexer.artefacts import Artefacts
from indexer.catalog.database.session import Catalog
from indexer.catalog.finalize import Finalized, finalize_video
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_tasks import ClaimedTask
from indexer.errors import CatalogError, SeekpointError, StorageError
from indexer.logs import about
from indexer.media.decode.frames import Sampling
from indexer.media.files import MediaFiles
from indexer.settings import Settings
from indexer.stages.base import Source, Stage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed stage of a chunk, and the file to read it from.

    `others`: what the jobs that follow want of the same pictures, which are decoded once for all.
    `follows`: this is one of those.
    """

    item: ClaimedTask
    stage: Stage
    source: Source
    others: tuple[Sampling, ...] = ()
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """`lost`: the work was somebody else's by the time it was done, or its video was removed;
    nothing was written.

    `seconds` were spent on it here. `damage`: what could not be read of a chunk that is done.
    """

    job: Job
    state: Literal["done", "failed", "lost", "handed back"]
    seconds: float = 0.0
    error: SeekpointError | None = None
    damage: str = ""


class Pipeline:
    """For one `owner` of claims. `stopping` is asked between chunks: once it says so, jobs that are
    not begun are handed back.
    """

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        owner: str,
        *,
        max_attempts: int = 1,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.catalog = catalog
        self.settings = settings
        self.owner = owner
        self._artefacts = Artefacts(settings.artefacts)
        self._max_attempts = max_attempts
        self._stopping = stopping

    def run(self, steps: Iterator[Job | Any]) -> Generator[Outcome | Any, None, None]:
        """An outcome for each job; what else is among the steps is passed on in its place."""
        # The pool ends first: a read that is under way must not find its process closed.
        with MediaFiles(self.settings) as media, ThreadPoolExecutor(1, "read") as reading:
            ahead: deque[tuple[Job | Any, Future[Any] | None]] = deque()
            for step in steps:
                ahead.append(
                    (
                        step,
                        reading.submit(self._read, media, step) if isinstance(step, Job) else None,
                    )
                )
                while _chunks_ahead(ahead) > 1:
                    yield from self._finish_first(ahead)
            while ahead:
                yield from self._finish_first(ahead)

    def finalize(self, video_id: int) -> None:
        """What follows from the work that is done: keys are served, the video is ready, what it
        supersedes goes.
        """

        def finalize(session: Any) -> tuple[int, ...]:
            return finalize_video(session, video_id).removed_video_ids

        for removed in self.catalog.write(finalize):
            self._artefacts.remove_video(removed)

    @staticmethod
    def _read(media: MediaFiles, job: Job) -> Any:
        media.expect(job.source.path, job.item.span, job.others)
        return job.stage.read(media, job.source, job.item.span)

    def _finish_first(
        self, ahead: deque[tuple[Job | Any, Future[Any] | None]]
    ) -> Iterator[Outcome | Any]:
        """The first job that waits, and what else stands right behind it."""
        step, future = ahead.popleft()
        yield step if not isinstance(step, Job) or future is None else self._finish(step, future)
        while ahead and ahead[0][1] is None:
            yield ahead.popleft()[0]

    def _finish(self, job: Job, read: Future[Any]) -> Outcome:
        if self._stopping():
            read.cancel()
            self.catalog.write(
                lambda session: chunk_tasks.queue.release(session, [self.owner], job.item.task_id)
            )
            return Outcome(job, "handed back")
        started = time.monotonic()
        with about(video=job.item.video_id, chunk=job.item.chunk_id, stage=job.item.stage):
            outcome = self._compute(job, read, started)
            _log(outcome)
            return outcome

    def _compute(self, job: Job, read: Future[Any], started: float) -> Outcome:
        try:
            result = job.stage.compute(job.item, read.result())
        except (StorageError, CatalogError):
            raise
        except SeekpointError as error:
            return self._fail(job, error, started)
        except (
            Exception
        ) as error:  # one chunk must not stop the others: its error is kept with it and reported
            log.exception("the chunk failed")
            hint = "this is a defect in Seekpoint or a model: please report it"
            return self._fail(
                job,
                SeekpointError("{name}: {error}", hint, name=type(error).__name__, error=error),
                started,
            )
        return self._commit(job, result, started)

    def _commit(self, job: Job, result: Any, started: float) -> Outcome:
        """Rows, the state of the work and what follows for the video, in one transaction."""
        seconds = time.monotonic() - started

        def commit(session: Any) -> tuple[bool, Finalized]:
            taken = job.stage.commit(session, job.item, self.owner, result, seconds)
            return taken, finalize_video(session, job.item.video_id)

        taken, finalized = self.catalog.write(commit)
        for removed in finalized.removed_video_ids:
            self._artefacts.remove_video(removed)
        if finalized.state is None:  # removed while this was computed: its thumbnails came after
            self._artefacts.remove_video(job.item.video_id)
        if not taken:
            return Outcome(job, "lost", seconds)
        return Outcome(job, "done", seconds, damage=job.stage.damage(result))

    def _fail(self, job: Job, error: SeekpointError, started: float) -> Outcome:
        def fail(session: Any) -> bool:
            message = error.full_message
            state = chunk_tasks.queue.fail(
                session, job.item.task_id, self.owner, message, self._max_attempts
            )
            return state is not None

        noted = self.catalog.write(fail)
        return Outcome(job, "failed" if noted else "lost", time.monotonic() - started, error)


def _chunks_ahead(ahead: Sequence[tuple[Job | Any, Future[Any] | None]]) -> int:
    """How many reads of media are held; jobs that follow another share its read, also when that one
    is done.
    """
    jobs = [step for step, future in ahead if future is not None]
    return sum(not job.follows for job in jobs[1:]) + bool(jobs)


def _log(outcome: Outcome) -> None:
    level = logging.WARNING if outcome.state == "failed" else logging.INFO
    fields = {"state": outcome.state, "seconds": round(outcome.seconds, 3)}
    log.log(
        level,
        "chunk %s%s",
        outcome.state,
        f": {outcome.error}" if outcome.error else "",
        extra={"fields": fields},
    )
