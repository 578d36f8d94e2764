"""What the API answers with: the values of the library under the names of `--json`. A span is
`start_s` and `end_s`; links are addresses of this API.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, cast

from pydantic import BaseModel, field_validator

from indexer.admin.models.states import ModelState
from indexer.admin.reports import Check
from indexer.admin.videos import Video
from indexer.catalog.leasing.page_jobs import FileResult
from indexer.catalog.passages import PassageRow
from indexer.catalog.people.feedback import FeedbackRow
from indexer.chapters.chapters import Chapter
from indexer.ingest.report import FileState
from indexer.search.curve import Lane
from indexer.search.second_opinion.ask import Reply
from indexer.search.types import Answer, Evidence, Grounded, Moment
from indexer.valid_text import is_valid_text
from indexer.vectors.base import Published
from search_ui.i18n.translator import Translator
from search_ui.jobs import Job

Kind = Literal["picture", "speech", "screen", "sound", "event"]
"""A kind of evidence that a search may be limited to."""


class Body(BaseModel, extra="forbid"):
    """What programs send as JSON: nothing that is unknown, and texts that files and databases
    take.
    """

    @field_validator("*")
    @classmethod
    def _require_text(cls, value: Any) -> Any:
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not is_valid_text(text):
                raise ValueError("a NUL character, or half of a character")
        return value


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the server can answer."""

    ok: bool


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """What the library holds and what waits. `videos`, `chunks`: by state; `waiting`: by kind;
    `speed`: seconds of video that workers read in a second, lately; `oldest_s`: for how long the
    oldest has waited.
    """

    videos: dict[str, int]
    chunks: dict[str, int]
    video_s: float
    segments: int
    disk_bytes: dict[str, int]
    bytes_per_hour: float | None
    waiting: dict[str, int]
    speed: float
    oldest_s: float | None
    workers: list[str]
    errors: list[str]


@dataclass(frozen=True, slots=True)
class VideoPage:
    """Some of the videos, in the order in which they were added. `total`: how many there are in
    all; `next_offset`: where the next page begins, null behind the last.
    """

    videos: list[Video]
    total: int
    next_offset: int | None


@dataclass(frozen=True, slots=True)
class WordTime:
    """A word that matched, and when it is said or shown."""

    start_s: float
    end_s: float
    word: str


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """Why a moment answers. `score`: on a scale of its kind; `text`: of a passage."""

    kind: str
    score: float
    text: str
    words: list[WordTime]

    @classmethod
    def of(cls, evidence: Evidence) -> EvidenceItem:
        """Times to a millisecond."""
        words = [
            WordTime(round(start_s, 3), round(end_s, 3), word)
            for start_s, end_s, word in evidence.words
        ]
        return cls(evidence.kind, round(evidence.score, 6), evidence.text, words)


@dataclass(frozen=True, slots=True)
class GroundedItem:
    """What a grounder answered about a moment. `accepted`: the moment's span is its span; `shown`:
    the probability, as it sees it, that the moment shows what was asked.
    """

    start_s: float | None
    end_s: float | None
    accepted: bool
    reason: str
    shown: float
    by: str

    @classmethod
    def of(cls, grounded: Grounded) -> GroundedItem:
        """Times to a millisecond."""
        span = grounded.span
        return cls(
            None if span is None else round(span.start_s, 3),
            None if span is None else round(span.end_s, 3),
            grounded.accepted,
            grounded.reason,
            round(grounded.shown, 6),
            grounded.by,
        )


