"""Frames of chunks: their times, their unit vectors (float16, one blob per chunk) and the cuts. The
vectors are in the database, or where the catalog's `FrameStore` is, as the row of each chunk says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.catalog.database.dialect import in_values
from indexer.catalog.database.half_vector import pack
from indexer.catalog.leasing.chunk_tasks import FinishedTask
from indexer.catalog.objects.frame_store import IN_SESSION, FrameStore
from indexer.catalog.tables.library import Chunk, FrameBlockRow, Video
from indexer.errors import CatalogError

_COLUMNS = (
    FrameBlockRow.chunk_id,
    FrameBlockRow.dimension,
    FrameBlockRow.times_s,
    FrameBlockRow.vectors,
    FrameBlockRow.cuts_s,
    FrameBlockRow.filled,
    FrameBlockRow.object_name,
)


@dataclass(frozen=True, slots=True)
class FrameBlock:
    """Frames in the order of time: `times_s` (N,) float64, unit `vectors` (N, D) float32 or
    float16, `cuts_s` (K,) float64; `filled` (N,) bool: those that were not decoded, and stand for
    what is around them (none, where it is not given).
    """

    times_s: np.ndarray
    vectors: np.ndarray
    cuts_s: np.ndarray
    filled: np.ndarray = field(default_factory=lambda: np.empty(0, bool))

    def __post_init__(self) -> None:
        if not len(self.filled):
            object.__setattr__(self, "filled", np.zeros(len(self.times_s), bool))
        if (
            self.vectors.ndim != 2
            or self.times_s.shape != self.vectors.shape[:1]
            or self.cuts_s.ndim != 1
            or self.filled.shape != self.times_s.shape
        ):
            raise ValueError(
                "a block has times (N,), vectors (N, D), cuts (K,) and filled (N,), not "
                f"times_s {self.times_s.shape}, vectors {self.vectors.shape}, "
                f"cuts_s {self.cuts_s.shape}, filled {self.filled.shape}"
            )

    def __repr__(self) -> str:
        return f"FrameBlock(vectors {self.vectors.shape}, cuts_s {self.cuts_s.shape})"


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """The frames of a chunk with where it lies."""

    video_id: int
    chunk_id: int
    span: Span
    frames: FrameBlock


def insert_frames(s: Session, task: FinishedTask, frames: FrameBlock) -> None:
    """Stores the frames of a chunk. An object is written before this transaction is committed: one
    that is rolled back leaves an object that nothing names, which `sweep_objects` deletes.

    Raises ValueError where float16 cannot hold a number; CatalogBusy, StorageError.
    """
    vectors, name = pack(frames.vectors), None
    store = _store(s)
    if store is not None and vectors:
        name, vectors = store.write(task.video_id, task.chunk_id, vectors), b""
    s.execute(
        insert(FrameBlockRow).values(
            task_id=task.task_id,
            chunk_id=task.chunk_id,
            video_id=task.video_id,
            key=task.key,
            count=len(frames.times_s),
            dimension=frames.vectors.shape[1],
            times_s=frames.times_s.astype("<f8").tobytes(),
            cuts_s=frames.cuts_s.astype("<f8").tobytes(),
            vectors=vectors,
            filled=np.packbits(frames.filled).tobytes() if frames.filled.any() else None,
            object_name=name,
        )
    )


def get_frame_blocks(s: Session, chunk_ids: Iterable[int], key: str) -> dict[int, FrameBlock]:
    """Frames of those of the chunks that are done under `key`; vectors are float16, as stored."""
    statement = select(*_COLUMNS).where(
        in_values(s, FrameBlockRow.chunk_id, chunk_ids), FrameBlockRow.key == key
    )
    rows = s.execute(statement).all()
    return {row.chunk_id: block for row, block in zip(rows, _blocks(s, rows), strict=True)}


def get_video_frames(s: Session, video_id: int, key: str) -> FrameBlock:
    """All frames of a video that are done under `key`, in the order of time, float32; (0, 0)
    vectors when none are.
    """
    statement = (
        select(*_COLUMNS)
        .join(Chunk, Chunk.id == FrameBlockRow.chunk_id)
        .where(FrameBlockRow.video_id == video_id, FrameBlockRow.key == key)
        .order_by(Chunk.number)
    )
    blocks = _blocks(s, s.execute(statement).all())
    if not blocks:
        return FrameBlock(np.empty(0), np.empty((0, 0), np.float32), np.empty(0))
    return FrameBlock(
        np.concatenate([block.times_s for block in blocks]),
        np.concatenate([block.vectors for block in blocks]).astype(np.float32),
        np.concatenate([block.cuts_s for block in blocks]),
        np.concatenate([block.filled for block in blocks]),
    )


def get_cuts(s: Session, video_ids: Iterable[int]) -> dict[int, np.ndarray]:
    """Video -> starts of its shots (K,) float64, rising, as its served pictures have them."""
    statement = (
        select(FrameBlockRow.video_id, FrameBlockRow.cuts_s)
        .join(
            Video,
            and_(Video.id == FrameBlockRow.video_id, Video.picture_key == FrameBlockRow.key),
        )
        .where(in_values(s, FrameBlockRow.video_id, video_ids))
    )
    found: dict[int, list[np.ndarray]] = {}
    for row in s.execute(statement):
        found.setdefault(row.video_id, []).append(np.frombuffer(row.cuts_s, "<f8"))
    return {id: np.unique(np.concatenate(cuts)) for id, cuts in found.items()}


def get_filled(s: Session, video_id: int) -> list[Span]:
    """The stretches of a video whose served frames were not looked at and stand for those around
    them, each from its first frame to the next one that was, or to its last.
    """
    of_video = and_(Video.id == FrameBlockRow.video_id, Video.picture_key == FrameBlockRow.key)
    statement = (
        select(FrameBlockRow.times_s, FrameBlockRow.filled)
        .join(Video, of_video)
        .where(FrameBlockRow.video_id == video_id, FrameBlockRow.filled.is_not(None))
    )
    return sorted(span for row in s.execute(statement) for span in _filled_spans(row))


def _filled_spans(row: Any) -> Iterator[Span]:
    times_s, filled = np.frombuffer(row.times_s, "<f8"), _filled(row)
    edges = np.flatnonzero(np.diff(filled.astype(np.int8), prepend=0, append=0))
    last = len(times_s) - 1
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        yield Span(float(times_s[first]), float(times_s[min(end, last)]))


def get_stored_blocks(s: Session, chunk_ids: Iterable[int], key: str) -> list[StoredBlock]:
    """Those of the chunks that are done under `key`, by video and time."""
    statement = (
        select(Chunk.id, Chunk.video_id, Chunk.start_s, Chunk.end_s)
        .where(in_values(s, Chunk.id, chunk_ids))
        .order_by(Chunk.video_id, Chunk.number)
    )
    found = s.execute(statement).all()
    blocks = get_frame_blocks(s, [row.id for row in found], key)
    return [
        StoredBlock(row.video_id, row.id, Span(row.start_s, row.end_s), blocks[row.id])
        for row in found
        if row.id in blocks
    ]


def get_video_blocks(s: Session, video_id: int, key: str) -> list[StoredBlock]:
    """All chunks of a video that are done under `key`, in the order of time."""
    chunk_ids = s.scalars(select(Chunk.id).where(Chunk.video_id == video_id)).all()
    return get_stored_blocks(s, chunk_ids, key)


def _blocks(s: Session, rows: Sequence[Any]) -> list[FrameBlock]:
    vectors_of = _read_objects(s, [row.object_name for row in rows if row.object_name])
    return [
        FrameBlock(
            np.frombuffer(row.times_s, "<f8"),
            np.frombuffer(
                vectors_of[row.object_name] if row.object_name else row.vectors, "<f2"
            ).reshape(-1, row.dimension),
            np.frombuffer(row.cuts_s, "<f8"),
            _filled(row),
        )
        for row in rows
    ]


def _filled(row: Any) -> np.ndarray:
    count = len(row.times_s) // 8
    return np.unpackbits(np.frombuffer(row.filled or b"", np.uint8), count=count).astype(bool)


# --- objects ---


def _store(s: Session) -> FrameStore | None:
    return s.info.get(IN_SESSION)


def _read_objects(s: Session, names: Sequence[str]) -> Mapping[str, bytes]:
    if not names:
        return {}
    if (store := _store(s)) is None:
        raise CatalogError(
            "vectors of frames are in object storage, and SEEKPOINT_FRAMES_URL is not set",
            "set it as on the machines that ingest",
        )
    return store.read_all(names)


def move_frames(s: Session, store: FrameStore, count: int, *, to_store: bool) -> int:
    """Moves the vectors of at most `count` chunks out of the database into the store, or back; how
    many there were. What was written stays in the store until it is swept.

    Nobody may write the rows meanwhile: they are locked.
    """
    is_inside = FrameBlockRow.object_name.is_(None)
    wanted = (is_inside, FrameBlockRow.count > 0) if to_store else (~is_inside,)
    columns = (
        FrameBlockRow.task_id,
        FrameBlockRow.video_id,
        FrameBlockRow.chunk_id,
        FrameBlockRow.vectors,
        FrameBlockRow.object_name,
    )
    rows = s.execute(select(*columns).where(*wanted).limit(count).with_for_update()).all()
    if to_store:
        names = store.write_all([(row.video_id, row.chunk_id, row.vectors) for row in rows])
        values = [{"vectors": b"", "object_name": name} for name in names]
    else:
        found = store.read_all([row.object_name for row in rows])
        values = [{"vectors": found[row.object_name], "object_name": None} for row in rows]
    for row, changed in zip(rows, values, strict=True):
        s.execute(update(FrameBlockRow).where(FrameBlockRow.task_id == row.task_id).values(changed))
    return len(rows)


def count_objects(s: Session) -> int:
    """Chunks whose vectors are in object storage."""
    return s.scalar(select(func.count()).where(FrameBlockRow.object_name.is_not(None))) or 0


def list_unnamed(s: Session, names: Iterable[str]) -> list[str]:
    """Those of the objects that no row names."""
    listed = list(names)
    named = set(
        s.scalars(
            select(FrameBlockRow.object_name).where(in_values(s, FrameBlockRow.object_name, listed))
        )
    )
    return [name for name in listed if name not in named]


def list_videos_without_objects(s: Session, there: Set[str]) -> list[int]:
    """Videos with rows that name an object which is not there, by number."""
    rows = s.execute(
        select(FrameBlockRow.video_id, FrameBlockRow.object_name).where(
            FrameBlockRow.object_name.is_not(None)
        )
    )
    return sorted({row.video_id for row in rows if row.object_name not in there})
