"""A worker's turn at one kind of work: it takes what comes next, one after another, until nothing
waits or its time is over.

What a turn does is decided here and in SQL alone; `workers` calls it when a hint arrives. A hint
too many finds nothing to do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog import videos
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing import jobs as errands
from indexer.catalog.leasing.heartbeat import Leases
from indexer.catalog.leasing.jobs import ErrandItem
from indexer.catalog.leasing.owner import dead_owners, owner_name
from indexer.catalog.tables import STAGES
from indexer.context import Context
from indexer.errors import CatalogError, MediaError, SeekpointError, StorageError
from indexer.ingest.pipeline import Job, Pipeline
from indexer.ingest.plan import Planner, source_at
from indexer.paths import FoundFile
from indexer.queue.artefacts import make_artefacts
from indexer.queue.publish import publish_alone
from indexer.queue.submit import waiting_counts
from indexer.search.verify_by_workers import answer_errand
from indexer.stages import Stage, stages_named

log = logging.getLogger(__name__)

PLAN_AHEAD = 500
"""Chunks (about half a day of video) whose pictures wait before planning pauses: planning all of an
archive first would read all of it.
"""

Tell = Callable[[Mapping[str, int]], None]


@dataclass(frozen=True, slots=True)
class Turn:
    """What was done: chunks or errands by what became of them, seconds of video. `more`: the turn
    ended before the work did.
    """

    kind: str
    done: int = 0
    failed: int = 0
    lost: int = 0
    video_s: float = 0.0
    more: bool = False


class Turns:
    """The turns of one process. `stopping`: the process was told to end; `tell` passes on what work
    came of work.
    """

    def __init__(
        self,
        context: Context,
        stopping: Callable[[], bool] = lambda: False,
        tell: Tell = lambda _: None,
    ) -> None:
        self.context = context
        self.catalog = context.catalog
        self.settings = context.settings
        self.owner = owner_name()
        self._stopping = stopping
        self.tell = tell

    # --- chunks ---

    def stage(self, name: str) -> Turn:
        """Does chunks of a stage, under the keys that this process has models for."""
        stages = self._stages(name)
        if not stages:
            return Turn(name)
        over = self._over(
            questions_first=name in ("picture", "events") and bool(self.settings.lego_path)
        )
        pipeline = Pipeline(
            self.catalog,
            self.settings,
            self.owner,
            max_attempts=self.settings.max_attempts,
            stopping=self._stopping,
        )
        counts = {"done": 0, "failed": 0, "lost": 0, "handed back": 0}
        video_s = 0.0
        jobs = _Jobs(self.context, self.owner, name, stages, over)
        with (
            Leases(self.catalog, self.owner, self.settings.lease_s),
            closing(pipeline.run(iter(jobs))) as outcomes,
        ):
            for outcome in outcomes:
                counts[outcome.state] += 1
                video_s += outcome.job.item.span.length_s if outcome.state == "done" else 0.0
        return Turn(
            name, counts["done"], counts["failed"], counts["lost"], video_s, more=not jobs.exhausted
        )

    def _stages(self, name: str) -> dict[str, Stage]:
        """By key; nothing where this machine has no model for the stage."""
        return {
            stage.key: stage
            for stage in stages_named(name, self.settings, lambda: self.context.embedder)
        }

    def _over(self, *, questions_first: bool = False) -> Callable[[], bool]:
        """Whether the turn is over: told to stop, its time is over, or somebody's question waits."""
        until = time.monotonic() + self.settings.turn_s

        def over() -> bool:
            if self._stopping() or time.monotonic() >= until:
                return True
            if not questions_first:
                return False
            with self.catalog.read() as session:
                return errands.is_waiting(session, "ground")

        return over

    # --- errands ---

    def plan(self) -> Turn:
        """Recognises and probes files that arrived, and plans their chunks."""
        self.context.stages(
            events=False
        )  # a model that this machine lacks is no fault of the files: raised before any is taken
        return self._errands("plan", self._plan, self._enough_is_planned)

    def ground(self) -> Turn:
        """Lets LEGO answer questions about moments."""
        return self._errands("ground", self._ground) if self.settings.lego_path else Turn("ground")

    def artefacts(self) -> Turn:
        """Makes the thumbnails that a video lacks, and the copy that browsers play."""
        return self._errands("artefacts", self._artefacts)

    def _errands(
        self,
        kind: errands.Kind,
        do: Callable[[ErrandItem], Mapping | None],
        enough: Callable[[], bool] = lambda: False,
    ) -> Turn:
        over = self._over()
        done = failed = lost = 0
        elsewhere: list[int] = []
        with Leases(self.catalog, self.owner, self.settings.lease_s):
            while not over() and not enough():
                item = self.catalog.write(
                    lambda s: errands.claim(
                        s,
                        self.owner,
                        self.settings.lease_s,
                        kind,
                        self.settings.max_attempts,
                        without=elsewhere,
                    )
                )
                if item is None:
                    return Turn(kind, done, failed, lost)
                try:
                    result = do(item)
                except Elsewhere as error:
                    log.warning("%s", error)
                    elsewhere.append(item.id)
                    self.catalog.write(lambda s, item=item: errands.release(s, self.owner, item.id))
                except (StorageError, CatalogError) as error:
                    if isinstance(error, CatalogError) and self._is_gone(item):
                        lost += 1  # its video or collection was removed meanwhile
                        continue
                    raise
                except Exception as error:  # noqa: BLE001 one errand must not stop the others: its error is kept with it
                    failed += 1
                    self._fail(item, error)
                else:
                    held = self.catalog.write(
                        lambda s, item=item, result=result: errands.finish(
                            s, item, self.owner, result
                        )
                    )
                    done, lost = done + held, lost + (not held)
        return Turn(kind, done, failed, lost, more=not enough())

    def _is_gone(self, item: ErrandItem) -> bool:
        with self.catalog.read() as session:
            return not errands.is_held(session, item, self.owner)

    def _fail(self, item: ErrandItem, error: Exception) -> None:
        log.warning(
            "%s %s: %s", item.kind, item.name, error, exc_info=not isinstance(error, SeekpointError)
        )
        said = (
            str(error) if isinstance(error, SeekpointError) else f"{type(error).__name__}: {error}"
        )
        # Bytes that are no video will not become one; what took too long or died may go better.
        attempts = 1 if type(error) is MediaError else self.settings.max_attempts
        self.catalog.write(lambda s: errands.fail(s, item, self.owner, said, attempts))

    def _enough_is_planned(self) -> bool:
        with self.catalog.read() as session:
            return chunk_tasks.waiting(session).get("picture", 0) >= PLAN_AHEAD

    def _plan(self, item: ErrandItem) -> None:
        details = item.details
        events = details["events"]
        stages = self.context.stages(fast=details["fast"], events=events)
        planner = Planner(self.catalog, self.settings, {stage.name: stage for stage in stages})
        path = _reachable(self.context, details["root"], details["relative_path"])
        try:
            status = path.stat()
        except OSError as error:
            raise MediaError(
                "{path}: {lower}",
                "check the path, then ingest it again",
                path=path,
                lower=(error.strerror or str(error)).lower(),
            ) from None
        recognised = planner.recognise(
            FoundFile(path, status.st_size, status.st_mtime_ns), item.collection_id
        )
        planner.plan(recognised.video_id, path)
        Pipeline(self.catalog, self.settings, self.owner).settle(
            recognised.video_id
        )  # nothing may have been missing
        if self.settings.proxies_ahead:
            video_id = recognised.video_id
            with self.catalog.begin() as session:
                errands.add(
                    session,
                    "artefacts",
                    item.collection_id,
                    str(video_id),
                    {},
                    size=status.st_size,
                    video_id=video_id,
                )
        with self.catalog.read() as session:
            self.tell(
                {
                    **chunk_tasks.waiting(session),
                    **({"artefacts": 1} if self.settings.proxies_ahead else {}),
                }
            )

    def _ground(self, item: ErrandItem) -> Mapping:
        return answer_errand(self.context, item)

    def _artefacts(self, item: ErrandItem) -> None:
        make_artefacts(self.context, int(item.video_id or 0))

    # --- looking after it ---

    def publish(self) -> Turn:
        """Writes new vector snapshots where one is due; another process that is at it is left
        alone.
        """
        published = publish_alone(self.context)
        return Turn("publish", done=len(published))

    def recover(self) -> int:
        """Puts back in line what workers held that died on this machine, or did not renew; parks
        what was tried too often.
        """
        with self.catalog.read() as session:
            dead = dead_owners({*chunk_tasks.owners(session), *errands.owners(session)})

        def expire(session) -> int:
            waiting = chunk_tasks.expire(session, self.settings.max_attempts, dead)
            return len(waiting) + errands.expire(session, self.settings.max_attempts, dead)

        return self.catalog.write(expire)

    def recover_here(self) -> None:
        """The same for who died on this machine alone, which is known at once. Cheap where nobody
        did.
        """
        with self.catalog.read() as session:
            holders = {*chunk_tasks.owners(session), *errands.owners(session)}
        if dead_owners(holders):
            self.recover()

    def hand_back(self) -> None:
        """All that this process holds waits for others; its attempt does not count."""
        with self.catalog.begin() as session:
            chunk_tasks.release(session, [self.owner])
            errands.release(session, self.owner)

    def sweep(self) -> Turn:
        """Recovers what was lost, and hints at all that waits: Redis may have forgotten any of it."""
        recovered = self.recover()
        counts = waiting_counts(self.context)
        with self.catalog.read() as session:
            if any(
                chunk_tasks.done_since(session, 2 * self.settings.sweep_s, stage)
                for stage in STAGES
            ):
                counts["publish"] = 1
        if counts:
            self.tell(counts)
        self.catalog.write(lambda s: errands.forget_results(s, 3600))
        return Turn("sweep", done=recovered)