@dataclass(frozen=True, slots=True)
class MomentItem:
    """An answer. `score`: the probability that it shows what was asked; `likelihood`: the same in
    words; `peak_s`: when the frame is shown that is the evidence; `frame`, `clip`: where the API
    has that frame and the moment as a file; `grounded`: a grounder's opinion, where it was asked.
    """

    video_id: int
    title: str
    path: str
    collection: str
    start_s: float
    end_s: float
    score: float
    likelihood: str
    peak_s: float
    statement: str
    offline: bool
    evidence: list[EvidenceItem]
    frame: str
    clip: str
    grounded: GroundedItem | None

    @classmethod
    def of(cls, moment: Moment) -> MomentItem:
        """Times to a millisecond."""
        start_s, end_s = round(moment.span.start_s, 3), round(moment.span.end_s, 3)
        peak_s = round(moment.peak_s, 3)
        video = f"/api/v1/videos/{moment.video_id}"
        return cls(
            moment.video_id,
            moment.title,
            moment.path,
            moment.collection,
            start_s,
            end_s,
            round(moment.score, 6),
            str(moment.likelihood),
            peak_s,
            moment.statement,
            moment.offline,
            [EvidenceItem.of(evidence) for evidence in moment.evidence],
            f"{video}/frame?at_s={peak_s}",
            f"{video}/clip?start_s={start_s}&end_s={end_s}",
            None if moment.grounded is None else GroundedItem.of(moment.grounded),
        )


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """Moments, best first. `matched` false: nothing seems to show it, and these are the nearest.
    `caption`: what was looked for; `confidence`: the probability that anything does; `left_out`:
    weak moments beside the answer; `next_offset`: where the next page begins, null behind the last.
    """

    query: str
    caption: str
    matched: bool
    confidence: float
    took_ms: float
    moments: list[MomentItem]
    left_out: int
    next_offset: int | None
    notes: list[str]

    @classmethod
    def of(cls, answer: Answer, offset: int, limit: int, notes: list[str], *, weak: bool):
        """One page of an answer in which there is a moment more where there is a next page."""
        found = answer.moments if weak else answer.shown
        return cls(
            answer.query,
            answer.statement,
            answer.matched,
            round(answer.confidence, 6),
            round(answer.took_ms, 3),
            [MomentItem.of(moment) for moment in found[offset : offset + limit]],
            len(answer.moments) - len(found),
            offset + limit if len(found) > offset + limit else None,
            notes,
        )


@dataclass(frozen=True, slots=True)
class VideoCurve:
    """What of each kind of evidence fits a question over time, and where shots begin.
    `filled_s`: (start_s, end_s) of what an adaptive ingest did not look at picture by picture.
    """

    video_id: int
    lanes: dict[str, Lane]
    cuts_s: list[float]
    filled_s: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Line:
    """Text that holds during a span: what was said or written, the name of a sound, an event."""

    kind: str
    start_s: float
    end_s: float
    text: str
    language: str | None

    @classmethod
    def of(cls, passage: PassageRow) -> Line:
        """Times to a millisecond."""
        span = passage.span
        start_s, end_s = round(span.start_s, 3), round(span.end_s, 3)
        return cls(passage.kind, start_s, end_s, passage.text, passage.language)


@dataclass(frozen=True, slots=True)
class Transcript:
    """The lines of a video in the order of time."""

    video_id: int
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class ChapterItem:
    """A part of a video. `source`: where its name is from; `none` with an empty name."""

    start_s: float
    end_s: float
    name: str
    source: str

    @classmethod
    def of(cls, chapter: Chapter) -> ChapterItem:
        """Times to a millisecond."""
        span = chapter.span
        return cls(round(span.start_s, 3), round(span.end_s, 3), chapter.name, chapter.source)


@dataclass(frozen=True, slots=True)
class Chapters:
    """The chapters of a video in order; none of a short one."""

    video_id: int
    chapters: list[ChapterItem]


@dataclass(frozen=True, slots=True)
class Spanned:
    """From `start_s` up to, and not with, `end_s`."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class BoxItem:
    """A box as fractions of the width and height of a frame; (0, 0) is the upper left."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class ReplyItem:
    """What a grounder says. `window`: what it looked at; `boxes` in the frame at `at_s`."""

    text: str
    window: Spanned
    spans: list[Spanned]
    boxes: list[BoxItem]
    at_s: float | None

    @classmethod
    def of(cls, reply: Reply) -> ReplyItem:
        """Times to a millisecond."""
        spans = [
            Spanned(round(span.start_s, 3), round(span.end_s, 3))
            for span in (reply.window, *reply.spans)
        ]
        boxes = [BoxItem(box.x1, box.y1, box.x2, box.y2) for box in reply.boxes]
        return cls(reply.text, spans[0], spans[1:], boxes, reply.at_s)


@dataclass(frozen=True, slots=True)
class JobItem:
    """Work behind the server. `fraction`: the share that is done, in [0, 1]; `speed`: seconds of
    video per second of work, null before anything is done; `problems`: what failed, file by file
    (for those who may edit).
    """

    id: int
    kind: Literal["ingest", "demo", "retry", "proxy", "watch"]
    title: str
    collection: str
    video_id: int | None
    state: Literal["waiting", "running", "paused", "cancelled", "done", "failed"]
    files: int
    files_done: int
    size_bytes: int
    done_bytes: int
    video_s: float
    fraction: float
    speed: float | None
    problems: list[str]

    @classmethod
    def of(cls, job: Job, tr: Translator, *, with_problems: bool) -> JobItem:
        """In the language of whoever asks; problems name folders of the server."""
        now = job.progress
        return cls(
            job.id,
            job.kind.value,
            tr(job.title),
            job.collection,
            job.video_id,
            job.state,
            now.files,
            now.files_done,
            now.size_bytes,
            round(now.done_bytes),
            round(now.video_s, 3),
            round(job.fraction, 4),
            None if job.speed is None else round(job.speed, 3),
            [tr(problem) for problem in job.problems] if with_problems else [],
        )


