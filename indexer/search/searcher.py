"""A question becomes moments: statements -> vectors -> segments -> frames around them -> spans ->
one ranked answer.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from grounding.spans import ScoredSpan
from indexer.catalog import videos
from indexer.catalog.frames import (
    StoredBlock,
    get_cuts,
    get_stored_blocks,
    get_video_blocks,
)
from indexer.catalog.segments import get_segments
from indexer.catalog.thumbnails import nearest_thumbnails_s
from indexer.catalog.vectors.live_chunks import LiveState
from indexer.catalog.vectors.live_value import LiveValue
from indexer.catalog.vectors.vector_rows import sample_vectors
from indexer.context import Context
from indexer.embedders.base import Embedder
from indexer.embedders.text.scripts import unread_words
from indexer.embedders.text.sentences import LOADING_TEXT
from indexer.errors import CatalogBusy, ModelError, UsageError
from indexer.formatting import video_title
from indexer.messages import Message
from indexer.process.threads import numpy_on_one_thread
from indexer.process.tracing import trace_calls
from indexer.questions.negation import Negation
from indexer.questions.statement import Question, Statement, read_question
from indexer.search.calibration import MATCH_PROBABILITY
from indexer.search.candidates import candidate_chunks
from indexer.search.distinct import drop_repeats
from indexer.search.evidence import titles
from indexer.search.evidence.sound import SoundSearch
from indexer.search.evidence.text import STAGE_OF, TextAnswer, TextSearch
from indexer.search.interleave import interleave
from indexer.search.merge_overlapping import fuse, probability_of
from indexer.search.neutral_baseline import neutral_vectors
from indexer.search.query_vectors import query_vectors
from indexer.search.ranking import rank_moments
from indexer.search.scope import served_keys, with_served_keys
from indexer.search.types import Answer, Block, FusedMoment, Moment, PassageHit, Ranking, Scope
from indexer.stages.base import embedder_key_of
from indexer.vocabulary import EvidenceKind, StageName

CANDIDATE_SEGMENTS = 400
RANKED_MOMENTS = 50
# Probability of a passage or a sound that is named beside pictures: of half of the words.
MIN_SUPPORT = 0.059
NOTHING = Ranking(moments=(), confidence=0.0, matched=False)
BACKGROUND_SEGMENTS = 500
MOST_BACKGROUNDS = 32  # sets of collections that are remembered, half a megabyte each


@dataclass(frozen=True, slots=True)
class _Background:
    chunks: int
    vectors: np.ndarray


@dataclass(frozen=True, slots=True)
class _Answered:
    moments: Sequence[FusedMoment]
    matched: bool
    confidence: float
    notes: list[Message]


class Searcher:
    """Answers questions over one library. Safe to share between threads."""

    def __init__(self, context: Context) -> None:
        numpy_on_one_thread()
        self._context = context
        self._catalog = context.catalog
        self._texts = TextSearch(context)
        self._sounds = SoundSearch(context)
        self._backgrounds: dict[tuple[str, tuple[int, ...] | None], LiveValue[_Background]] = {}
        self._neutral: dict[str, np.ndarray] = {}

    @trace_calls("search")
    def search(self, text: str, scope: Scope, *, top: int = 10, per_video: int = 3) -> Answer:
        """Moments for a question, best first, at most `top` of them and `per_video` of one video.
        Raises UsageError for an empty question, ModelError for a script that no installed model
        reads.
        """
        try:
            with self._catalog.read_from_one_server():
                return self._search(text, scope, top, per_video)
        except CatalogBusy:
            if self._catalog.replica is None:
                raise
        # The replica went away under it.
        with self._catalog.read_from_one_server(primary=True):
            return self._search(text, scope, top, per_video)

    def _search(self, text: str, scope: Scope, top: int, per_video: int) -> Answer:
        question = read_question(text)
        if not question.statement.strip():
            raise UsageError("the question is empty", 'say what happens: "when does the dog jump?"')
        scope = with_served_keys(self._catalog, scope)
        loading_ms = self._load(scope)
        started = time.perf_counter()
        answered = [
            self._answer(statement, scope, max(top, RANKED_MOMENTS), per_video)
            for statement in question.statements
        ]
        moments = interleave(
            [
                self._describe(one, statement, max(top, 1))
                for one, statement in zip(answered, question.statements, strict=True)
            ]
        )
        notes = [*_question_notes(question, answered), *(n for one in answered for n in one.notes)]
        took_ms = (time.perf_counter() - started) * 1000
        return Answer(
            text,
            question.statement,
            any(one.matched for one in answered),
            took_ms,
            tuple(moments[: max(top, 1)]),
            max(one.confidence for one in answered),
            tuple(dict.fromkeys(notes)),
            loading_ms,
        )

    @trace_calls("search.load")
    def _load(self, scope: Scope) -> float:
        """Loads the models that the first question in this scope needs; how long it took, in ms. A
        model that is missing is said by the search itself.
        """
        started = time.perf_counter()
        keys = served_keys(self._catalog, scope, StageName.PICTURE)
        with suppress(ModelError):
            wanted = keys and "picture" in scope.kinds
            if wanted and self._context.embedder.key not in self._neutral:
                self._neutral_vectors(self._context.embedder)
                self._context.embedder.embed_texts([LOADING_TEXT])
        with suppress(ModelError):
            if scope.kinds != ("picture",):
                self._texts.load(scope)
        with suppress(ModelError):
            self._sounds.load(scope)
        return (time.perf_counter() - started) * 1000

    def _describe(self, answered: _Answered, statement: Statement, top: int) -> list[Moment]:
        moments = self.describe(
            replace(moment, score=moment.probability) for moment in answered.moments[:top]
        )
        return [replace(moment, statement=statement.text) for moment in moments]

    def spans_in_video(self, text: str, video_id: int, count: int = 5) -> list[ScoredSpan]:
        """The best spans of one given video, best first: from the curve of all its frames, and from
        what is said and written in it.
        """
        scope = with_served_keys(self._catalog, Scope(video_ids=(video_id,)))
        moments = interleave(
            [
                self._describe(self._answer(statement, scope, count, count), statement, count)
                for statement in read_question(text).statements
            ]
        )
        return [ScoredSpan(moment.span, moment.score) for moment in moments[:count]]

    def passages_in_video(self, text: str, video_id: int) -> dict[str, list[PassageHit]]:
        """The passages of one video that answer a question, by kind of evidence; sounds among
        them.
        """
        scope = with_served_keys(self._catalog, Scope(video_ids=(video_id,)))
        found: dict[str, list[PassageHit]] = {}
        for statement in read_question(text).statements:
            for kind, hits in self._found_texts(statement, scope).hits.items():
                found.setdefault(kind, []).extend(hits)
        return found

    def curve_vectors(self, text: str) -> np.ndarray | None:
        """(S, D) unit: what says where in a video each statement of a question holds; None where
        the embedder reads none of them.
        """
        embedder = self._context.embedder
        neutral = self._neutral_vectors(embedder)
        read = [one for one in read_question(text).statements if embedder.reads(one.text)]
        places = [query_vectors(embedder, statement, neutral).place for statement in read]
        return np.stack(places) if places else None

    def _answer(self, statement: Statement, scope: Scope, limit: int, per_video: int) -> _Answered:
        texts = self._found_texts(statement, scope)
        notes: list[Message] = []
        try:
            pictures, notes = self._pictures(statement, scope, limit, per_video)
        except ModelError as error:
            # What is said and written may answer a question that no picture model reads.
            if not texts.hits:
                raise
            pictures, notes = (
                NOTHING,
                [Message("pictures were not searched: {reason}", {"reason": error.what})],
            )
        fused = self._fuse(statement, scope, pictures, texts)
        # One rule for every kind of evidence, and for pictures that were found beside others.
        confidence = max((moment.probability for moment in fused), default=0.0)
        return _Answered(fused, confidence >= MATCH_PROBABILITY, confidence, notes)

    # --- picture ---

    @trace_calls("search.pictures")
    def _pictures(
        self, statement: Statement, scope: Scope, limit: int, per_video: int
    ) -> tuple[Ranking, list[Message]]:
        if "picture" not in scope.kinds:
            return NOTHING, []
        keys = served_keys(self._catalog, scope, StageName.PICTURE)
        if not keys:
            return NOTHING, []
        embedder = self._context.embedder
        if not embedder.reads(statement.text):
            raise ModelError(
                "no installed text model reads the script of {statement!r}",
                "{name} reads: {languages}; `seekpoint models` says how to get one that reads more",
                statement=statement.text,
                name=embedder.name,
                languages=", ".join(embedder.languages),
            )
        notes = [*_notes(keys, embedder), *_unread_note(statement.text, embedder)]
        neutral = self._neutral_vectors(embedder)
        query = query_vectors(embedder, statement, neutral)
        blocks: list[Block] = []
        background: list[_Background] = []
        for key in keys:
            if embedder_key_of(key) == embedder.key:
                blocks += self._blocks(key, query.video, scope)
                background.append(self._background(key, scope.collection_ids))
        if not blocks:
            return NOTHING, notes
        ranking = rank_moments(
            query,
            blocks,
            photographs=embedder.photographs,
            class_names=embedder.class_names,
            background=np.concatenate([sampled.vectors for sampled in background]),
            neutral=neutral,
            chunks=sum(sampled.chunks for sampled in background),
            per_video=per_video,
            limit=limit,
        )
        return ranking, notes

    def _blocks(self, key: str, query, scope: Scope) -> list[Block]:
        """The frames of the chunks that may hold the answer; of a video that was given, all."""
        if scope.video_ids is not None and len(scope.video_ids) == 1:
            with self._catalog.read_replica() as session:
                return _as_blocks(get_video_blocks(session, scope.video_ids[0], key))
        hits = self._context.index_for(key).search(query, CANDIDATE_SEGMENTS, scope.selection)
        if not len(hits.ids):
            return []
        with self._catalog.read_replica() as session:
            score_of = dict(zip(hits.ids.tolist(), hits.scores.tolist()))
            found = get_segments(session, hits.ids.tolist())
            chunk_ids = candidate_chunks(
                np.array([s.chunk_id for s in found]),
                np.array([s.video_id for s in found]),
                np.array([score_of[s.id] for s in found]),
            )
            return _as_blocks(get_stored_blocks(session, chunk_ids, key))

    def _neutral_vectors(self, embedder: Embedder) -> np.ndarray:
        """Vectors (P, D) of the neutral prompts that confidence is measured against."""
        if embedder.key not in self._neutral:
            self._neutral[embedder.key] = neutral_vectors(
                self._context.settings.cache, embedder.key, embedder.embed_texts
            )
        return self._neutral[embedder.key]

    def _background(self, key: str, collection_ids: tuple[int, ...] | None) -> _Background:
        """Segment vectors (B, D) sampled over the collections that are asked, None: all of them.
        They are what an answer must stand out from: other collections hold nothing that could be
        taken for it. They follow the library.
        """
        asked = (key, collection_ids)
        following = self._backgrounds.get(asked)
        if following is None:
            following = LiveValue(
                self._catalog,
                key,
                StageName.PICTURE,
                partial(self._sample_background, key, collection_ids),
                collection_ids,
            )
            while len(self._backgrounds) >= MOST_BACKGROUNDS:
                self._backgrounds.pop(next(iter(self._backgrounds)), None)
            self._backgrounds[asked] = following
        return following.get()

    def _sample_background(
        self, key: str, collection_ids: tuple[int, ...] | None, state: LiveState
    ) -> _Background:
        with self._catalog.read_replica() as session:
            vectors = sample_vectors(
                session, key, BACKGROUND_SEGMENTS, collection_ids=collection_ids
            )
        return _Background(state.chunks, vectors)

    # --- words, and both together ---

    @trace_calls("search.texts")
    def _found_texts(self, statement: Statement, scope: Scope) -> TextAnswer:
        if statement.negation:  # a passage about what is denied says the opposite
            return TextAnswer()
        kinds = [kind for kind in scope.kinds if kind in STAGE_OF]
        texts = self._texts.find(statement, scope, kinds) if kinds else TextAnswer()
        sounds = self._sounds.find(statement, scope)
        if not sounds.hits:
            return texts
        return TextAnswer({**texts.hits, EvidenceKind.SOUND: sounds.hits})

    def _fuse(
        self, statement: Statement, scope: Scope, pictures: Ranking, texts: TextAnswer
    ) -> Sequence[FusedMoment]:
        hits: dict[str, Sequence[PassageHit]] = dict(texts.hits)
        if pictures.moments:  # without pictures even a weak passage is the nearest that there is
            hits = {
                kind: [hit for hit in found if probability_of(kind, hit.score) >= MIN_SUPPORT]
                for kind, found in hits.items()
            }
        if scope.titles:
            with self._catalog.read_replica() as session:
                hits[titles.KIND] = titles.title_hits(
                    session, statement.text, scope.collection_ids, scope.video_ids
                )
        fused = titles.behind_what_is_seen(fuse(pictures.moments, hits, statement.hint))
        return drop_repeats(titles.openings(fused), self.cuts_of)

    def cuts_of(self, video_ids: set[int]) -> dict[int, np.ndarray]:
        """Video -> times (K,) in seconds, rising, where its shots begin."""
        with self._catalog.read_replica() as session:
            return get_cuts(session, video_ids)

    # --- how a moment is shown ---

    @trace_calls("search.describe")
    def describe(self, fused: Iterable[FusedMoment]) -> list[Moment]:
        """Moments with the paths, titles and thumbnails of their videos."""
        fused = list(fused)
        with self._catalog.read_replica() as session:
            known = videos.get_videos(session, {moment.video_id for moment in fused})
            nearest = nearest_thumbnails_s(
                session, [(moment.video_id, moment.peak_s) for moment in fused]
            )
        return [
            self._moment(moment, known[moment.video_id], self._thumbnail(moment, time_s))
            for moment, time_s in zip(fused, nearest)
        ]

    def _thumbnail(self, moment: FusedMoment, time_s: float | None) -> Path | None:
        if time_s is None:
            return None
        path = self._context.artefacts.thumbnail(moment.video_id, time_s)
        return path if path.exists() else None

    def _moment(
        self, moment: FusedMoment, video: videos.VideoRow, thumbnail: Path | None
    ) -> Moment:
        path = next((path for path in video.paths if not path.offline), video.paths[0])
        shown = self._context.path_text(path.root, path.relative_path)
        title = video_title(video.title, path.relative_path, video.id)
        span = replace(moment.span).clamp(0.0, video.duration_s)
        return Moment(
            video.id,
            shown,
            video.collection,
            span,
            moment.score,
            moment.evidence,
            thumbnail,
            title,
            path.offline,
            peak_s=min(max(moment.peak_s, 0.0), video.duration_s),
        )


def _question_notes(question: Question, answered: Sequence[_Answered]) -> list[Message]:
    """What the answer does not do that was asked."""
    notes = []
    if question.counting:
        notes.append(Message("moments are shown; they are not counted"))
    notes += [
        _negation_note(statement.negation)
        for statement in question.statements
        if statement.negation
    ]
    if any(one.matched for one in answered):
        notes += [
            Message(
                "nothing seems to show {statement!r}; the nearest moments are shown",
                {"statement": statement.text},
            )
            for one, statement in zip(answered, question.statements, strict=True)
            if not one.matched
        ]
    return notes


def _negation_note(negation: Negation) -> Message:
    values = {"scene": negation.scene, "denied": negation.denied}
    if not negation.scene:
        return Message("moments are unlike {denied!r}", values)
    return Message("moments are like {scene!r} and unlike {denied!r}", values)


def _notes(keys: Iterable[str], embedder: Embedder) -> list[Message]:
    other = sorted({embedder_key_of(key) for key in keys if embedder_key_of(key) != embedder.key})
    return [
        Message(
            "some videos are indexed with {key} and not searched now: ingest them again with "
            "{embedder}, or set SEEKPOINT_EMBEDDER",
            {"key": key, "embedder": embedder.name},
        )
        for key in other
    ]


def _unread_note(statement: str, embedder: Embedder) -> list[Message]:
    """What a question in two scripts loses where the embedder reads but one of them."""
    unread = unread_words(statement, embedder.reads)
    if not unread:
        return []
    return [
        Message(
            "no installed text model reads {words}: pictures were searched for the rest of the "
            "question",
            {"words": " ".join(unread)},
        )
    ]


def _as_blocks(found: Iterable[StoredBlock]) -> list[Block]:
    return [
        Block(
            b.video_id,
            b.chunk_id,
            b.span.start_s,
            b.span.end_s,
            b.frames.times_s,
            b.frames.vectors,
            b.frames.cuts_s,
        )
        for b in found
    ]
