"""Files become searchable: find -> recognise -> probe -> plan chunks -> the stages of each chunk ->
ready.

Every chunk and stage is one transaction, so an ingest can be stopped anywhere and repeated: what is
committed is kept.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal

from indexer.catalog import collections, videos
from indexer.catalog.database.session import Catalog
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_tasks import WorkItem
from indexer.catalog.leasing.heartbeat import Leases
from indexer.catalog.leasing.owner import dead_owners, owner_name
from indexer.catalog.videos import KnownPath
from indexer.errors import CatalogError, SeekpointError, StorageError
from indexer.ingest.pipeline import Job, Outcome, Pipeline
from indexer.ingest.plan import Planner, Relation
from indexer.paths import FoundFile, Unusable, find_files, given_path, printable
from indexer.settings import Settings
from indexer.stages import Source, Stage

FileState = Literal[
    "indexed",
    "unchanged",
    "same content",
    "moved",
    "partly",
    "in progress elsewhere",
    "queued",
    "failed",
]


@dataclass(frozen=True, slots=True)
class FileOutcome:
    path: str
    state: FileState
    video_id: int | None = None
    error: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class IngestReport:
    collection: str
    files: tuple[FileOutcome, ...]
    offline: tuple[str, ...]
    video_s: float
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[FileOutcome, ...]:
        return tuple(file for file in self.files if file.error)

    @property
    def speed(self) -> float:
        """Seconds of video per second of work."""
        return self.video_s / self.seconds if self.seconds > 0 else 0.0


class Observer:
    """Told of the progress, does nothing by itself; the command line draws bars from it."""

    def started(self, files: int, size_bytes: int) -> None: ...

    def advanced(self, size_bytes: float, video_s: float) -> None: ...

    def finished(self, outcome: FileOutcome) -> None: ...


@dataclass(slots=True)
class _FileTask:
    """A file on its way: what came of recognising it and of its chunks."""

    file: FoundFile
    video_id: int = 0
    relation: Relation = "new"
    unchanged: bool = False
    source: Source | None = None
    chunks_done: int = 0
    advanced_bytes: float = 0.0
    errors: list[SeekpointError] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _FileJob(Job):
    """A chunk to do for a file."""

    task: _FileTask = field(kw_only=True)


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
        self.pipeline = Pipeline(catalog, settings, self.owner)
        self._forgotten: set[int] = set()
        self._known: Mapping[tuple[str, str], KnownPath] = {}
        self._collection_id = 0

    def run(self, paths: Sequence[str | os.PathLike[str]], collection: str) -> IngestReport:
        started = time.monotonic()
        found = list(find_files(paths))
        files = [file for file in found if isinstance(file, FoundFile)]
        with self.catalog.begin() as session:
            self._collection_id = collections.ensure_collection(session, collection)
            self._known = videos.known_paths(session, self._collection_id)
            chunk_tasks.release(session, dead_owners(chunk_tasks.owners(session)))
        self.observer.started(len(files), sum(file.size_bytes for file in files))
        outcomes = [
            FileOutcome(bad.path, "failed", None, bad.error.message, bad.error.hint)
            for bad in found
            if isinstance(bad, Unusable)
        ]
        for outcome in outcomes:
            self.observer.finished(outcome)
        chunks: dict[int, float] = {}  # seconds of each, however many stages were done
        leases = Leases(self.catalog, self.owner, self.settings.lease_s)
        # Closed at once when something stops the loop, not when the garbage collector comes by: it
        # holds processes.
        with leases, closing(self.pipeline.run(self._steps(files))) as steps:
            for step in steps:
                if isinstance(step, Outcome):
                    chunks[step.job.item.chunk_id] = step.job.item.span.length_s
                    self._note(step)
                else:
                    outcomes.append(self._outcome(step))
                    self.observer.finished(outcomes[-1])
        offline = mark_offline(
            self.catalog, self.planner, paths, files, self._known, self._forgotten
        )
        return IngestReport(
            collection, tuple(outcomes), offline, sum(chunks.values()), time.monotonic() - started
        )

    # --- what there is to do, file by file ---

    def _steps(self, files: Iterable[FoundFile]) -> Iterator[_FileJob | _FileTask]:
        for file in files:
            task = _FileTask(file)
            try:
                if not self._is_unchanged(task):
                    self._plan(task)
                    yield from self._claims(task)
            except (StorageError, CatalogError):
                raise
            except SeekpointError as error:
                task.errors.append(error)
            yield task

    def _is_unchanged(self, task: _FileTask) -> bool:
        known = self._known.get(self.roots.split(task.file.path))
        if known is not None and known.next_video_id is None:
            task.video_id, task.relation = known.video_id, "known"
        task.unchanged = self.planner.is_unchanged(task.file, known)
        return task.unchanged

    def _plan(self, task: _FileTask) -> None:
        recognised = self.planner.recognise(task.file, self._collection_id)
        task.video_id, task.relation = recognised.video_id, recognised.relation
        self._forgotten.update(recognised.forgotten)
        task.source = self.planner.plan(task.video_id, task.file.path)

    def _claims(self, task: _FileTask) -> Iterator[_FileJob]:
        assert task.source is not None, "a file is planned before its chunks are done"
        while True:
            with self.catalog.begin() as session:
                item = chunk_tasks.claim(
                    session,
                    self.owner,
                    self.settings.lease_s,
                    tuple(self.stages),
                    video_id=task.video_id,
                )
            if item is None:
                return
            yield from self._jobs([item, *self._same_media(item)], task.source, task)

    def _same_media(self, item: WorkItem) -> list[WorkItem]:
        """Claims the other stages of the chunk that take its pictures too, or its sound, so that
        these are decoded once.
        """
        first = self.stages[item.stage]
        others = [
            name
            for name, stage in self.stages.items()
            if name != item.stage and _share_media(first, stage)
        ]
        claimed = []
        for name in others:
            with self.catalog.begin() as session:
                claimed.append(
                    chunk_tasks.claim(
                        session,
                        self.owner,
                        self.settings.lease_s,
                        [name],
                        item.video_id,
                        chunk_id=item.chunk_id,
                    )
                )
        return [other for other in claimed if other is not None]

    def _jobs(
        self, items: Sequence[WorkItem], source: Source, task: _FileTask
    ) -> Iterator[_FileJob]:
        """Of one chunk; the first is read with what the others want."""
        others = tuple(
            sampling
            for item in items[1:]
            if (sampling := self.stages[item.stage].sampling) is not None
        )
        for item in items:
            follows = item is not items[0]
            yield _FileJob(
                item, self.stages[item.stage], source, () if follows else others, follows, task=task
            )

    # --- what came of it ---

    def _note(self, outcome: Outcome) -> None:
        job = outcome.job
        assert isinstance(job, _FileJob), "the jobs of an ingest are those of its files"
        task = job.task
        if outcome.error is not None:
            task.errors.append(outcome.error)
        else:
            task.chunks_done += 1
        if outcome.damage:
            task.damage.append(outcome.damage)
        share = (
            task.file.size_bytes
            * job.item.span.length_s
            / max(job.source.duration_s, 1e-9)
            / len(self.stages)
        )
        task.advanced_bytes += share
        self.observer.advanced(share, job.item.span.length_s / len(self.stages))

    def _outcome(self, task: _FileTask) -> FileOutcome:
        self.observer.advanced(max(0.0, task.file.size_bytes - task.advanced_bytes), 0.0)
        name = printable(task.file.path)
        if task.unchanged:
            return FileOutcome(name, "unchanged", task.video_id)
        if task.errors:
            first = task.errors[0]
            more = f" (and {len(task.errors) - 1} more chunks)" if len(task.errors) > 1 else ""
            state: FileState = "partly" if task.chunks_done else "failed"
            message = (
                first.message
                if task.file.path.name in first.message or name in first.message
                else f"{name}: {first.message}"
            )
            return FileOutcome(name, state, task.video_id or None, message + more, first.hint)
        if task.video_id:
            self.pipeline.settle(task.video_id)
        if changed := self._changed_meanwhile(task.file):
            return FileOutcome(name, "partly", task.video_id, changed, "run the same command again")
        if task.damage:
            hint = "what could be read is searchable; copy the file again from its source if that is not enough"
            return FileOutcome(name, "partly", task.video_id, f"{name}: {task.damage[0]}", hint)
        return FileOutcome(name, self._good_state(task), task.video_id)

    def _good_state(self, task: _FileTask) -> FileState:
        if task.relation in ("moved", "same content"):
            return task.relation
        if task.chunks_done:
            return "indexed"
        with self.catalog.begin() as session:
            state = videos.get_video(session, task.video_id).state
        return "unchanged" if state == "ready" else "in progress elsewhere"

    @staticmethod
    def _changed_meanwhile(file: FoundFile) -> str:
        try:
            status = file.path.stat()
        except OSError:
            return f"{printable(file.path)}: it vanished while it was read"
        if (status.st_size, status.st_mtime_ns) != (file.size_bytes, file.mtime_ns):
            return f"{printable(file.path)}: it changed while it was read"
        return ""


def _share_media(one: Stage, other: Stage) -> bool:
    pictures = one.sampling is not None and other.sampling is not None
    return pictures or (one.reads_sound and other.reads_sound)


def mark_offline(
    catalog: Catalog,
    planner: Planner,
    paths: Sequence[str | os.PathLike[str]],
    files: Sequence[FoundFile],
    known: Mapping[tuple[str, str], KnownPath],
    forgotten: Collection[int] = (),
) -> tuple[str, ...]:
    """Known files below the given paths that are not there any more: offline, still searchable."""
    roots = planner.roots
    seen = {roots.split(file.path) for file in files}
    given = [given_path(path) for path in paths]
    gone = []
    for (root, relative_path), it in known.items():
        if (root, relative_path) in seen or it.offline or it.path_id in forgotten:
            continue
        if path := roots.vanished(root, relative_path, given):
            gone.append((it.path_id, printable(path)))
    with catalog.begin() as session:
        videos.set_offline(session, [path_id for path_id, _ in gone], True)
    return tuple(name for _, name in gone)