class Elsewhere(MediaError):
    """The file's root is not on this machine: others may have it."""


class _Jobs:
    """Claimed chunks of a stage, as long as there are some and the turn is not over."""

    def __init__(
        self,
        context: Context,
        owner: str,
        name: str,
        stages: Mapping[str, Stage],
        over: Callable[[], bool],
    ) -> None:
        self._context = context
        self._owner = owner
        self._name = name
        self._stages = stages
        self._over = over
        self._elsewhere: list[int] = []
        self.exhausted = False

    def __iter__(self) -> Iterator[Job]:
        while not self._over():
            item = self._context.catalog.write(self._claim)
            if item is None:
                self.exhausted = True
                return
            if (job := self._job(item)) is not None:
                yield job

    def _claim(self, session) -> chunk_tasks.WorkItem | None:
        settings = self._context.settings
        return chunk_tasks.claim_in_turn(
            session,
            self._owner,
            settings.lease_s,
            self._name,
            self._stages,
            settings.max_attempts,
            without=self._elsewhere,
        )

    def _job(self, item: chunk_tasks.WorkItem) -> Job | None:
        """None where the file cannot be read here: the chunk is handed back for others, or fails."""
        catalog, settings = self._context.catalog, self._context.settings
        try:
            return Job(item, self._stages[item.key], self._source(item.video_id))
        except Elsewhere as error:
            log.warning("%s", error)
            self._elsewhere.append(item.video_id)
            catalog.write(lambda s: chunk_tasks.release_work(s, item.work_id, self._owner))
        except MediaError as error:
            text = str(error)
            catalog.write(
                lambda s: chunk_tasks.fail_work(
                    s, item.work_id, self._owner, text, settings.max_attempts
                )
            )
        except CatalogError:
            with catalog.read() as session:
                if videos.is_there(session, item.video_id):
                    raise
        return None

    def _source(self, video_id: int):
        with self._context.catalog.read() as session:
            video = videos.get_video(session, video_id)
        try:
            return source_at(video, self._context.path_of(video))
        except MediaError:
            for path in video.paths:
                _reachable(self._context, path.root, path.relative_path)
            raise


def _reachable(context: Context, root: str, relative_path: str) -> Path:
    """Where a file would be on this machine. Raises Elsewhere where its root is not mapped, or not
    mounted.
    """
    folder = context.roots.folders.get(root)
    if folder is None or not folder.is_dir():
        where = "is not mapped on this machine" if folder is None else f"is not mounted at {folder}"
        raise Elsewhere(
            "the media root {root!r} {where}: its files are left to other workers",
            "SEEKPOINT_ROOTS maps it",
            root=root,
            where=where,
        )
    return folder / relative_path
