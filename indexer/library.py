"""The documented Python API: a library of videos with the verbs of the command line.

>>> from indexer.library import Library                                      # doctest: +SKIP
>>> library = Library()                                                      # doctest: +SKIP
>>> library.ingest(["~/Videos"], "mine")                                     # doctest: +SKIP
>>> library.search("when does the dog jump?", collections=["mine"]).moments  # doctest: +SKIP
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grounding.spans import ScoredSpan, Span
from indexer.artefacts import Artefacts
from indexer.catalog import chunks, collections, rows, videos
from indexer.catalog.collections import CollectionInfo
from indexer.catalog.database.session import Catalog
from indexer.catalog.filters import Filters
from indexer.catalog.leasing import chunk_tasks, jobs
from indexer.errors import MediaError, ModelError, UsageError
from indexer.paths import Roots
from indexer.settings import Settings, load_settings
from indexer.threads import wait_asleep

if TYPE_CHECKING:
    from indexer.admin.doctor import Check
    from indexer.admin.models import ModelState
    from indexer.admin.playback import Playback
    from indexer.admin.status import QueueStatus
    from indexer.embedders.base import Embedder
    from indexer.evaluation.scoring import Report, Row
    from indexer.ingest.run import IngestReport, Observer
    from indexer.search.ask import Reply
    from indexer.search.curve import Curve
    from indexer.search.searcher import Answer, Scope, Searcher
    from indexer.stages import Stage
    from indexer.vectors.base import Published, VectorIndex

DEFAULT_COLLECTION = "default"


@dataclass(frozen=True, slots=True)
class VideoPath:
    path: str
    offline: bool


@dataclass(frozen=True, slots=True)
class Video:
    """A video as the library shows it; `state` is pending, ingesting, ready or failed."""

    video_id: int
    collection: str
    paths: tuple[VideoPath, ...]
    state: str
    error: str
    duration_s: float
    width: int
    height: int
    size_bytes: int
    title: str | None
    recorded_at: Any


@dataclass(frozen=True, slots=True)
class Removed:
    video_ids: tuple[int, ...]
    freed_bytes: int


@dataclass(frozen=True, slots=True)
class Retried:
    videos: int
    chunks: int
    ready: int
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """`bytes_per_hour`: all that the index takes on disk, per hour of video; None while there is no
    video. `queue`: what waits.
    """

    home: Path
    videos: dict[str, int]
    chunks: dict[str, int]
    video_s: float
    segments: int
    disk_bytes: dict[str, int]
    bytes_per_hour: float | None
    errors: tuple[str, ...]
    queue: QueueStatus


class Library:
    """One library; cheap to make, models and indexes are loaded when first used. Safe to share
    between threads.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        wait_asleep()
        self.settings = settings or load_settings()
        self.artefacts = Artefacts(self.settings.artefacts)
        self.roots = Roots.of(self.settings)
        self._lock = threading.RLock()
        self._catalog: Catalog | None = None
        self._searcher: Searcher | None = None
        self._indexes: dict[str, VectorIndex] = {}

    # --- parts, made when first needed ---

    @property
    def catalog(self) -> Catalog:
        with self._lock:
            if self._catalog is None:
                self._catalog = Catalog(self.settings.url).open()
            return self._catalog

    @property
    def embedder(self) -> Embedder:
        from indexer.embedders.registry import load_embedder

        return load_embedder(self.settings)

    @property
    def searcher(self) -> Searcher:
        from indexer.search.searcher import Searcher

        with self._lock:
            if self._searcher is None:
                self._searcher = Searcher(
                    self.catalog, self.settings, lambda: self.embedder, self.index_for
                )
            return self._searcher

    def index_for(self, key: str, stage: str = "picture") -> VectorIndex:
        """The vector index of a picture key, or of the passages under the key of another stage,
        kept fresh by itself.
        """
        from indexer.passages import text_embedding
        from indexer.vectors.open_index import open_index

        with self._lock:
            if key not in self._indexes:
                dimension = (
                    self.embedder.dimension if stage == "picture" else text_embedding.DIMENSION
                )
                self._indexes[key] = open_index(
                    self.catalog, key, dimension, self.settings, stage=stage
                )
            return self._indexes[key]

    def vector_keys(self) -> list[tuple[str, str]]:
        """(stage, key) of all vectors that are served: of segments in any space, of passages in the
        space that is in use.
        """
        from indexer.passages import text_embedding
        from indexer.stages import embedder_key_of

        with self.catalog.read() as session:
            keys = rows.vector_keys(session)
        return [
            (stage, key)
            for stage, key in keys
            if stage == "picture" or embedder_key_of(key) == text_embedding.KEY
        ]

    def stages(self, *, fast: bool = False, events: bool | None = None) -> list[Stage]:
        """`events` None: where a checkpoint is configured and the device is a GPU."""
        from indexer.stages import configured_stages

        wanted = self._events_by_default if events is None else events
        return configured_stages(self.settings, lambda: self.embedder, fast=fast, events=wanted)

    @property
    def _events_by_default(self) -> bool:
        return bool(self.settings.lego_path) and self.settings.torch_device.startswith("cuda")

    # --- ingest ---

    def ingest(
        self,
        paths: Sequence[str | os.PathLike[str]],
        collection: str = DEFAULT_COLLECTION,
        *,
        fast: bool = False,
        events: bool | None = None,
        queue: bool = False,
        observer: Observer | None = None,
    ) -> IngestReport:
        """Makes files and folders searchable; safe to stop and to repeat. Files that fail are named
        in the report, the rest goes on.

        `events`: whether LEGO grounds every window; None: where a checkpoint is configured and the
        device is a GPU. `queue`: notes the files for workers and returns at once.
        """
        from indexer.ingest.run import Ingest

        if not collection.strip():
            raise UsageError("the name of the collection is empty", "choose a name")
        if queue:
            from indexer.queue.submit import enqueue

            return enqueue(self, paths, collection, fast=fast, events=events)
        report = Ingest(
            self.catalog, self.settings, self.stages(fast=fast, events=events), observer
        ).run(paths, collection)
        self.publish(force=False)
        if events is None and self.settings.lego_path and not self._events_by_default:
            report = replace(
                report, notes=tuple(filter(None, [*report.notes, self._events_note()]))
            )
        return report

    def _events_note(self) -> str:
        """How long LEGO would take here for what has no events yet; it waits to be asked for where
        there is no GPU.
        """
        from indexer.grounder.lego import require_lego
        from indexer.stages.events import estimated_time

        try:
            require_lego(self.settings)
        except ModelError as error:
            return str(error)
        with self.catalog.read() as session:
            progress = chunk_tasks.progress(session)
        return estimated_time(progress)

    def publish(self, *, force: bool) -> list[Published]:
        """Writes new vector snapshots where one is due (or, with `force`, wherever there are
        vectors).
        """
        published = []
        for stage, key in self.vector_keys():
            index = self.index_of(key, stage)
            if force or index.publish_due():
                published.append(index.publish())
        return published

    def index_of(self, key: str, stage: str = "picture") -> VectorIndex:
        from indexer.stages import embedder_key_of
        from indexer.vectors.open_index import open_index

        if stage != "picture" or embedder_key_of(key) == self.embedder.key:
            return self.index_for(key, stage)
        with self.catalog.read() as session:
            dimension = chunks.dimension_of(session, key) or 0
        return open_index(self.catalog, key, dimension, self.settings)

    def request_artefacts(self, video_ids: Sequence[int] | None = None) -> int:
        """Asks workers for the thumbnails and the copies for browsers that videos (all, if none are
        named) lack; how many were asked.
        """
        from indexer.queue.submit import request_artefacts

        return request_artefacts(self, video_ids)

    def reindex(self) -> list[Published]:
        return self.publish(force=True)

    def retry(
        self, video_ids: Sequence[int] | None = None, observer: Observer | None = None
    ) -> Retried:
        """Does failed chunks again, of these videos or of all; where workers are configured, they
        do.
        """
        if self.settings.broker_url:
            from indexer.queue.submit import retry_by_workers

            return retry_by_workers(self, video_ids)
        with self.catalog.begin() as session:
            named = (
                None
                if video_ids is None
                else {videos.get_video(session, video_id).id for video_id in video_ids}
            )
            failed = [
                v
                for v in videos.list_videos(session, states=["failed"])
                if named is None or v.id in named
            ]
            chunks = chunk_tasks.retry(
                session, [video.id for video in failed if self._place_of(video)]
            )
        errors: list[str] = []
        ready = 0
        for video in failed:
            try:
                report = self.ingest([self.path_of(video)], video.collection, observer=observer)
            except MediaError as error:
                errors.append(str(error))
                continue
            errors += [f"{failure.error}. {failure.hint}" for failure in report.failures]
            ready += not report.failures
        return Retried(len(failed), chunks, ready, tuple(errors))

    def cancel(self, video_ids: Sequence[int] | None = None) -> int:
        """Drops waiting chunks, and files that wait to be planned where no videos are named; the
        number of both.
        """
        with self.catalog.begin() as session:
            if video_ids is None:
                return jobs.cancel(session, "plan") + chunk_tasks.cancel(
                    session, [video.id for video in videos.list_videos(session)]
                )
            return chunk_tasks.cancel(
                session, [videos.get_video(session, video_id).id for video_id in video_ids]
            )

    # --- asking ---

    def search(
        self,
        question: str,
        *,
        collections: Sequence[str] | None = None,
        top: int = 10,
        video_id: int | None = None,
        only: Iterable[str] | None = None,
        filters: Filters | None = None,
        titles: bool = False,
        ground: bool = False,
    ) -> Answer:
        """Moments, best first; `only` keeps what matched by these kinds of evidence (picture,
        speech, screen, event).

        `titles`: the names and dates of files are evidence too. `filters`: which files may answer.
        `ground`: LEGO looks at the best moments again; without a checkpoint a note says what is
        missing.
        """
        scope = self.filtered(self.scope(collections, video_id, only), filters)
        answer = self.searcher.search(question, replace(scope, titles=titles), top=top)
        if not ground:
            return answer
        from indexer.search.verify import verify

        return verify(self, answer)

    def ask(
        self,
        video: str,
        question: str,
        *,
        at_s: float | None = None,
        sound: bool = False,
        picture: Path | None = None,
    ) -> Reply:
        """LEGO about a video (its number or a path), the frame at `at_s` (boxes drawn to
        `picture`), or its sound.
        """
        from indexer.search.ask import ask

        return ask(self, video, question, at_s=at_s, sound=sound, picture=picture)

    def search_picture(
        self,
        name: str,
        *,
        collections: Sequence[str] | None = None,
        top: int = 10,
        filters: Filters | None = None,
    ) -> Answer:
        """Moments that look like a picture, which was kept under `name`
        (indexer/questions/query_pictures.py).
        """
        from indexer.search.by_picture import picture_vector, search_vector

        return search_vector(
            self,
            picture_vector(self, name),
            self.filtered(self.scope(collections, None, None), filters),
            top,
        )

    def more_like(
        self,
        video_id: int,
        span: Span,
        *,
        collections: Sequence[str] | None = None,
        top: int = 10,
        filters: Filters | None = None,
    ) -> Answer:
        """Moments that look like one of the library."""
        from indexer.search.by_picture import moment_vector, search_vector

        scope = self.filtered(self.scope(collections, None, None), filters)
        return search_vector(
            self, moment_vector(self, video_id, span), scope, top, (video_id, span)
        )

    def curve(
        self,
        video_id: int,
        *,
        question: str = "",
        like: tuple[int, Span] | None = None,
        picture: str = "",
    ) -> Curve:
        """How well each part of a video fits a question, a moment or a kept picture; with none of
        them its cuts alone.
        """
        from indexer.questions.statement import read_question
        from indexer.search.by_picture import moment_vector, picture_vector
        from indexer.search.curve import curve

        query = None
        if like is not None:
            query = moment_vector(self, *like)
        elif picture:
            query = picture_vector(self, picture)
        elif question.strip() and self.embedder.reads(caption := read_question(question).caption):
            query = self.embedder.embed_texts([caption])[0]
        return curve(self, video_id, query)

    def filtered(self, scope: Scope, filters: Filters | None) -> Scope:
        """The part of a scope whose files pass the filters."""
        from indexer.catalog.selection import filtered_videos

        if filters is None or filters.is_empty:
            return scope
        with self.catalog.read() as session:
            ids = filtered_videos(session, scope.collection_ids, filters)
        known = ids if scope.video_ids is None else [id for id in ids if id in scope.video_ids]
        return replace(scope, video_ids=tuple(known))

    def scope(
        self, names: Sequence[str] | None, video_id: int | None, only: Iterable[str] | None
    ) -> Scope:
        from indexer.search.searcher import KINDS, Scope

        kinds = tuple(only) if only else KINDS
        for kind in kinds:
            if kind not in KINDS:
                raise UsageError(
                    "{kind!r} is no kind of evidence",
                    "choose from {kinds}",
                    kind=kind,
                    kinds=", ".join(KINDS),
                )
        with self.catalog.read() as session:
            collection_ids = (
                tuple(collections.find_collections(session, list(names))) if names else None
            )
            if video_id is not None:
                videos.get_video(session, video_id)
        return Scope(collection_ids, None if video_id is None else (video_id,), kinds)

    def evaluate(
        self,
        ground_truth: Path,
        collection: str = DEFAULT_COLLECTION,
        *,
        only: Iterable[str] | None = None,
        ground: bool = False,
        wrap: Callable[[Sequence[Row]], Iterable[Row]] = iter,
    ) -> Report:
        """Asks every row of a ground truth of one collection; `ground`: LEGO too, with how often
        its spans were accepted.
        """
        from indexer.evaluation.evaluate import evaluate_library

        return evaluate_library(self, ground_truth, collection, only, wrap, ground=ground)

    def score(self, ground_truth: Path, predictions: Path) -> Report:
        """Scores a file of predictions against a ground truth; asks nothing."""
        from indexer.evaluation.scoring import load_predictions, load_rows, score_predictions

        return score_predictions(load_rows(ground_truth), load_predictions(predictions))

    def spans_in_video(self, question: str, video_id: int) -> list[ScoredSpan]:
        return self.searcher.spans_in_video(question, video_id)

    # --- watching ---

    def playback(self, video_id: int) -> Playback:
        """What a browser is given of the video, if anything yet."""
        from indexer.admin.playback import playback

        return playback(self, video_id)

    def make_proxy(self, video_id: int, progress: Callable[[float], None]) -> None:
        """Makes the copy that browsers play, where it is not there yet; `progress` is told the
        share that is done.
        """
        from indexer.admin.playback import make_proxy_of

        make_proxy_of(self, video_id, progress)

    def thumbnail_near(self, video_id: int, time_s: float) -> Path | None:
        """The stored picture that is nearest to the time."""
        with self.catalog.read() as session:
            found_s = chunks.thumbnail_near(session, video_id, time_s)
        path = None if found_s is None else self.artefacts.thumbnail(video_id, found_s)
        return path if path is not None and path.exists() else None

    @property
    def has_lego(self) -> bool:
        """Whether a LEGO checkpoint is set up."""
        return bool(self.settings.lego_path)

    def warm(self) -> None:
        """Loads what the first question needs: models, and of a library that holds videos the index
        and what answers stand out from.
        """
        self.embedder.embed_texts(["a picture"])
        self.search("a picture", titles=True)
        keys = self.vector_keys()
        for stage, key in keys:
            self.index_of(key, stage).refresh()
        if any(stage != "picture" for stage, _ in keys):
            self.searcher.search(
                "something is said", self.scope(None, None, ["speech", "screen", "event"]), top=1
            )

    # --- looking after it ---

    def videos(
        self, names: Sequence[str] | None = None, *, newest: int | None = None, named: str = ""
    ) -> list[Video]:
        """Videos of these collections (of all) in the order in which they were added.

        `newest`: at most so many, those added last. `named`: a piece of the title or the file's
        name, in any case of letters.
        """
        from indexer.catalog.selection import filtered_videos

        with self.catalog.read() as session:
            ids = collections.find_collections(session, list(names)) if names else None
            if newest is None and not named:
                return [
                    self._shown(video) for video in videos.list_videos(session, collection_ids=ids)
                ]
            found = filtered_videos(session, ids, Filters(name=named), newest=newest)
            return [self._shown(video) for video in videos.get_videos(session, found).values()]

    def video(self, video_id: int) -> Video:
        with self.catalog.read() as session:
            return self._shown(videos.get_video(session, video_id))

    def _shown(self, video: videos.VideoRow) -> Video:
        return Video(
            video.id,
            video.collection,
            tuple(
                VideoPath(self._path_text(path.root, path.relative_path), path.offline)
                for path in video.paths
            ),
            video.state,
            video.error or "",
            video.duration_s,
            video.width,
            video.height,
            video.size_bytes,
            video.title,
            video.recorded_at,
        )

    def _path_text(self, root: str, relative_path: str) -> str:
        """Where this machine finds a file; `root:path` where it does not know the root."""
        return (
            str(self.roots.join(root, relative_path))
            if root in self.roots.folders
            else f"{root}:{relative_path}"
        )

    def shown_path(self, video: videos.VideoRow) -> str:
        """The first path of a video that is not offline, as this machine finds it; empty where it
        has none.
        """
        paths = sorted(video.paths, key=lambda path: path.offline)
        return self._path_text(paths[0].root, paths[0].relative_path) if paths else ""

    def path_of(self, video: videos.VideoRow) -> Path:
        """A path at which the bytes of the video are now; MediaError where there is none."""
        if (place := self._place_of(video)) is not None:
            return place
        places = ", ".join(self._path_text(path.root, path.relative_path) for path in video.paths)
        raise MediaError(
            "the file of video {id} is not at {places}",
            "bring it back, or ingest the folder that it was moved to",
            id=video.id,
            places=places,
        )

    def _place_of(self, video: videos.VideoRow) -> Path | None:
        known = (
            self.roots.join(path.root, path.relative_path)
            for path in video.paths
            if path.root in self.roots.folders
        )
        return next((place for place in known if os.path.exists(place)), None)

    def collections(self) -> list[CollectionInfo]:
        with self.catalog.read() as session:
            return collections.list_collections(session)

    def remove(self, *, video_ids: Sequence[int] = (), collections: Sequence[str] = ()) -> Removed:
        """Takes videos and collections out of the library and frees their disk space; the files
        stay.
        """
        from indexer.admin.removal import remove

        return remove(self, video_ids, collections)

    def status(self) -> Status:
        from indexer.admin.status import status

        return status(self)

    def doctor(self) -> list[Check]:
        from indexer.admin.doctor import examine

        return examine(self)

    def models(self) -> list[ModelState]:
        from indexer.admin.models import model_states

        return model_states(self.settings)

    def upgrade_database(self) -> str:
        from indexer.catalog.database.migrate import revision, upgrade

        upgrade(self.settings.url)
        return revision(self.settings.url) or ""

    def subtitles(self, video_id: int, output: Path) -> int:
        """Writes the speech of a video as SRT; how many cues."""
        from indexer.admin.export import write_subtitles

        return write_subtitles(self, video_id, output)

    def transcripts(self, names: Sequence[str] | None, output: Path) -> int:
        """Writes speech and screen text of collections as JSON lines; how many lines."""
        from indexer.admin.export import write_transcripts

        return write_transcripts(self, names, output)

    def clip(self, video: str, start_s: float, end_s: float, output: Path) -> None:
        """Writes [start_s, end_s) of a video (its number, or the path of any file) as MP4."""
        from indexer.media.output.clips import cut_clip

        if end_s <= start_s:
            raise UsageError(
                "the clip would end ({end_s:g} s) before it starts ({start_s:g} s)",
                "give START before END",
                end_s=end_s,
                start_s=start_s,
            )
        if video.isdecimal() and not os.path.exists(video):
            with self.catalog.read() as session:
                source = self.path_of(videos.get_video(session, int(video)))
        else:
            source = Path(video).expanduser()
        cut_clip(source, start_s, end_s, output, self.settings)
