"""Work slices: a worker takes what comes next of one kind of work, one after another, until nothing
waits or its time is over.

What a slice does is decided here and in SQL alone; `workers` runs one when a notification arrives.
A notification too many finds nothing to do.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from sqlalchemy.orm import Session

from indexer.catalog.leasing import jobs, page_job_files, processes
from indexer.catalog.leasing.claim_gate import ClaimGate
from indexer.catalog.leasing.heartbeat import QUEUES, Leases, release_all
from indexer.catalog.leasing.jobs import ClaimedJob
from indexer.catalog.leasing.owner import owner_name
from indexer.catalog.leasing.page_jobs import queue as page_job_queue
from indexer.catalog.leasing.progress import count_waiting
from indexer.context import Context
from indexer.errors import CatalogError, MediaError, ModelError, SeekpointError, StorageError
from indexer.ingest.pipeline import Pipeline
from indexer.ingest.served_models import require_served_embedder
from indexer.messages import Message
from indexer.passages.screen.ocr import require_text_model
from indexer.passages.speech.recognition import require_speech_model
from indexer.queue.artefacts import make_artefacts
from indexer.queue.chunk_claims import ChunkClaims
from indexer.queue.page_jobs import PageJobs
from indexer.queue.plan_file import plan_file
from indexer.queue.publish_snapshots import publish_alone
from indexer.queue.reachable import RootUnavailable
from indexer.queue.reaper import reap, requeue_local_orphans
from indexer.queue.work_slice import SliceEnd, WorkSlice
from indexer.search.second_opinion.verify_by_workers import answer_job
from indexer.stages.base import Stage
from indexer.stages.configured import stages_named
from indexer.vocabulary import JobKind, StageName

log = logging.getLogger(__name__)

PLANNED_AHEAD_CHUNKS = 500
"""Chunks (about half a day of video) whose pictures wait before planning pauses: planning all of an
archive first would read all of it.
"""

Notify = Callable[[Mapping[str, int]], None]
"""Passes on how much work of each kind there is."""


class Runner:
    """The work slices of one process. `stopping`: whether the process was told to end; `notify`
    passes on what work came of work. `reported_as`: the owner as which this process, or its parent,
    reports that it lives.
    """

    def __init__(
        self,
        context: Context,
        stopping: Callable[[], bool] = lambda: False,
        notify: Notify = lambda _: None,
        reported_as: str | None = None,
    ) -> None:
        self.context = context
        self.catalog = context.catalog
        self.settings = context.settings
        self.owner = owner_name()
        self._gate = ClaimGate(self.catalog)
        self.notify = notify
        self._stopping = stopping
        self._reported_as = reported_as
        self._noted_models: Mapping[str, str] = {}

    # --- chunk tasks ---

    def run_stage(self, name: str) -> WorkSlice:
        """Does chunks of a stage, under the keys that this process has models for."""
        stages = self._stages(name)
        if not stages:
            return WorkSlice(name)
        shares_grounder = name in (StageName.PICTURE, StageName.EVENTS)
        questions_first = shares_grounder and bool(self.settings.grounder_kind)
        is_over = SliceEnd(self.context, self._stopping, questions_first=questions_first)
        companions = self._companions(name)
        claims = ChunkClaims(
            self.context, self.owner, name, stages, is_over, self._gate, companions
        )
        pipeline = Pipeline(
            self.catalog,
            self.settings,
            self.owner,
            max_attempts=self.settings.max_attempts,
            stopping=self._stopping,
        )
        counts: Counter[str] = Counter()
        video_s = 0.0
        with self._leases(), closing(pipeline.run(iter(claims))) as outcomes:
            for outcome in outcomes:
                counts[outcome.state] += 1
                is_own = outcome.task.stage.name == name
                video_s += (
                    outcome.task.item.span.length_s if outcome.state == "done" and is_own else 0.0
                )
        return WorkSlice(
            name,
            counts["done"],
            counts["failed"],
            counts["lost"],
            video_s,
            more=not claims.exhausted,
        )

    def _stages(self, name: str) -> dict[str, Stage]:
        """By key; nothing where this machine has no model for the stage."""
        found = stages_named(name, self.settings, lambda: self.context.embedder)
        return {stage.key: stage for stage in found}

    def _companions(self, name: str) -> dict[str, Stage]:
        """Stages to do from the same decoding of a chunk: screen text with pictures, where both are
        work of the CPU; speech and sounds with each other.
        """
        try:
            if name == StageName.PICTURE and self.settings.torch_device == "cpu":
                require_text_model()
                return self._stages(StageName.SCREEN)
            if name == StageName.SPEECH:
                return self._stages(StageName.SOUND)
            if name == StageName.SOUND and self.settings.speech:
                require_speech_model(self.settings)
                return self._stages(StageName.SPEECH)
        except ModelError:  # other workers have it
            return {}
        return {}

    def _leases(self) -> Leases:
        return Leases(self.catalog, self.owner, self.settings.lease_s)

    # --- jobs ---

    def plan(self) -> WorkSlice:
        """Recognises and probes files that arrived, and plans their chunks."""
        # A model that this machine lacks is no fault of the files: raised before any is taken.
        stages = self.context.stages(events=False)
        self._note_models({stage.name: stage.key for stage in stages})
        if not self.settings.change_model:
            require_served_embedder(self.catalog, stages)
        return self._run_jobs(JobKind.PLAN, self._plan, self._is_enough_planned)

    def _note_models(self, models: Mapping[str, str]) -> None:
        owner = self._reported_as
        if owner is not None and models != self._noted_models:
            self.catalog.write(lambda s: processes.note_models(s, owner, models))
            self._noted_models = models

    def ground(self) -> WorkSlice:
        """Lets the grounder answer questions about moments, where this machine has one."""
        if not self.settings.grounder_kind:
            return WorkSlice(JobKind.GROUND)
        return self._run_jobs(JobKind.GROUND, lambda job: answer_job(self.context, job))

    def make_artefacts(self) -> WorkSlice:
        """Makes the thumbnails that a video lacks, and the copy that browsers play."""
        return self._run_jobs(
            JobKind.ARTEFACTS, lambda job: make_artefacts(self.context, int(job.video_id or 0))
        )

    def make_proxies(self) -> WorkSlice:
        """Makes the proxies that were asked for on the page, where their files are here."""
        page_jobs = PageJobs(self.context, self._stopping, self._gate)
        count = 0
        with Leases(self.catalog, self.owner, self.settings.lease_s, [page_job_queue]):
            while not self._stopping() and page_jobs.make_next_proxy_here():
                count += 1
        return WorkSlice("proxy", done=count)

    def _run_jobs(
        self,
        kind: JobKind,
        do: Callable[[ClaimedJob], Mapping[str, Any] | None],
        is_enough: Callable[[], bool] = lambda: False,
    ) -> WorkSlice:
        is_over = SliceEnd(self.context, self._stopping)
        counts: Counter[str] = Counter()
        unreachable: list[int] = []
        has_more = True
        with self._leases():
            while not is_over() and not is_enough():
                job = self._claim(kind, unreachable)
                if job is None:
                    has_more = False
                    break
                outcome = self._run_job(job, do)
                counts[outcome] += 1
                if outcome == "unreachable":
                    unreachable.append(job.id)
        more = has_more and not is_enough()
        return WorkSlice(kind, counts["done"], counts["failed"], counts["lost"], more=more)

    def _claim(self, kind: JobKind, without: list[int]) -> ClaimedJob | None:
        lease_s, max_attempts = self.settings.lease_s, self.settings.max_attempts

        def claim(s: Session) -> ClaimedJob | None:
            paused, _ = page_job_files.list_paused(s)
            left = [*without, *paused]
            return jobs.claim_job(s, self.owner, lease_s, kind, max_attempts, without=left)

        return self._gate.claim(claim)

    def _run_job(
        self, job: ClaimedJob, do: Callable[[ClaimedJob], Mapping[str, Any] | None]
    ) -> str:
        """What became of the job: done, failed, lost, unreachable. Raises StorageError and
        CatalogError, which are no fault of the job.
        """
        try:
            result = do(job)
        except RootUnavailable as error:
            log.warning("%s", error)
            self.catalog.write(lambda s: jobs.queue.release(s, [self.owner], job.id))
            return "unreachable"
        except (StorageError, CatalogError) as error:
            if isinstance(error, CatalogError) and self._is_gone(job):
                return "lost"  # its video or collection was removed meanwhile
            raise
        except Exception as error:  # noqa: BLE001 one job must not stop the others
            self._fail(job, error)
            return "failed"
        is_held = self.catalog.write(lambda s: jobs.finish_job(s, job, self.owner, result))
        return "done" if is_held else "lost"

    def _is_gone(self, job: ClaimedJob) -> bool:
        with self.catalog.read() as session:
            return not jobs.queue.is_held(session, job.id, self.owner)

    def _fail(self, job: ClaimedJob, error: Exception) -> None:
        is_defect = not isinstance(error, SeekpointError)
        log.warning("%s %s: %s", job.kind, job.name, error, exc_info=is_defect)
        # Bytes that are not a video will not become one; what took too long or died may go better.
        attempts = 1 if type(error) is MediaError else self.settings.max_attempts
        message = _message(error)
        self.catalog.write(lambda s: jobs.queue.fail(s, job.id, self.owner, message, attempts))

    def _is_enough_planned(self) -> bool:
        with self.catalog.read() as session:
            return count_waiting(session).get(StageName.PICTURE, 0) >= PLANNED_AHEAD_CHUNKS

    def _plan(self, job: ClaimedJob) -> None:
        plan_file(self.context, job)
        with self.catalog.read() as session:
            waiting = count_waiting(session)
        if self.settings.proxies_ahead:
            waiting[JobKind.ARTEFACTS] = 1
        self.notify(waiting)

    # --- looking after it ---

    def publish(self) -> WorkSlice:
        """Writes new vector snapshots where one is due; another process that is at it is left
        alone.
        """
        return WorkSlice("publish", done=len(publish_alone(self.context)))

    def reap(self) -> WorkSlice:
        """Requeues what was lost, and notifies workers of all that waits."""
        return WorkSlice("reap", done=reap(self.context, self.notify))

    def requeue_local_orphans(self) -> int:
        """Requeues at once what workers held that died on this machine; how many."""
        return requeue_local_orphans(self.context)

    def release_all(self) -> None:
        """All that this process holds waits for others; its attempts do not count. It claims
        nothing any more.
        """
        self._gate.shut()
        self.catalog.write(lambda s: release_all(s, self.owner, [*QUEUES, page_job_queue]))


def _message(error: Exception) -> Message:
    if isinstance(error, SeekpointError):
        return error.full_message
    return Message("{kind}: {detail}", {"kind": type(error).__name__, "detail": str(error)})
