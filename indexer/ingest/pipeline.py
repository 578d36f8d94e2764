"""The stages of chunks, one chunk after another: read, compute, commit. The media of the next chunk
is read while this one is computed.

Whoever runs it (an ingest, a worker) says which chunks: it hands in jobs of stages that it has
claimed, and gets an outcome for each stage.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Literal

from grounding.spans import Span
from indexer.artefacts import Artefacts
from indexer.catalog.database.session import Catalog
from indexer.catalog.finalize import Finalized, finalize_video
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_tasks import ClaimedTask
from indexer.errors import CatalogError, MediaError, MediaTimeout, SeekpointError, StorageError
from indexer.ingest.finalize import remove_artefacts
from indexer.logs import about
from indexer.media.files import MediaFiles
from indexer.messages import NOTHING, Message
from indexer.process.tracing import trace, trace_calls
from indexer.settings import Settings
from indexer.stages.base import Source, Stage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StageTask:
    """A claimed stage of a chunk, and what does it."""

    item: ClaimedTask
    stage: Stage


@dataclass(frozen=True, slots=True)
class Job:
    """A chunk of a file and the stages to do of it, at least one. The file is read once for all of
    them.
    """

    source: Source
    tasks: tuple[StageTask, ...]

    @property
    def span(self) -> Span:
        """Of the chunk."""
        return self.tasks[0].item.span


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one stage of a job. `lost`: it was somebody else's by the time it was done, or
    its video was removed; nothing was written.

    `seconds` were spent on it here. `damage`: what could not be read of a chunk that is done.
    """

    job: Job
    task: StageTask
    state: Literal["done", "failed", "lost", "released"]
    seconds: float = 0.0
    error: SeekpointError | None = None
    damage: Message = NOTHING


@dataclass(frozen=True, slots=True)
class _Read:
    """What a stage took from the file, or why that could not be read."""

    value: Any = None
    error: MediaError | None = None

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


class Pipeline:
    """For one `owner` of claims. `stopping` is asked between stages: once it says so, those that
    are not begun are released.
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
        """An outcome for each stage of each job; what else is among the steps is passed on in its
        place.
        """
        # The pool ends first: a read that is under way must not find its process closed.
        with MediaFiles(self.settings) as media, ThreadPoolExecutor(1, "read") as reading:
            ahead: deque[tuple[Job | Any, Future[list[_Read]] | None]] = deque()
            for step in steps:
                future = None
                if isinstance(step, Job):  # the context: of which span it is a part
                    future = reading.submit(copy_context().run, _read, media, step)
                ahead.append((step, future))
                while sum(future is not None for _, future in ahead) > 1:
                    yield from self._finish_first(ahead)
            while ahead:
                yield from self._finish_first(ahead)

    def _finish_first(
        self, ahead: deque[tuple[Job | Any, Future[list[_Read]] | None]]
    ) -> Iterator[Outcome | Any]:
        """The first step that waits, and what else stands right behind it."""
        step, future = ahead.popleft()
        if future is None:
            yield step
        else:
            yield from self._finish(step, future)
        while ahead and ahead[0][1] is None:
            yield ahead.popleft()[0]

    def _finish(self, job: Job, future: Future[list[_Read]]) -> Iterator[Outcome]:
        for number, task in enumerate(job.tasks):
            if self._stopping():
                future.cancel()
                yield self._release(job, task)
                continue
            started = time.monotonic()
            item = task.item
            ids = {"video": item.video_id, "chunk": item.chunk_id, "stage": item.stage}
            with about(**ids), trace("ingest.stage", **ids):
                read = future.result()[number]
                outcome = self._compute(job, task, read, started)
                _log(outcome)
            yield outcome

    def _release(self, job: Job, task: StageTask) -> Outcome:
        task_id = task.item.task_id
        self.catalog.write(
            lambda session: chunk_tasks.queue.release(session, [self.owner], task_id)
        )
        return Outcome(job, task, "released")

    def _compute(self, job: Job, task: StageTask, read: _Read, started: float) -> Outcome:
        try:
            result = task.stage.compute(task.item, read.result())
        except (StorageError, CatalogError):
            raise
        except SeekpointError as error:
            return self._fail(job, task, error, started)
        # One chunk must not stop the others: its error is kept with it and reported.
        except Exception as error:
            log.exception("the chunk failed")
            defect = SeekpointError(
                "{name}: {error}",
                "this is a defect in Seekpoint or a model: please report it",
                name=type(error).__name__,
                error=error,
            )
            return self._fail(job, task, defect, started)
        return self._commit(job, task, result, started)

    @trace_calls("ingest.commit")
    def _commit(self, job: Job, task: StageTask, result: Any, started: float) -> Outcome:
        """Rows, the state of the work and what follows for the video, in one transaction."""
        seconds = time.monotonic() - started
        video_id = task.item.video_id
        damage = task.stage.damage(result)

        def commit(session: Any) -> tuple[bool, Finalized]:
            taken = task.stage.commit(session, task.item, self.owner, result, seconds)
            if taken and damage:
                chunk_tasks.note_damage(session, task.item.task_id, damage)
            return taken, finalize_video(session, video_id)

        taken, finalized = self.catalog.write(commit)
        remove_artefacts(self.catalog, self._artefacts, finalized.removed_video_ids)
        if finalized.state is None:  # removed while this was computed: its thumbnails came after
            remove_artefacts(self.catalog, self._artefacts, [video_id])
        if not taken:
            return Outcome(job, task, "lost", seconds)
        return Outcome(job, task, "done", seconds, damage=damage)

    def _fail(self, job: Job, task: StageTask, error: SeekpointError, started: float) -> Outcome:
        def fail(session: Any) -> bool:
            state = chunk_tasks.queue.fail(
                session, task.item.task_id, self.owner, error.full_message, self._max_attempts
            )
            return state is not None

        noted = self.catalog.write(fail)
        seconds = time.monotonic() - started
        return Outcome(job, task, "failed" if noted else "lost", seconds, error)


@trace_calls("ingest.read")
def _read(media: MediaFiles, job: Job) -> list[_Read]:
    """What each stage of a job takes; an error is that of the stages that it concerns."""
    pictures = _read_pictures(media, job)
    return [_read_stage(media, job, task.stage, pictures) for task in job.tasks]


def _read_stage(media: MediaFiles, job: Job, stage: Stage, pictures: Mapping[str, _Read]) -> _Read:
    try:
        sampled = pictures[stage.name].result() if stage.name in pictures else None
        return _Read(stage.read(media, job.source, job.span, sampled))
    except MediaError as error:
        return _Read(error=error)


def _read_pictures(media: MediaFiles, job: Job) -> dict[str, _Read]:
    """The sampled pictures by the name of the stage, from one decoding."""
    if not job.source.has_pictures:
        return {}
    samplings = {
        task.stage.name: task.stage.sampling
        for task in job.tasks
        if task.stage.sampling is not None
    }
    wanted = list(samplings.values())
    try:
        reads = media.pictures(job.source.path, job.span, wanted) if wanted else []
        return {name: _Read(read) for name, read in zip(samplings, reads, strict=True)}
    except MediaTimeout as error:  # a file that hangs is not tried again for each stage
        return dict.fromkeys(samplings, _Read(error=error))
    except MediaError as error:
        if len(wanted) == 1:
            return dict.fromkeys(samplings, _Read(error=error))
    # It may be the error of one sampling alone, such as too many pictures.
    found = {}
    for name, sampling in samplings.items():
        try:
            found[name] = _Read(media.pictures(job.source.path, job.span, [sampling])[0])
        except MediaError as error:
            found[name] = _Read(error=error)
    return found


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
