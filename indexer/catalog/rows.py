"""What the stages make: frames and segments with their vectors, and passages. Vectors are stored as
float16, little endian.

A row is visible when its work is done under the key that its video serves. The pair (chunk,
revision) names the rows of one commit.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy import and_, case, delete, func, insert, select, update
from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.catalog.database.dialect import among, is_sqlite, storable
from indexer.catalog.database.text_normalize import index_form
from indexer.catalog.tables import (
    SEGMENT_STAGES,
    SERVED_KEY,
    STAGES,
    Chunk,
    FrameBlockRow,
    Passage,
    Segment,
    Video,
    Work,
    utc_now,
)
from indexer.catalog.videos import lock_video, served_keys
from indexer.errors import CatalogError

# A sum over 8 million chunks still fits into SQLite's 63 bits.
REVISION_BITS = 40


@dataclass(frozen=True, slots=True)
class FrameBlock:
    """Frames in the order of time: `times_s` (N,) float64, unit `vectors` (N, D) float32 or
    float16, `cuts_s` (K,) float64.
    """

    times_s: np.ndarray
    vectors: np.ndarray
    cuts_s: np.ndarray

    def __post_init__(self) -> None:
        if (
            self.vectors.ndim != 2
            or self.times_s.shape != self.vectors.shape[:1]
            or self.cuts_s.ndim != 1
        ):
            shapes = f"times_s {self.times_s.shape}, vectors {self.vectors.shape}, cuts_s {self.cuts_s.shape}"
            raise ValueError(f"a block has times (N,), vectors (N, D) and cuts (K,), not {shapes}")

    def __repr__(self) -> str:
        return f"FrameBlock(vectors {self.vectors.shape}, cuts_s {self.cuts_s.shape})"


@dataclass(frozen=True, slots=True)
class NewSegment:
    """A segment to be stored: `vector` (D,) unit; `thumbnail_s` is the time of the frame that shows
    it best.
    """

    span: Span
    vector: np.ndarray
    thumbnail_s: float


@dataclass(frozen=True, slots=True)
class SegmentRow:
    id: int
    video_id: int
    collection_id: int
    chunk_id: int
    span: Span
    thumbnail_s: float


@dataclass(frozen=True, slots=True)
class NewPassage:
    """Text that holds during `span`. `words` are (start_s, end_s, word); `vector` (D,) is its
    meaning in the space `vector_key`.
    """

    kind: str
    span: Span
    text: str
    language: str | None = None
    confidence: float | None = None
    words: Sequence[tuple[float, float, str]] = ()
    vector: np.ndarray | None = None
    vector_key: str | None = None


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A stored passage; `words` are (start_s, end_s, word) or empty."""

    id: int
    video_id: int
    chunk_id: int | None
    kind: str
    span: Span
    text: str
    language: str | None
    confidence: float | None
    words: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True, slots=True)
class VectorRows:
    """Segments or passages by row: `ids`, `chunk_ids`, `video_ids`, `collection_ids` (N,) int64,
    `vectors` (N, D) float32.
    """

    ids: np.ndarray
    chunk_ids: np.ndarray
    video_ids: np.ndarray
    collection_ids: np.ndarray
    vectors: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class LiveState:
    """Fingerprint of what is live under a key: any commit, deletion or change of the served key
    changes it (chance of a miss: 2**-40).
    """

    chunks: int
    revisions: int


# --- what stages commit ---


def commit_picture(
    s: Session,
    work_id: int,
    owner: str,
    frames: FrameBlock,
    segments: Sequence[NewSegment],
    seconds: float,
) -> bool:
    """Stores frames and segments of a chunk and marks its work done, all or nothing; rows of an
    earlier attempt go.

    False: the owner had lost the work (its lease ran out and another took it, or the video was
    removed), and nothing was written.
    """
    work = _finish(s, work_id, owner, "picture", seconds)
    if work is None:
        return False
    _insert_frames(s, work, frames, segments)
    return True


