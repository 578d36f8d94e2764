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
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from grounding.spans import ScoredSpan, Span
from indexer import admin, chapters, evaluation, ingest, questions, search
from indexer import queue as work_queue
from indexer.admin import videos as video_list
from indexer.artefacts import Artefacts
from indexer.catalog import audit, collections, database, people, videos
from indexer.catalog.audit import Actor, AuditEntry
from indexer.catalog.collections import CollectionInfo
from indexer.catalog.database.column_types import sanitize_text
from indexer.catalog.database.maintenance import compact
from indexer.catalog.database.session import Catalog
from indexer.catalog.objects.upkeep import move_all
from indexer.catalog.thumbnails import nearest_thumbnail_s
from indexer.catalog.video_queries import Filters
from indexer.context import Context
from indexer.embedders.base import Embedder
from indexer.errors import UsageError
from indexer.grounder.configured import grounder_name
from indexer.media import output as media_output
from indexer.paths import EVERYTHING, Reach, Roots, absolute_path
from indexer.questions.statement import read_question
from indexer.queue.publish_snapshots import publish
from indexer.search import second_opinion
from indexer.search.curve import Curve, Lane, curve, passage_lanes, sound_curve
from indexer.search.scope import make_scope
from indexer.search.searcher import Searcher
from indexer.search.types import Answer
from indexer.settings import Settings, keep_settings
from indexer.valid_numbers import require_newest, require_time, require_top
from indexer.valid_text import require_valid_text
from indexer.vectors.base import Published
from indexer.vocabulary import SEARCHED_KINDS, AuditAction, EvidenceKind, StageName

if TYPE_CHECKING:
    from indexer.admin.backup import BackupReport, RestoreReport
    from indexer.admin.export import TranscriptLine
    from indexer.admin.models.download import Offer
    from indexer.admin.models.states import ModelState
    from indexer.admin.playback import Playback
    from indexer.admin.reports import Check, Removed
    from indexer.admin.status import Status
    from indexer.admin.videos import Video
    from indexer.chapters.chapters import Chapter
    from indexer.evaluation.ground_truth import Row
    from indexer.evaluation.report import Report
    from indexer.ingest.report import IngestReport, Observer
    from indexer.queue.retry import Retried
    from indexer.search.second_opinion.ask import Reply

DEFAULT_COLLECTION = "default"


