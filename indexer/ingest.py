"""Files become searchable: find -> recognise -> probe -> plan chunks -> the stages of each chunk -> ready.

Every chunk and stage is one transaction, so an ingest can be stopped anywhere and repeated: what is committed is kept.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy.orm import Session

from indexer.artefacts import Artefacts
from indexer.catalog import collections, videos, work
from indexer.catalog.session import Catalog
from indexer.catalog.videos import KnownPath, PathStamp
from indexer.catalog.work import WorkItem
from indexer.errors import CatalogError, MediaError, SeekpointError, StorageError
from indexer.files import FoundFile, Roots, Unusable, content_hash, find_files, printable
from indexer.media.files import MediaFiles
from indexer.media.process import probe_in_process
from indexer.owner import dead_owners, owner_name
from indexer.segments import plan_chunks
from indexer.settings import Settings
from indexer.stages import Source, Stage

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MIN_LEASE_S = 900.0
"""However soon reading is given up: a slow model may take long over what was read, and the work must not be claimed twice meanwhile."""

FileState = Literal["indexed", "unchanged", "same content", "moved", "partly", "in progress elsewhere", "failed"]


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


@dataclass(frozen=True, slots=True)
class Job:
    """A chunk to do for a file."""

    task: _FileTask
    item: WorkItem
    stage: Stage


@dataclass(slots=True)
class _FileTask:
    """A file on its way: what came of recognising it and of its chunks."""

    file: FoundFile
    video_id: int = 0
    relation: Literal["new", "known", "moved", "same content"] = "new"
    source: Source | None = None
    chunks_done: int = 0
    advanced_bytes: float = 0.0
    errors: list[SeekpointError] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)


class Ingest:
    """One run over some paths into one collection; `stages` are done in their order, chunk by chunk."""

    def __init__(self, catalog: Catalog, settings: Settings, stages: Sequence[Stage], observer: Observer | None = None) -> None:
        self.catalog = catalog
        self.settings = settings
        self.stages = {stage.name: stage for stage in stages}
        self.observer = observer or Observer()
        self.roots = Roots.of(settings)
        self.artefacts = Artefacts(settings.artefacts)
        self.owner = owner_name()
        self.lease_s = max(MIN_LEASE_S, 3 * settings.chunk_timeout_s)
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
            work.release(session, dead_owners(work.owners(session)))
        self.observer.started(len(files), sum(file.size_bytes for file in files))
        outcomes = [FileOutcome(bad.path, "failed", None, bad.error.message, bad.error.hint) for bad in found if isinstance(bad, Unusable)]
        for outcome in outcomes:
            self.observer.finished(outcome)
        chunks: dict[int, float] = {}  # seconds of each, however many stages were done
        try:
            # Closed at once when something stops the loop, not when the garbage collector comes by: it holds processes.
            with closing(self._do(self._steps(files))) as steps:
                for step in steps:
                    if isinstance(step, Job):
                        chunks[step.item.chunk_id] = step.item.span.length_s
                    else:
                        outcomes.append(self._outcome(step))
                        self.observer.finished(outcomes[-1])
        finally:
            self._release()
        offline = self._mark_offline(paths, files)
        return IngestReport(collection, tuple(outcomes), offline, sum(chunks.values()), time.monotonic() - started)

    # --- what there is to do, file by file ---

    def _steps(self, files: Iterable[FoundFile]) -> Iterator[Job | _FileTask]:
        for file in files:
            task = _FileTask(file)
            try:
                if not self._is_unchanged(task):
                    self._recognise(task)
                    yield from self._claims(task)
            except (StorageError, CatalogError):
                raise
            except SeekpointError as error:
                task.errors.append(error)
            yield task

    def _is_unchanged(self, task: _FileTask) -> bool:
        """By size and modification time alone: a repeated ingest of a large library must not read it."""
        known = self._known.get(self.roots.split(task.file.path))
        if known is None or known.next_video_id is not None:
            return False
        task.video_id, task.relation = known.video_id, "known"
        same = (known.size_bytes, known.mtime_ns) == (task.file.size_bytes, task.file.mtime_ns)
        current = known.state == "ready" and all(known.keys.get(name) == stage.key for name, stage in self.stages.items())
        current = current and not self._outdated(known.video_id, task.file.path)
        if same and current and known.offline:
            with self.catalog.begin() as session:
                videos.set_offline(session, [known.path_id], False)
        return same and current

    def _outdated(self, video_id: int, path: Path) -> list[str]:
        """Stages that were done before something beside the file changed, such as subtitles that came later."""
        changed = {name: changed_s for name, stage in self.stages.items() if (changed_s := stage.changed_s(path))}
        if not changed:
            return []
        with self.catalog.read() as session:
            return [name for name, changed_s in changed.items() if work.was_done_before(session, video_id, name, changed_s)]

    def _recognise(self, task: _FileTask) -> None:
        """Finds or adds the video of the file's bytes, notes the path, and plans the chunks that are missing."""
        path = task.file.path
        stamp = PathStamp(*self.roots.split(path), task.file.size_bytes, task.file.mtime_ns)
        digest = content_hash(path)
        with self.catalog.begin() as session:
            known_id = videos.find_by_hash(session, self._collection_id, digest)
            if known_id is not None:
                task.relation = self._relation(session, videos.get_video(session, known_id), stamp)
                videos.attach_path(session, known_id, stamp)
        if known_id is None:
            task.relation = "new"
            info = probe_in_process(path, max_pixels=self.settings.max_frame_pixels, timeout_s=self.settings.chunk_timeout_s)
            self._require_something(Source(path, info.duration_s, has_pictures=info.width > 0, has_sound=bool(info.audio_tracks)))
            with self.catalog.begin() as session:
                known_id = videos.add_video(session, self._collection_id, digest, task.file.size_bytes, info, stamp)
        task.video_id = known_id
        outdated = self._outdated(known_id, path)
        with self.catalog.begin() as session:
            video = videos.get_video(session, known_id)
            task.source = Source(path, video.duration_s, has_pictures=video.width > 0, has_sound=video.audio_tracks > 0)
            self._require_something(task.source)
            work.plan(session, known_id, plan_chunks(video.duration_s, self.settings.chunk_s), self._keys)
            work.redo(session, known_id, outdated)
            work.retry(session, [known_id])

    def _require_something(self, source: Source) -> None:
        if not source.has_pictures and not source.has_sound:
            raise MediaError(f"{printable(source.path)} has neither pictures nor sound", "check that it is a video")
        if not source.has_pictures and "speech" not in self.stages:
            raise MediaError(f"{printable(source.path)} has no video stream", "switch speech on (SEEKPOINT_SPEECH=1) to search its sound")

    @property
    def _keys(self) -> dict[str, str]:
        return {name: stage.key for name, stage in self.stages.items()}

    def _relation(self, session: Session, video: videos.VideoRow, stamp: PathStamp) -> Literal["known", "moved", "same content"]:
        """How a file relates to the video of its bytes; paths at which these bytes are no more are forgotten when it was moved."""
        others = [path for path in video.paths if (path.root, path.relative_path) != (stamp.root, stamp.relative_path)]
        if len(others) < len(video.paths):
            return "known"
        known_here = [path for path in others if path.root in self.roots.folders]
        gone = [path.path_id for path in known_here if not os.path.exists(self.roots.join(path.root, path.relative_path))]
        videos.forget_paths(session, gone)
        self._forgotten.update(gone)
        return "moved" if gone else "same content"

    def _claims(self, task: _FileTask) -> Iterator[Job]:
        while True:
            with self.catalog.begin() as session:
                item = work.claim(session, self.owner, self.lease_s, tuple(self.stages), video_id=task.video_id)
            if item is None:
                return
            yield Job(task, item, self.stages[item.stage])

    # --- doing it ---

    def _do(self, steps: Iterator[Job | _FileTask]) -> Generator[Job | _FileTask, None, None]:
        """Passes the steps on when they are done; the media of the next chunk is read while this one is computed."""
        # The pool ends first: a read that is under way must not find its process closed.
        with MediaFiles(self.settings) as media, ThreadPoolExecutor(1, "read") as reading:
            ahead: deque[tuple[Job | _FileTask, Future[Any] | None]] = deque()
            for step in steps:
                ahead.append((step, reading.submit(self._read, media, step) if isinstance(step, Job) else None))
                if sum(future is not None for _, future in ahead) > 1:
                    yield from self._finish_first(ahead)
            while ahead:
                yield from self._finish_first(ahead)

    def _read(self, media: MediaFiles, job: Job) -> Any:
        assert job.task.source is not None, "a job is planned after its file was recognised"
        return job.stage.read(media, job.task.source, job.item.span)

    def _finish_first(self, ahead: deque[tuple[Job | _FileTask, Future[Any] | None]]) -> Iterator[Job | _FileTask]:
        """The first job that waits, and the files that end right behind it."""
        step, future = ahead.popleft()
        if isinstance(step, Job) and future is not None:
            self._compute(step, future)
        yield step
        while ahead and ahead[0][1] is None:
            yield ahead.popleft()[0]

    def _compute(self, job: Job, read: Future[Any]) -> None:
        started = time.monotonic()
        try:
            result = job.stage.compute(job.item, read.result())
        except (StorageError, CatalogError):
            raise
        except SeekpointError as error:
            self._fail(job, error)
        except Exception as error:  # noqa: BLE001 one chunk must not stop the others: its error is kept with it and reported
            self._fail(
                job, SeekpointError(f"{type(error).__name__}: {error}", "this is a defect in Seekpoint or a model: please report it")
            )
        else:
            self._commit(job, result, time.monotonic() - started)
        whole_s = job.task.source.duration_s if job.task.source else 0.0
        share = job.task.file.size_bytes * job.item.span.length_s / max(whole_s, 1e-9) / len(self.stages)
        job.task.advanced_bytes += share
        self.observer.advanced(share, job.item.span.length_s / len(self.stages))

    def _commit(self, job: Job, result: Any, seconds: float) -> None:
        with self.catalog.begin() as session:
            job.stage.commit(session, job.item, self.owner, result, seconds)
        self._settle(job.item.video_id)
        job.task.chunks_done += 1
        if damage := job.stage.damage(result):
            job.task.damage.append(damage)

    def _fail(self, job: Job, error: SeekpointError) -> None:
        job.task.errors.append(error)
        with self.catalog.begin() as session:
            work.fail_work(session, job.item.work_id, self.owner, str(error), max_attempts=1)

    def _settle(self, video_id: int) -> None:
        with self.catalog.begin() as session:
            settled = videos.settle_video(session, video_id)
        for removed in settled.removed_video_ids:
            self.artefacts.remove_video(removed)

    def _release(self) -> None:
        with self.catalog.begin() as session:
            work.release(session, [self.owner])

    # --- what came of it ---

    def _outcome(self, task: _FileTask) -> FileOutcome:
        self.observer.advanced(max(0.0, task.file.size_bytes - task.advanced_bytes), 0.0)
        name = printable(task.file.path)
        if task.errors:
            first = task.errors[0]
            more = f" (and {len(task.errors) - 1} more chunks)" if len(task.errors) > 1 else ""
            state: FileState = "partly" if task.chunks_done else "failed"
            message = first.message if task.file.path.name in first.message or name in first.message else f"{name}: {first.message}"
            return FileOutcome(name, state, task.video_id or None, message + more, first.hint)
        if task.video_id:
            self._settle(task.video_id)
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

    def _mark_offline(self, paths: Sequence[str | os.PathLike[str]], files: Sequence[FoundFile]) -> tuple[str, ...]:
        """Known files below the given paths that are not there any more: offline, still searchable."""
        seen = {self.roots.split(file.path) for file in files}
        given = [Path(os.path.abspath(os.path.expanduser(os.fspath(path)))) for path in paths]
        gone = []
        for (root, relative_path), known in self._known.items():
            if (root, relative_path) in seen or known.offline or known.path_id in self._forgotten or root not in self.roots.folders:
                continue
            path = self.roots.join(root, relative_path)
            if any(path.is_relative_to(folder) for folder in given) and not os.path.exists(
                path
            ):  # may lie in a folder that is closed to us
                gone.append((known.path_id, printable(path)))
        with self.catalog.begin() as session:
            videos.set_offline(session, [path_id for path_id, _ in gone], True)
        return tuple(name for _, name in gone)