def commit_sound(
    s: Session,
    work_id: int,
    owner: str,
    frames: FrameBlock,
    segments: Sequence[NewSegment],
    passages: Sequence[NewPassage],
    seconds: float,
) -> bool:
    """The same for sound, whose events are passages."""
    work = _finish(s, work_id, owner, "sound", seconds)
    if work is None:
        return False
    _insert_frames(s, work, frames, segments)
    _insert_passages(s, work, passages)
    return True


def commit_passages(
    s: Session, work_id: int, owner: str, passages: Sequence[NewPassage], seconds: float
) -> bool:
    """The same for speech, screen text and events: True when they were stored and the work is done."""
    work = _finish(s, work_id, owner, None, seconds)
    if work is None:
        return False
    _insert_passages(s, work, passages)
    return True


def _insert_frames(
    s: Session, work: _Finished, frames: FrameBlock, segments: Sequence[NewSegment]
) -> None:
    dimension = frames.vectors.shape[1]
    for segment in segments:
        if segment.vector.shape != (dimension,):
            raise ValueError(
                f"segment vector has the shape {segment.vector.shape}, "
                f"the frames of its chunk have {dimension} numbers"
            )
    s.execute(
        insert(FrameBlockRow).values(
            work_id=work.work_id,
            chunk_id=work.chunk_id,
            video_id=work.video_id,
            key=work.key,
            count=len(frames.times_s),
            dimension=dimension,
            times_s=frames.times_s.astype("<f8").tobytes(),
            cuts_s=frames.cuts_s.astype("<f8").tobytes(),
            vectors=pack(frames.vectors),
        )
    )
    rows = [
        {
            **work.shared,
            "start_s": float(it.span.start_s),
            "end_s": float(it.span.end_s),
            "thumbnail_s": float(it.thumbnail_s),
            "vector": pack(it.vector),
        }
        for it in segments
    ]
    if rows:
        s.execute(insert(Segment), rows)


def _insert_passages(s: Session, work: _Finished, passages: Sequence[NewPassage]) -> None:
    if passages:
        rows = [{**work.shared, **_passage_values(passage)} for passage in passages]
        s.execute(insert(Passage), rows)


def _passage_values(passage: NewPassage) -> dict[str, Any]:
    text = storable(passage.text)
    return {
        "kind": passage.kind,
        "start_s": float(passage.span.start_s),
        "end_s": float(passage.span.end_s),
        "text": text,
        "index_text": index_form(text),
        "language": passage.language,
        "confidence": None if passage.confidence is None else float(passage.confidence),
        "words": [
            [float(start_s), float(end_s), storable(word)] for start_s, end_s, word in passage.words
        ]
        or None,
        "vector": None if passage.vector is None else pack(passage.vector),
        "vector_key": passage.vector_key,
    }


@dataclass(frozen=True, slots=True)
class _Finished:
    work_id: int
    chunk_id: int
    video_id: int
    collection_id: int
    key: str

    @property
    def shared(self) -> dict[str, Any]:
        """What every row of the work repeats."""
        return asdict(self)


def _finish(
    s: Session, work_id: int, owner: str, stage: str | None, seconds: float
) -> _Finished | None:
    """Marks the work done for its owner and clears what an earlier attempt left; None when the
    owner lost it.
    """
    video_id = s.scalar(select(Work.video_id).where(Work.id == work_id))
    video = None if video_id is None else lock_video(s, video_id)
    if video is None:
        return None
    held = and_(Work.id == work_id, Work.owner == owner, Work.state == "running")
    if stage is not None:
        held = and_(held, Work.stage == stage)
    done = (
        update(Work)
        .where(held)
        .values(
            state="done",
            revision=1 + secrets.randbelow(2**REVISION_BITS - 1),
            owner=None,
            lease_until_s=None,
            error=None,
            finished_at=utc_now(),
            seconds=float(seconds),
        )
        .returning(Work.chunk_id, Work.key)
    )
    row = s.execute(done, execution_options={"synchronize_session": False}).one_or_none()
    if row is None:
        return None
    for table in (FrameBlockRow, Segment, Passage):
        s.execute(delete(table).where(table.work_id == work_id))
    return _Finished(work_id, row.chunk_id, video.id, video.collection_id, row.key)