class Library:
    """One library; cheap to make, models and indexes are loaded when first used. Safe to share
    between threads.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.context = Context(settings)
        self._lock = threading.Lock()
        self._searcher: Searcher | None = None

    # --- what it is made of ---

    @property
    def settings(self) -> Settings:
        """The settings that it was made with."""
        return self.context.settings

    @property
    def artefacts(self) -> Artefacts:
        """Thumbnails and copies for browsers."""
        return self.context.artefacts

    @property
    def roots(self) -> Roots:
        """The media roots of this machine."""
        return self.context.roots

    @property
    def catalog(self) -> Catalog:
        """The database, opened when first used."""
        return self.context.catalog

    @property
    def embedder(self) -> Embedder:
        """The embedder that the settings name. Raises ModelError."""
        return self.context.embedder

    @property
    def searcher(self) -> Searcher:
        """Answers questions; made when first used."""
        with self._lock:
            if self._searcher is None:
                self._searcher = Searcher(self.context)
            return self._searcher

    @property
    def grounder_name(self) -> str:
        """The configured grounder as people know it, such as LEGO; empty where none is."""
        return grounder_name(self.settings) if self.settings.grounder_kind else ""

    # --- ingest ---

    def ingest(
        self,
        paths: Sequence[str | os.PathLike[str]],
        collection: str = DEFAULT_COLLECTION,
        *,
        fast: bool = False,
        adaptive: bool | None = None,
        events: bool | None = None,
        queue: bool = False,
        language: str | None = None,
        observer: Observer | None = None,
        reach: Reach = EVERYTHING,
    ) -> IngestReport:
        """Makes files and folders searchable; safe to stop and to repeat. Files that fail are named
        in the report, the rest goes on.

        `fast`: from keyframes alone. `adaptive`: in full only where something happens; None: as
        the setting says. `events`: whether the grounder describes every window; None: where it is
        a model of this machine's own and the device is a GPU. `queue`: notes the files for workers
        and returns at once. `language`: what is mostly spoken in the collection (ISO 639-1), for
        videos whose own language is unclear; empty: it is not known; None: as before. `reach`:
        where files may lie, links resolved.
        """
        require_valid_text(collection)
        if not collection.strip():
            raise UsageError("the name of the collection is empty", "choose a name")
        if language is not None:
            with self.catalog.begin() as session:
                collection_id = collections.ensure_collection(session, collection)
                collections.set_language(session, collection_id, language)
        if reach == EVERYTHING:
            self._give_folders(paths, collection)
        if queue:
            return work_queue.submit.enqueue(
                self.context,
                paths,
                collection,
                fast=fast,
                adaptive=adaptive,
                events=events,
                reach=reach,
            )
        stages = self.context.stages(fast=fast, adaptive=adaptive, events=events)
        run = ingest.run.Ingest(self.catalog, self.settings, stages, observer)
        report = run.run(paths, collection, reach)
        self.publish(force=False)
        if events is None and self.grounder_name and not self.context.events_by_default:
            note = ingest.events_note.events_note(self.context)
            report = replace(report, notes=(*report.notes, *filter(None, [note])))
        return report

    def _give_folders(self, paths: Sequence[str | os.PathLike[str]], collection: str) -> None:
        """What whoever runs this adds to a collection belongs to it from then on."""
        added = [str(path) for path in map(absolute_path, paths) if path.is_dir()]
        with self.catalog.begin() as session:
            collection_id = collections.ensure_collection(session, collection)
            for path in added:
                people.folders.add_folder(session, collection_id, sanitize_text(path))

    def publish(self, *, force: bool) -> list[Published]:
        """Writes new vector snapshots where one is due (or, with `force`, wherever there are
        vectors).
        """
        return publish(self.context, force=force)

    def reindex(self) -> list[Published]:
        """Writes all vector snapshots again."""
        return self.publish(force=True)

    def request_artefacts(self, video_ids: Sequence[int] | None = None) -> int:
        """Asks workers for the thumbnails and the copies for browsers that videos (None: all) lack;
        for how many videos.
        """
        return work_queue.submit.request_artefacts(self.context, video_ids)

    def retry(
        self, video_ids: Sequence[int] | None = None, observer: Observer | None = None
    ) -> Retried:
        """Does failed chunks again, of these videos or of all; where workers are configured, they
        do.
        """
        return work_queue.retry.retry(self.context, video_ids, observer)

    def cancel(self, video_ids: Sequence[int] | None = None) -> int:
        """Drops waiting chunks, and files that wait to be planned where no videos are named; the
        number of both.
        """
        return work_queue.retry.cancel(self.context, video_ids)

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
        """Moments, best first.

        `only`: the kinds of evidence that count (picture, speech, screen, sound, event). `titles`:
        the names and dates of files are evidence too. `filters`: which files may answer. `ground`:
        a grounder looks at the best moments again; without one a note says what is missing.
        """
        require_valid_text(question)
        require_top(top)
        scope = make_scope(self.context, collections, video_id=video_id, only=only, filters=filters)
        answer = self.searcher.search(question, replace(scope, titles=titles), top=top)
        if not ground:
            return answer
        return second_opinion.verify.verify(self.context, answer)

    def search_picture(
        self,
        name: str,
        *,
        question: str = "",
        collections: Sequence[str] | None = None,
        top: int = 10,
        filters: Filters | None = None,
    ) -> Answer:
        """Moments that look like a picture, which was kept under `name`
        (indexer/questions/query_pictures.py); with a `question`, those that answer it too, at most
        100.
        """
        require_top(top)
        vector = search.by_picture.picture_vector(self.context, name)
        scope = make_scope(self.context, collections, filters=filters)
        if question.strip():
            answer = self.searcher.search(question, scope, top=search.by_picture.COMPARED)
            return search.by_picture.that_look_like(self.context, answer, vector, top)
        return search.by_picture.search_vector(self.context, self.searcher, vector, scope, top)

    def keep_picture(self, data: bytes) -> str:
        """Keeps a picture (JPEG, PNG, WebP) to search by: its name. Raises MediaError for what is
        none, UsageError where too many come at once.
        """
        return questions.query_pictures.keep_picture(self.settings, data)

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
        require_top(top)
        vector = search.by_picture.moment_vector(self.context, video_id, span)
        scope = make_scope(self.context, collections, filters=filters)
        return search.by_picture.search_vector(
            self.context, self.searcher, vector, scope, top, (video_id, span)
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
        them its cuts alone. Raises UsageError for two of them.
        """
        require_valid_text(question)
        if sum((bool(question.strip()), like is not None, bool(picture))) > 1:
            raise UsageError(
                "a curve is that of a question, of a moment or of a picture",
                "ask once for each of them",
            )
        queries = None
        if like is not None:
            queries = search.by_picture.moment_vector(self.context, *like)[None]
        elif picture:
            queries = search.by_picture.picture_vector(self.context, picture)[None]
        elif question.strip():
            queries = self.searcher.curve_vectors(question)
        return curve(self.context, video_id, queries)

    def sound_curve(self, video_id: int, question: str) -> Curve:
        """How well what is heard in each part of a video fits a question."""
        return sound_curve(self.context, video_id, read_question(question).statements)

    def lanes(
        self,
        video_id: int,
        *,
        question: str = "",
        like: tuple[int, Span] | None = None,
        picture: str = "",
    ) -> dict[str, Lane]:
        """Kind of evidence -> what of it fits a question, a moment or a kept picture in a video.
        Kinds that say nothing are left out; nothing at all where nothing is asked. Raises as
        `curve`.
        """
        seen = self.curve(video_id, question=question, like=like, picture=picture)
        lanes: dict[str, Lane] = {EvidenceKind.PICTURE: Lane(seen.times_s, seen.values)}
        if question.strip() and like is None and not picture:
            lanes |= passage_lanes(self.searcher.passages_in_video(question, video_id))
            # Scaled to the video, a sound that nobody asked for would look like an answer.
            if (sounds := lanes.get(EvidenceKind.SOUND)) is not None:
                heard = self.sound_curve(video_id, question)
                lanes[EvidenceKind.SOUND] = Lane(heard.times_s, heard.values, sounds.spans)
        return {kind: lane for kind, lane in lanes.items() if lane.times_s or lane.spans}

    def spans_in_video(self, question: str, video_id: int) -> list[ScoredSpan]:
        """The best spans of one video, best first."""
        require_valid_text(question)
        return self.searcher.spans_in_video(question, video_id)

    def chapters(
        self,
        video_id: int,
        *,
        ground: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Chapter]:
        """The parts of a video in order, each with a name where its words or sounds give one; none
        of a video shorter than 20 s. `ground`: the grounder names them now; its names are kept.
        `progress` is called before each with how many it has looked at, and of how many.

        Raises CatalogError for an unknown video; with `ground` as `ask`.
        """
        namer = partial(self.name_chapter, video_id) if ground else None
        return chapters.chapters.list_chapters(self.context, video_id, namer, progress)

    def ask(
        self,
        video: str,
        question: str,
        *,
        at_s: float | None = None,
        sound: bool = False,
        span: Span | None = None,
        picture: Path | None = None,
    ) -> Reply:
        """The grounder about a video (its number or a path), the frame at `at_s` (boxes drawn to
        `picture`), or its sound. `span`: the part of the video to look at; None: where the
        question's best moment is.

        Raises ModelError without a grounder, MediaError for a file that cannot be read, UsageError
        for a question that cannot be asked.
        """
        require_valid_text(video, question)
        if at_s is not None:
            require_time(at_s)
        return second_opinion.ask.ask(
            self.context,
            self.searcher,
            video,
            question,
            at_s=at_s,
            sound=sound,
            span=span,
            picture=picture,
        )

    def locate(self, video: str, phrase: str, at_s: float) -> Reply:
        """Boxes of what the phrase names in the frame at `at_s`. Raises as `ask`."""
        return second_opinion.ask.locate(self.context, video, phrase, at_s)

    def name_chapter(self, video_id: int, span: Span) -> str:
        """A title of a few words for a part of a video, from its pictures, what is said and what is
        written. Raises as `ask`.
        """
        return second_opinion.chapter.name_chapter(self.context, video_id, span)

    def warm(self) -> None:
        """Loads what the first question needs: models, and of a library that holds videos the index
        and what answers stand out from.
        """
        self.embedder.embed_texts(["a picture"])
        self.search("a picture", titles=True)
        keys = self.context.vector_keys()
        for stage, key in keys:
            self.context.index_of(key, stage).refresh()
        if any(stage != StageName.PICTURE for stage, _ in keys):
            texts = [kind for kind in SEARCHED_KINDS if kind != EvidenceKind.PICTURE]
            self.search("something is said", only=texts, top=1)

    def evaluate(
        self,
        ground_truth: Path | None,
        collection: str | Sequence[str] = DEFAULT_COLLECTION,
        *,
        only: Iterable[str] | None = None,
        ground: bool = False,
        wrap: Callable[[Sequence[Row]], Iterable[Row]] = iter,
    ) -> Report:
        """Asks every row of a ground truth of a collection, or of several whose files have
        different names; None: of what people said of answers. `ground`: the grounder too, with
        how often its spans were accepted. `wrap` is given the rows and may show progress.
        """
        names = (collection,) if isinstance(collection, str) else tuple(collection)
        rows: Path | Sequence[Row] = (
            evaluation.feedback.feedback_rows(self.context, names)
            if ground_truth is None
            else ground_truth
        )
        return evaluation.evaluate.evaluate_library(
            self.context, self.searcher, rows, names, only, wrap, ground=ground
        )

    def score(self, ground_truth: Path, predictions: Path) -> Report:
        """Scores a file of predictions against a ground truth; asks nothing."""
        rows = evaluation.ground_truth.load_rows(ground_truth)
        predicted = evaluation.ground_truth.load_predictions(predictions)
        return evaluation.submissions.score_predictions(rows, predicted)

    def give_feedback(self, question: str, video_id: int, span: Span, *, good: bool) -> None:
        """Notes whether a span of a video shows what was asked; `evaluate` takes it as ground
        truth. Raises CatalogError for an unknown video, UsageError for an empty question and for a
        span that is not in the video.
        """
        require_valid_text(question)
        with self.catalog.begin() as session:
            videos.get_video(session, video_id)
            people.feedback.add_feedback(session, question, video_id, span, good)

    # --- watching ---

    def playback(self, video_id: int) -> Playback:
        """What a browser is given of the video, if anything yet."""
        return admin.playback.playback(self.context, video_id)

    def make_proxy(self, video_id: int, progress: Callable[[float], None]) -> None:
        """Makes the copy that browsers play, where it is not there yet; `progress` is called with
        the share that is done.
        """
        admin.playback.make_proxy_of(self.context, video_id, progress)

    def thumbnail_near(self, video_id: int, time_s: float) -> Path | None:
        """The stored picture that is nearest to the time."""
        with self.catalog.read() as session:
            found_s = nearest_thumbnail_s(session, video_id, time_s)
        path = None if found_s is None else self.artefacts.thumbnail(video_id, found_s)
        return path if path is not None and path.exists() else None

    def find_still(self, video_id: int, place: float | Span) -> Path | None:
        """The picture of 640 pixels that `make_still` made of a time or a span, if it has."""
        return admin.stills.find_still(self.context, video_id, place)

    def make_still(self, video_id: int, place: float | Span) -> Path:
        """A picture of 640 pixels of the frame shown at a time, or five frames of a span side by
        side.
        """
        return admin.stills.make_still(self.context, video_id, place)

    def frame(self, video_id: int, at_s: float) -> bytes:
        """The frame shown at a time, 640 pixels wide, as WebP; after the end of the video its last
        one. Raises UsageError for a time that is none.
        """
        require_time(at_s)
        return self.make_still(video_id, at_s).read_bytes()

    def clip(
        self,
        video: str,
        start_s: float,
        end_s: float,
        output: Path,
        *,
        sound_only: bool = False,
    ) -> None:
        """Writes [start_s, end_s) of a video (its number, or the path of any file) as MP4.

        Its sound alone where `sound_only` asks for it, where the name of `output` says so (`.m4a`,
        `.mp3`, `.wav`, `.flac`, `.ogg`, `.opus`, `.aac`), and where there are no pictures.
        """
        media_output.clips.require_part(start_s, end_s)
        if video.isdecimal() and not os.path.exists(video):
            with self.catalog.read() as session:
                source = self.context.path_of(videos.get_video(session, int(video)))
        else:
            source = Path(video).expanduser()
        media_output.clips.cut_clip(
            source, start_s, end_s, output, self.settings, sound_only=sound_only
        )

    def subtitles(self, video_id: int, output: Path) -> int:
        """Writes the speech of a video as SRT; how many cues."""
        return admin.export.write_subtitles(self.context, video_id, output)

    def transcript(self, video_id: int) -> list[TranscriptLine]:
        """Everything that is said, written or heard in a video, in the order of time. Raises
        CatalogError for an unknown video.
        """
        return admin.export.transcript(self.context, video_id)

    def transcripts(self, names: Sequence[str] | None, output: Path) -> int:
        """Writes speech and screen text of collections as JSON lines; how many lines."""
        return admin.export.write_transcripts(self.context, names, output)

    # --- looking after it ---

    def videos(
        self, names: Sequence[str] | None = None, *, newest: int | None = None, named: str = ""
    ) -> list[Video]:
        """Videos of these collections (None: of all) in the order in which they were added.

        `newest`: at most so many, those added last. `named`: a piece of the title or the file's
        name, in any case of letters.
        """
        require_valid_text(named)
        require_newest(newest)
        return video_list.list_videos(self.context, names, newest=newest, named=named)

    def videos_of(self, video_ids: Sequence[int]) -> list[Video]:
        """Those of the videos that exist, in the order in which they were added."""
        return video_list.videos_of(self.context, video_ids)

    def video(self, video_id: int) -> Video:
        """Raises CatalogError for an unknown video."""
        return video_list.get_video(self.context, video_id)

    def collections(self) -> list[CollectionInfo]:
        """All collections, by name."""
        with self.catalog.read() as session:
            return collections.list_collections(session)

    def remove(
        self,
        *,
        video_ids: Sequence[int] = (),
        collections: Sequence[str] = (),
        actor: Actor | None = None,
    ) -> Removed:
        """Takes videos and collections out of the library and frees their disk space; the files
        stay. `actor`: who wants it, for the audit log; None: whoever is at this machine.
        """
        return admin.removal.remove(
            self.context, video_ids, collections, actor or admin.local_actor.local_actor()
        )

    def audit_log(
        self,
        *,
        last: int = 100,
        actions: Sequence[AuditAction] = (),
        who: str | None = None,
        since: datetime | None = None,
    ) -> list[AuditEntry]:
        """Entries of the audit log, the newest first: of these actions, of this name, and not
        before `since`.
        """
        with self.catalog.read() as session:
            return audit.list_entries(session, last=last, actions=actions, who=who, since=since)

    def status(self) -> Status:
        """What the library holds, what waits, and what it costs."""
        return admin.status.status(self.context)

    def stray_uploads(self) -> list[Path]:
        """Uploaded files that belong to no video and wait in no job, by name."""
        return admin.uploads.list_stray_uploads(self.context)

    def doctor(self) -> list[Check]:
        """Checks the installation and says how to fix what is wrong."""
        return admin.doctor.examine(self.context)

    def models(self) -> list[ModelState]:
        """The models that are known, and whether they are installed and in use."""
        return admin.models.states.model_states(self.settings)

    def model_offer(self, name: str) -> Offer:
        """What fetching a model from the hub means: its size, licence, and the settings that choose
        it. Raises UsageError for a name that is not known, ModelError where no hub answers.
        """
        return admin.models.download.get_offer(self.settings, name)

    def fetch_model(
        self, offer: Offer, progress: Callable[[int], None] = lambda done: None
    ) -> Path:
        """Fetches a model, or goes on where that stopped; `progress` is told the bytes that are
        there. The folder, with every file checked. Raises ModelError, StorageError.
        """
        return admin.models.download.fetch(offer, progress)

    def use_model(self, offer: Offer) -> Path:
        """Chooses a model for all later processes, in the file of settings, which is returned."""
        return keep_settings(self.settings, offer.settings)

    def backup(self, folder: Path) -> BackupReport:
        """Copies the catalog, uploads, thumbnails, secrets and settings into a new folder, while
        the library is in use.
        """
        return admin.backup.backup(self.context, folder)

    def restore(
        self, folder: Path, *, verify: bool = False, replace: bool = False
    ) -> RestoreReport:
        """Brings a backup back into an empty home and database; with `replace` a SQLite catalog
        that is there is kept aside. `verify`: what was brought back is compared with the backup.
        """
        return admin.backup.restore(self.context, folder, verify=verify, replace=replace)

    def move_frames(
        self, *, to_storage: bool = True, progress: Callable[[int], None] = lambda done: None
    ) -> int:
        """Moves the vectors of frames out of the database into the object storage that the settings
        name, or back, while the library is in use; `progress` is told how many chunks are done.
        How many there were. Raises UsageError where no storage is set.
        """
        count = move_all(self.catalog, to_store=to_storage, progress=progress)
        compact(self.catalog, admin.removal.WORTH_REWRITING)
        return count

    def upgrade_database(self, *, anyway: bool = False) -> str:
        """Brings the database to the revision of this program, and returns it. Raises UsageError
        while workers or pages of an older version are at work, unless it is done `anyway`.
        """
        if not anyway:
            database.migrate.require_idle(self.settings.url)
        database.migrate.upgrade(self.settings.url)
        return database.migrate.revision(self.settings.url) or ""