@dataclass(frozen=True, slots=True)
class RetryItem(JobItem):
    """`chunks`: how many chunks had failed and are done again."""

    chunks: int


@dataclass(frozen=True, slots=True)
class FileItem:
    """What became of a file. `error` and `hint` are empty where all went well."""

    path: str
    state: FileState
    video_id: int | None
    error: str
    hint: str

    @classmethod
    def of(cls, found: FileResult, tr: Translator) -> FileItem:
        """In the language of whoever asks."""
        state = cast(FileState, found.state)
        return cls(found.path, state, found.video_id, tr(found.error), tr(found.hint))


@dataclass(frozen=True, slots=True)
class Uploaded:
    """`name`: under which the file is kept; `job`: what reads it."""

    name: str
    job: JobItem


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """`name`: what a search by this picture names."""

    name: str


@dataclass(frozen=True, slots=True)
class KeptClip:
    """`clip`: where it is served as a file, by ranges."""

    video_id: int
    start_s: float
    end_s: float
    size_bytes: int
    clip: str


@dataclass(frozen=True, slots=True)
class RemovedItem:
    """What is not in the library any more, and the disk space that is free now."""

    video_ids: list[int]
    freed_bytes: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many pieces of work were dropped."""

    dropped: int


@dataclass(frozen=True, slots=True)
class PublishedItem:
    """A vector snapshot that was written: `kind` is flat, ivf, empty (nothing is served under the
    key) or unchanged (another writer was faster); of a database, hnsw or exact.
    """

    key: str
    rows: int
    kind: str
    seconds: float
    size_bytes: int

    @classmethod
    def of(cls, published: Published) -> PublishedItem:
        """Seconds to a millisecond."""
        seconds = round(published.seconds, 3)
        return cls(published.key, published.rows, published.kind, seconds, published.size_bytes)


@dataclass(frozen=True, slots=True)
class CheckItem:
    """Something that was looked at: what was seen, and what to do where it is not `ok`."""

    name: str
    ok: bool
    found: str
    mend: str

    @classmethod
    def of(cls, check: Check, tr: Translator) -> CheckItem:
        """In the language of whoever asks."""
        return cls(tr(check.name), check.ok, tr(check.found), tr(check.mend))


@dataclass(frozen=True, slots=True)
class ModelItem:
    """A model that is known. `in_use`: the settings of the server choose it."""

    kind: str
    name: str
    installed: bool
    in_use: bool
    purpose: str
    needs: str
    size_mb: int
    licence: str
    languages: str
    quality: str
    how_to_get: str

    @classmethod
    def of(cls, model: ModelState, tr: Translator) -> ModelItem:
        """In the language of whoever asks."""
        return cls(
            model.kind,
            model.name,
            model.installed,
            model.in_use,
            tr(model.purpose),
            model.needs,
            model.size_mb,
            model.licence,
            model.languages,
            tr(model.quality),
            tr(model.how_to_get),
        )


@dataclass(frozen=True, slots=True)
class FeedbackItem:
    """`good`: the span shows what was asked."""

    id: int
    question: str
    video_id: int
    start_s: float
    end_s: float
    good: bool
    created_at: datetime

    @classmethod
    def of(cls, row: FeedbackRow) -> FeedbackItem:
        """As the catalog has it."""
        span = row.span
        return cls(
            row.id, row.question, row.video_id, span.start_s, span.end_s, row.good, row.created_at
        )


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a saved search tells. `secret` signs the messages (Standard Webhooks) and is shown
    once; `waiting`, `failed`: messages; `error`: why the last one that failed did.
    """

    url: str
    secret: str | None
    waiting: int
    failed: int
    error: str | None


@dataclass(frozen=True, slots=True)
class SavedSearchItem:
    """A search that is kept. `link`: to it on the page."""

    id: int
    title: str
    link: str
    asked_at: datetime
    question: str
    collections: list[str]
    only: list[str]
    recorded_from: date | None
    recorded_to: date | None
    shortest_min: float | None
    longest_min: float | None
    name: str
    webhook: Webhook | None