# --- frames ---


def frame_blocks(s: Session, chunk_ids: Iterable[int], key: str) -> dict[int, FrameBlock]:
    """Frames of those of the chunks that are done under `key`, float16 as stored:
    `ranking.similarities` multiplies them as they are.
    """
    columns = (
        FrameBlockRow.chunk_id,
        FrameBlockRow.dimension,
        FrameBlockRow.times_s,
        FrameBlockRow.vectors,
        FrameBlockRow.cuts_s,
    )
    statement = select(*columns).where(
        among(s, FrameBlockRow.chunk_id, chunk_ids), FrameBlockRow.key == key
    )
    return {row.chunk_id: _block(row) for row in s.execute(statement)}


def video_frames(s: Session, video_id: int, key: str) -> FrameBlock:
    """All frames of a video that are done under `key`, in the order of time, float32; (0, 0)
    vectors when none are.
    """
    columns = (
        FrameBlockRow.dimension,
        FrameBlockRow.times_s,
        FrameBlockRow.vectors,
        FrameBlockRow.cuts_s,
    )
    statement = (
        select(*columns)
        .join(Chunk, Chunk.id == FrameBlockRow.chunk_id)
        .where(FrameBlockRow.video_id == video_id, FrameBlockRow.key == key)
        .order_by(Chunk.number)
    )
    blocks = [_block(row) for row in s.execute(statement)]
    if not blocks:
        return FrameBlock(np.empty(0), np.empty((0, 0), np.float32), np.empty(0))
    return FrameBlock(
        np.concatenate([block.times_s for block in blocks]),
        np.concatenate([block.vectors for block in blocks]).astype(np.float32),
        np.concatenate([block.cuts_s for block in blocks]),
    )


def _block(row: Any) -> FrameBlock:
    return FrameBlock(
        np.frombuffer(row.times_s, "<f8"),
        np.frombuffer(row.vectors, "<f2").reshape(-1, row.dimension),
        np.frombuffer(row.cuts_s, "<f8"),
    )


# --- segments ---


def segments(s: Session, ids: Iterable[int]) -> list[SegmentRow]:
    """The segments in the order of `ids`; those that are gone meanwhile are left out."""
    wanted = [int(id) for id in ids]
    columns = (
        Segment.id,
        Segment.video_id,
        Segment.collection_id,
        Segment.chunk_id,
        Segment.start_s,
        Segment.end_s,
        Segment.thumbnail_s,
    )
    found = {row[0]: row for row in s.execute(select(*columns).where(among(s, Segment.id, wanted)))}
    rows = (found[id] for id in wanted if id in found)
    return [
        SegmentRow(row[0], row[1], row[2], row[3], Span(row[4], row[5]), row[6]) for row in rows
    ]


# --- vectors: of segments under the keys of `picture`, of passages under those of the other stages


def live_state(s: Session, key: str, stage: str = "picture") -> LiveState:
    """Cheap: reads one index, no vectors."""
    statement = (
        select(func.count(), func.coalesce(func.sum(Work.revision), 0))
        .select_from(Work)
        .join(Video, _serves(key, stage))
    )
    count, revisions = s.execute(statement).one()
    return LiveState(int(count), int(revisions))


def live_chunks(s: Session, key: str, stage: str = "picture") -> tuple[np.ndarray, np.ndarray]:
    """Chunks that are searchable under `key` and their revisions, both (N,) int64, by rising chunk
    id.
    """
    statement = (
        select(Work.chunk_id, Work.revision).select_from(Work).join(Video, _serves(key, stage))
    )
    found: Iterable[Any] = s.execute(statement)
    pairs = np.fromiter((number for row in found for number in row), np.int64).reshape(
        -1, 2
    )  # np.array(rows): forty times slower
    pairs = pairs[np.argsort(pairs[:, 0])]
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def _serves(key: str, stage: str) -> Any:
    return and_(
        Video.id == Work.video_id,
        SERVED_KEY[stage] == key,
        Work.stage == stage,
        Work.key == key,
        Work.state == "done",
    )


