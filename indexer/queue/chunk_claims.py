"""Chunks that a worker claims, one after another, with the files to read them from."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping

from sqlalchemy.orm import Session

from indexer.catalog import videos
from indexer.catalog.leasing import chunk_tasks, page_job_files
from indexer.catalog.leasing.chunk_tasks import ClaimedTask
from indexer.catalog.leasing.claim_gate import ClaimGate
from indexer.context import Context
from indexer.errors import CatalogError, MediaError
from indexer.ingest.pipeline import Job, StageTask
from indexer.ingest.plan import source_at
from indexer.queue.reachable import RootUnavailable, reachable_path
from indexer.stages.base import Source, Stage
from indexer.vocabulary import StageName

log = logging.getLogger(__name__)

# Speech comes before sound: it reads the longer part, from which the other is taken.
_ORDER = {str(name): place for place, name in enumerate(StageName)}


class ChunkClaims:
    """Iterates over claimed chunks of a stage, as long as there are some and the slice is not over.
    `stages` by key: those that this machine has models for. `companions`, by key too, are other
    stages that take the same pictures or sound: those of the same chunk are claimed with it, so
    that it is decoded once.
    """

    def __init__(
        self,
        context: Context,
        owner: str,
        stage: str,
        stages: Mapping[str, Stage],
        is_over: Callable[[], bool],
        gate: ClaimGate,
        companions: Mapping[str, Stage] | None = None,
    ) -> None:
        self._context = context
        self._gate = gate
        self._owner = owner
        self._stage = stage
        self._stages = stages
        self._is_over = is_over
        self._companions = companions or {}
        self._unreachable_videos: list[int] = []
        self.exhausted = False

    def __iter__(self) -> Iterator[Job]:
        while not self._is_over():
            task = self._gate.claim(self._claim)
            if task is None:
                self.exhausted = True
                return
            if (job := self._job(task)) is not None:
                yield job

    def _claim(self, session: Session) -> ClaimedTask | None:
        settings = self._context.settings
        _, paused = page_job_files.list_paused(session)
        return chunk_tasks.claim_fairly(
            session,
            self._owner,
            settings.lease_s,
            self._stage,
            self._stages,
            settings.max_attempts,
            without=[*self._unreachable_videos, *paused],
        )

    def _job(self, task: ClaimedTask) -> Job | None:
        """None where the file cannot be read here: the chunk is released for others, or fails."""
        catalog, queue = self._context.catalog, chunk_tasks.queue
        try:
            source = self._source(task.video_id)
            stage = self._stages[task.key]
            tasks = [StageTask(task, stage), *self._same_media(task)]
            return Job(source, tuple(sorted(tasks, key=lambda one: _ORDER[one.stage.name])))
        except RootUnavailable as error:
            log.warning("%s", error)
            self._unreachable_videos.append(task.video_id)
            catalog.write(lambda s: queue.release(s, [self._owner], task.task_id))
        except MediaError as error:
            message, attempts = error.full_message, self._context.settings.max_attempts
            catalog.write(lambda s: queue.fail(s, task.task_id, self._owner, message, attempts))
        except CatalogError:
            with catalog.read() as session:
                if videos.video_exists(session, task.video_id):
                    raise
        return None

    def _same_media(self, task: ClaimedTask) -> list[StageTask]:
        """Claims the companions' tasks of the chunk."""
        found: list[StageTask] = []
        for key, stage in self._companions.items():
            other = self._gate.claim(
                lambda s, key=key, stage=stage: chunk_tasks.claim_task(
                    s,
                    self._owner,
                    self._context.settings.lease_s,
                    [stage.name],
                    task.video_id,
                    keys=[key],
                    chunk_id=task.chunk_id,
                )
            )
            if other is not None:
                found.append(StageTask(other, stage))
        return found

    def _source(self, video_id: int) -> Source:
        with self._context.catalog.read() as session:
            video = videos.get_video(session, video_id)
        try:
            return source_at(video, self._context.path_of(video))
        except MediaError:
            for path in video.paths:
                reachable_path(self._context, path.root, path.relative_path)
            raise
