"""Files become searchable: find -> recognise -> probe -> plan chunks -> the stages of each chunk ->
ready.

Every chunk and stage is one transaction, so an ingest can be stopped anywhere and repeated: what is
committed is kept.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from indexer.artefacts import Artefacts
from indexer.catalog import collections, videos
from indexer.catalog.database.session import Catalog
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_tasks import ClaimedTask
from indexer.catalog.leasing.heartbeat import Leases
from indexer.catalog.leasing.owner import dead_owners, owner_name
from indexer.catalog.video_paths import KnownPath, get_known_paths
from indexer.errors import CatalogError, SeekpointError, StorageError
from indexer.ingest.discover import FoundFile, Unusable, find_files
from indexer.ingest.finalize import finalize_video, mark_offline, remove_orphans
from indexer.ingest.pipeline import Job, Outcome, Pipeline, StageTask
from indexer.ingest.plan import Planner, Relation
from indexer.ingest.report import FileOutcome, FileState, IngestReport, Observer
from indexer.ingest.served_models import others_note, require_served_embedder
from indexer.messages import NOTHING, Message
from indexer.paths import EVERYTHING, Reach, printable
from indexer.process.tracing import trace_calls
from indexer.settings import Settings
from indexer.stages.base import Source, Stage

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _FileProgress:
    """A file on its way: what came of recognising it and of its chunks."""

    file: FoundFile
    video_id: int = 0
    relation: Relation = "new"
    unchanged: bool = False
    source: Source | None = None
    tasks: int | None = None  # how many there are; None: not known
    chunks_done: int = 0
    advanced_bytes: float = 0.0
    errors: list[SeekpointError] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _FileJob(Job):
    """A chunk of a file, and how far the file is."""

    file: _FileProgress = field(kw_only=True)


class Ingest:
    """One run over some paths into one collection; `stages` are done in their order, chunk by
    chunk.
    """

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        stages: Sequence[Stage],
        observer: Observer | None = None,
    ) -> None:
        self.catalog = catalog
        self.settings = settings
        self.stages = {stage.name: stage for stage in stages}
        self.observer = observer or Observer()
        self.planner = Planner(catalog, settings, self.stages)
        self.roots = self.planner.roots
        self.owner = owner_name()
        self.artefacts = Artefacts(settings.artefacts)
        self.pipeline = Pipeline(catalog, settings, self.owner)
        self._forgotten: set[int] = set()
        self._notes: list[Message] = []
        self._known: Mapping[tuple[str, str], KnownPath] = {}
        self._collection_id = 0

    @trace_calls("ingest")
    def run(
        self,
        paths: Sequence[str | os.PathLike[str]],
        collection: str,
        reach: Reach = EVERYTHING,
    ) -> IngestReport:
        """Takes the files and all videos below the folders, as far as `reach` goes. Raises
        ModelError where the library is served with another embedder; StorageError, CatalogError.
        """
        started = time.monotonic()
        if not self.settings.change_model:
            require_served_embedder(self.catalog, list(self.stages.values()))
        found = list(find_files(paths, reach))
        files = [file for file in found if isinstance(file, FoundFile)]
        with self.catalog.begin() as session:
            self._collection_id = collections.ensure_collection(session, collection)
            self._known = get_known_paths(session, self._collection_id)
            chunk_tasks.queue.release(session, dead_owners(chunk_tasks.queue.owners(session)))
        self.observer.on_start(len(files), sum(file.size_bytes for file in files))
        outcomes = [
            FileOutcome(bad.path, "failed", None, bad.error.what, bad.error.advice)
            for bad in found
            if isinstance(bad, Unusable)
        ]
        for outcome in outcomes:
            self.observer.on_finish(outcome)
        chunk_s: dict[int, float] = {}  # however many stages of a chunk were done
        leases = Leases(self.catalog, self.owner, self.settings.lease_s)
        # Closed at once when something stops the loop, not when the garbage collector comes by: it
        # holds processes.
        with leases, closing(self.pipeline.run(self._steps(files))) as steps:
            for step in steps:
                if isinstance(step, Outcome):
                    chunk_s[step.task.item.chunk_id] = step.job.span.length_s
                    self._note(step)
                else:
                    outcomes.append(self._outcome(step))
                    self.observer.on_finish(outcomes[-1])
        offline = mark_offline(self.catalog, self.roots, paths, files, self._known, self._forgotten)
        remove_orphans(self.catalog, self.artefacts)
        with self.catalog.read() as session:
            self._notes += filter(None, [others_note(session)])
        return IngestReport(
            collection,
            tuple(outcomes),
            offline,
            sum(chunk_s.values()),
            time.monotonic() - started,
            tuple(self._notes),
        )

    # --- what there is to do, file by file ---

    def _steps(self, files: Iterable[FoundFile]) -> Iterator[_FileJob | _FileProgress]:
        for file in files:
            progress = _FileProgress(file)
            try:
                if not self._is_unchanged(progress):
                    self._plan(progress)
                    yield from self._claims(progress)
            except (StorageError, CatalogError):
                raise
            except SeekpointError as error:
                progress.errors.append(error)
            # One file must not stop the others.
            except Exception as error:
                log.exception("%s failed", printable(file.path))
                progress.errors.append(
                    SeekpointError(
                        "{name}: {error}",
                        "this is a defect in Seekpoint: please report it",
                        name=type(error).__name__,
                        error=error,
                    )
                )
            yield progress

    def _is_unchanged(self, progress: _FileProgress) -> bool:
        known = self._known.get(self.roots.split(progress.file.path))
        if known is not None and known.next_video_id is None:
            progress.video_id, progress.relation = known.video_id, "known"
        progress.unchanged = self.planner.is_unchanged(progress.file, known)
        return progress.unchanged

    def _plan(self, progress: _FileProgress) -> None:
        recognised = self.planner.recognise(progress.file, self._collection_id)
        progress.video_id, progress.relation = recognised.video_id, recognised.relation
        self._forgotten.update(recognised.forgotten)
        self._notes += recognised.notes
        planned = self.planner.plan(progress.video_id, progress.file.path)
        progress.source = planned.source
        if recognised.relation == "new" and planned.added:
            progress.tasks = planned.added  # nobody can have begun anything

    def _claims(self, progress: _FileProgress) -> Iterator[_FileJob]:
        assert progress.source is not None, "a file is planned before its chunks are done"
        claimed = 0
        # To ask once more whether something waits is dear where files are small.
        while claimed != progress.tasks:
            item = self._claim(progress.video_id, tuple(self.stages))
            if item is None:
                return
            items = [item, *self._same_media(item)]
            claimed += len(items)
            tasks = tuple(StageTask(one, self.stages[one.stage]) for one in items)
            yield _FileJob(progress.source, tasks, file=progress)

    def _same_media(self, item: ClaimedTask) -> list[ClaimedTask]:
        """Claims the other stages of the chunk that take its pictures too, or its sound, so that
        these are decoded once.
        """
        first = self.stages[item.stage]
        others = [
            name
            for name, stage in self.stages.items()
            if name != item.stage and _share_media(first, stage)
        ]
        claims = [self._claim(item.video_id, (name,), chunk_id=item.chunk_id) for name in others]
        return [other for other in claims if other is not None]

    def _claim(
        self, video_id: int, stages: Sequence[str], chunk_id: int | None = None
    ) -> ClaimedTask | None:
        with self.catalog.begin() as session:
            return chunk_tasks.claim_task(
                session,
                self.owner,
                self.settings.lease_s,
                stages,
                video_id,
                chunk_id=chunk_id,
            )

    # --- what came of it ---

    def _note(self, outcome: Outcome) -> None:
        job = outcome.job
        assert isinstance(job, _FileJob), "the jobs of an ingest are those of its files"
        progress, span = job.file, job.span
        if outcome.error is not None:
            progress.errors.append(outcome.error)
        else:
            progress.chunks_done += 1
        if outcome.damage:
            progress.damage.append(outcome.damage)
        share = span.length_s / max(job.source.duration_s, 1e-9) / len(self.stages)
        share_bytes = progress.file.size_bytes * share
        progress.advanced_bytes += share_bytes
        self.observer.on_advance(share_bytes, span.length_s / len(self.stages))

    def _outcome(self, progress: _FileProgress) -> FileOutcome:
        self.observer.on_advance(max(0.0, progress.file.size_bytes - progress.advanced_bytes), 0.0)
        name = printable(progress.file.path)
        if progress.unchanged:
            return FileOutcome(name, "unchanged", progress.video_id)
        if progress.errors:
            first = progress.errors[0]
            state: FileState = "partly" if progress.chunks_done else "failed"
            message = _naming_the_file(progress.file, first.what)
            if len(progress.errors) > 1:
                values = {"error": message, "count": len(progress.errors) - 1}
                message = Message("{error} (and {count} more chunks)", values)
            return FileOutcome(name, state, progress.video_id or None, message, first.advice)
        if progress.video_id and not progress.chunks_done:  # with the last chunk it was done
            finalize_video(self.catalog, self.artefacts, progress.video_id)
        if changed := self._changed_message(progress.file):
            again = Message("run the same command again")
            return FileOutcome(name, "partly", progress.video_id, changed, again)
        if progress.damage:
            hint = Message(
                "what could be read is searchable; copy the file again from its source if that is "
                "not enough"
            )
            damage = Message("{path}: {error}", {"path": name, "error": progress.damage[0]})
            return FileOutcome(name, "partly", progress.video_id, damage, hint)
        return FileOutcome(name, self._good_state(progress), progress.video_id)

    def _good_state(self, progress: _FileProgress) -> FileState:
        if progress.relation in ("moved", "same content"):
            return progress.relation
        if progress.chunks_done:
            return "indexed"
        with self.catalog.begin() as session:
            state = videos.get_video(session, progress.video_id).state
        return "unchanged" if state == "ready" else "in progress elsewhere"

    @staticmethod
    def _changed_message(file: FoundFile) -> Message:
        try:
            status = file.path.stat()
        except OSError:
            return Message("{path}: it vanished while it was read", {"path": printable(file.path)})
        if (status.st_size, status.st_mtime_ns) != (file.size_bytes, file.mtime_ns):
            return Message("{path}: it changed while it was read", {"path": printable(file.path)})
        return NOTHING


def _naming_the_file(file: FoundFile, error: Message) -> Message:
    """The error with the file's name before it, where the error does not name the file itself."""
    name = printable(file.path)
    if file.path.name in error or name in error:
        return error
    return Message("{path}: {error}", {"path": name, "error": error})


def _share_media(one: Stage, other: Stage) -> bool:
    pictures = one.sampling is not None and other.sampling is not None
    return pictures or (one.reads_sound and other.reads_sound)