def chunk_vectors(
    s: Session, chunk_ids: Iterable[int], key: str, stage: str = "picture"
) -> VectorRows:
    """Rows of chunks that are searchable under `key`, by rising id. Raises CatalogError when their
    vectors differ in length.
    """
    row = _row_of(stage)
    statement = (
        _stored_vectors(row)
        .join(Work, Work.id == row.work_id)
        .join(Video, _serves(key, stage))
        .where(among(s, Work.chunk_id, chunk_ids))
        .order_by(row.id)
    )
    return vector_rows(s.execute(statement).all(), key)


def all_vectors(
    s: Session, key: str, batch: int = 20_000, stage: str = "picture"
) -> Iterator[VectorRows]:
    """All rows that are searchable under `key`, by rising id, at most `batch` at a time."""
    last = 0
    row = _row_of(stage)
    served = select(Work.id).join(Video, _serves(key, stage))
    while True:
        statement = (
            _stored_vectors(row)
            .where(row.id > last, row.work_id.in_(served))
            .order_by(row.id)
            .limit(batch)
        )
        rows = s.execute(statement).all()
        if not rows:
            return
        last = rows[-1][0]
        yield vector_rows(rows, key)


def count_vectors(s: Session, key: str, chunk_ids: Iterable[int], stage: str = "picture") -> int:
    """How many rows with a vector these chunks have that are searchable under `key`."""
    row = _row_of(stage)
    served = (
        select(Work.id).join(Video, _serves(key, stage)).where(among(s, Work.chunk_id, chunk_ids))
    )
    return (
        s.scalar(
            select(func.count())
            .select_from(row)
            .where(row.work_id.in_(served), row.vector.is_not(None))
        )
        or 0
    )


def _row_of(stage: str) -> type[Segment] | type[Passage]:
    return Segment if stage in SEGMENT_STAGES else Passage


def _stored_vectors(row: type[Segment] | type[Passage]) -> Any:
    return select(row.id, row.chunk_id, row.video_id, row.collection_id, row.vector).where(
        row.vector.is_not(None)
    )


def vector_rows(rows: Sequence[Any], key: str) -> VectorRows:
    ids = np.array([row[:4] for row in rows], np.int64).reshape(-1, 4)
    sizes = {len(row[4]) for row in rows}
    if len(sizes) > 1:
        raise CatalogError(
            "Vectors of {key} have {detail} numbers",
            "Run: seekpoint reindex",
            key=key,
            detail=sorted(size // 2 for size in sizes),
        )
    halves = np.frombuffer(b"".join(row[4] for row in rows), "<f2")
    vectors = (
        halves.astype(np.float32).reshape(len(rows), -1) if rows else np.empty((0, 0), np.float32)
    )
    return VectorRows(
        ids[:, 0].copy(), ids[:, 1].copy(), ids[:, 2].copy(), ids[:, 3].copy(), vectors
    )


def keys_in_use(s: Session, collection_ids: Sequence[int] | None = None) -> list[str]:
    """Picture keys that are served, by how many videos, most first: more than one while models
    change.
    """
    return served_keys(s, "picture", collection_ids)


def vector_keys(s: Session, collection_ids: Sequence[int] | None = None) -> list[tuple[str, str]]:
    """(stage, key) of everything that has vectors."""
    return [(stage, key) for stage in STAGES for key in served_keys(s, stage, collection_ids)]


def pack(vectors: np.ndarray) -> bytes:
    """float16 bytes of unit vectors; refuses numbers that float16 cannot hold."""
    halves = np.asarray(vectors, np.float32).astype("<f2")
    if not np.isfinite(halves).all():
        raise ValueError("vectors hold numbers that are not finite")
    return halves.tobytes()


def unpack(stored: bytes) -> np.ndarray:
    """(D,) float32."""
    return np.frombuffer(stored, "<f2").astype(np.float32)


# --- passages ---


def passages(s: Session, video_id: int, kinds: Iterable[str] | None = None) -> list[PassageRow]:
    """Served passages of a video in the order of time."""
    statement = (
        _served_passages().where(Passage.video_id == video_id).order_by(Passage.start_s, Passage.id)
    )
    if kinds is not None:
        statement = statement.where(among(s, Passage.kind, kinds))
    return _passage_rows(s.execute(statement))


def passages_by_id(s: Session, ids: Iterable[int]) -> dict[int, PassageRow]:
    """Those of the passages that are served still."""
    return {
        row.id: row
        for row in _passage_rows(s.execute(_served_passages().where(among(s, Passage.id, ids))))
    }


def _served_passages() -> Any:
    columns = (
        Passage.id,
        Passage.video_id,
        Passage.chunk_id,
        Passage.kind,
        Passage.start_s,
        Passage.end_s,
        Passage.text,
    )
    more = (Passage.language, Passage.confidence, Passage.words)
    return select(*columns, *more).join(
        Video, and_(Video.id == Passage.video_id, Passage.key == served_passage_key())
    )


def _passage_rows(found: Iterable[Any]) -> list[PassageRow]:
    return [
        PassageRow(
            id,
            video_id,
            chunk_id,
            kind,
            Span(start_s, end_s),
            text,
            language,
            confidence,
            tuple(map(tuple, words or ())),
        )
        for id, video_id, chunk_id, kind, start_s, end_s, text, language, confidence, words in found
    ]


def served_passage_key() -> Any:
    """The key of a passage's stage that its video serves."""
    by_kind = (
        (Passage.kind == "speech", Video.speech_key),
        (Passage.kind == "screen", Video.screen_key),
        (Passage.kind == "sound", Video.sound_key),
    )
    return case(*by_kind, else_=Video.events_key)


# --- what it costs ---


@dataclass(frozen=True, slots=True)
class Usage:
    """`kinds`: bytes of vectors, times and texts; `database_bytes`: all that the database takes;
    `video_s`: seconds of video indexed.
    """

    kinds: Mapping[str, int]
    database_bytes: int
    segments: int
    frames: int
    passages: int
    video_s: float

    @property
    def mb_per_hour(self) -> float:
        """Megabytes of the whole database per hour of video that is indexed; 0 where nothing is."""
        return self.database_bytes / 1e6 / (self.video_s / 3600) if self.video_s else 0.0


def usage(s: Session) -> Usage:
    """Sizes from one pass over the lengths of the blobs; slow (seconds) on a million segments."""
    segment_bytes, segment_count = s.execute(
        select(_total(_vector_bytes(s, Segment.vector)), func.count()).select_from(Segment)
    ).one()
    frame_bytes = (
        func.length(FrameBlockRow.vectors)
        + func.length(FrameBlockRow.times_s)
        + func.length(FrameBlockRow.cuts_s)
    )
    frames, frame_count = s.execute(select(_total(frame_bytes), _total(FrameBlockRow.count))).one()
    passages, passage_count = s.execute(
        select(_total(func.length(Passage.text)), func.count()).select_from(Passage)
    ).one()
    video_s = s.scalar(
        select(_total(Chunk.end_s - Chunk.start_s))
        .select_from(Chunk)
        .join(Work, and_(Work.chunk_id == Chunk.id, Work.stage == "picture", Work.state == "done"))
    )
    kinds = {"segments": int(segment_bytes), "frames": int(frames), "passages": int(passages)}
    return Usage(
        kinds,
        _database_bytes(s),
        int(segment_count),
        int(frame_count),
        int(passage_count),
        float(video_s or 0),
    )


def _vector_bytes(s: Session, column: Any) -> Any:
    return func.length(column) if is_sqlite(s) else 2 * func.vector_dims(column)


def _total(column: Any) -> Any:
    return func.coalesce(func.sum(column), 0)


def _database_bytes(s: Session) -> int:
    if s.get_bind().dialect.name == "sqlite":
        connection = s.connection()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
        return (pages - free) * connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    return s.scalar(select(func.pg_database_size(func.current_database()))) or 0
