"""Made-up segments in real tables, millions of them, near where the embedder puts real pictures.

A scene lies between two photographs of those that the embedder `lite` was fitted on, with noise; a
scene is eight segments long on average, and they lie near it, with noise of their own. Cosines of
628 segments of 91 real videos, and of what is made here (5th, 50th, 95th percentile): neighbours
.06, .87, 1.0 and -.05, .86, .88; of different videos -.17, .08, .46 and -.18, -.02, .28.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.embedders.alignment import load_photograph_vectors

SEGMENT_S = 5.0
CHUNK_SEGMENTS = 18
SHORT_SEGMENTS, LONG_SEGMENTS = 12, 1440
SCENE_SEGMENTS = 8
SCENE_NOISE, SEGMENT_NOISE = 0.35, 0.4
LOT_CHUNKS = 4000
# A chunk's columns that are the same everywhere.
AT = "2026-01-01 00:00:00.000000"


@dataclass(frozen=True, slots=True)
class Shape:
    """How many segments, under which key of the stage `picture`, and frames a second of each."""

    rows: int
    key: str
    frames_hz: float


class Scenes:
    """Unit vectors (N, D) float32 of segments in the order of time."""

    def __init__(self, seed: int = 1) -> None:
        self.random = np.random.default_rng(seed)
        self.photographs = load_photograph_vectors().astype(np.float32)

    def segments(self, count: int) -> np.ndarray:
        """So many, in scenes."""
        scenes = -(-count // SCENE_SEGMENTS)
        pairs = self.random.integers(0, len(self.photographs), (2, scenes))
        share = self.random.uniform(0, 0.7, (scenes, 1)).astype(np.float32)
        between = self.photographs[pairs[0]] + share * self.photographs[pairs[1]]
        centres = self._near(_unit(between), SCENE_NOISE)
        return self._near(centres[np.sort(self.random.integers(0, scenes, count))], SEGMENT_NOISE)

    def _near(self, centres: np.ndarray, spread: float) -> np.ndarray:
        noise = self.random.standard_normal(centres.shape, dtype=np.float32)
        noise *= np.float32(spread / centres.shape[1] ** 0.5)
        noise += centres
        return _unit(noise)


def fill(path: Path, shape: Shape) -> None:
    """Writes the rows into the SQLite catalog at `path`, whose tables are there and empty: half of
    the segments in videos of a minute, half in videos of two hours; 1 % are a collection of their
    own.

    Past the product's own way in, which would take hours: a row is what the stages leave.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("PRAGMA cache_size=-400000")
        database.execute("BEGIN")
        database.executemany(
            "INSERT INTO collection (id, name, created_at) VALUES (?, ?, ?)",
            [(1, "main", AT), (2, "rare", AT)],
        )
        scenes = Scenes()
        short, long = shape.rows // 2 // SHORT_SEGMENTS, shape.rows // 2 // LONG_SEGMENTS
        rare = max(1, shape.rows // 100 // SHORT_SEGMENTS)
        lengths = [(2, SHORT_SEGMENTS)] * rare + [(1, SHORT_SEGMENTS)] * (short - rare)
        lengths += [(1, LONG_SEGMENTS)] * max(1, long)
        _add_videos(database, lengths, shape.key)
        chunks = _chunks(lengths)
        for first in range(0, len(chunks), LOT_CHUNKS):
            _add_chunks(database, chunks[first : first + LOT_CHUNKS], first + 1, shape, scenes)
        database.execute("COMMIT")
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("ANALYZE")


def _add_videos(database: sqlite3.Connection, lengths: list[tuple[int, int]], key: str) -> None:
    database.executemany(
        "INSERT INTO video (id, collection_id, content_hash, size_bytes, duration_s, width, height,"
        " codec, container, audio_tracks, rotation, state, picture_key, created_at)"
        f" VALUES (?, ?, ?, 1, ?, 1280, 720, 'h264', 'mp4', 1, 0, 'ready', ?, '{AT}')",
        (
            (number, collection, f"content {number}", length * SEGMENT_S, key)
            for number, (collection, length) in enumerate(lengths, 1)
        ),
    )
    database.executemany(
        "INSERT INTO path (collection_id, video_id, root, relative_path, size_bytes, mtime_ns,"
        f" offline, seen_at) VALUES (?, ?, 'local', ?, 1, 1, 0, '{AT}')",
        (
            (collection, number, f"videos/{number:07}.mp4")
            for number, (collection, _) in enumerate(lengths, 1)
        ),
    )


def _chunks(lengths: list[tuple[int, int]]) -> np.ndarray:
    """(M, 6): collection, video, length of the video, number, first segment, segments."""
    rows = [
        (collection, video, length, number, first, min(CHUNK_SEGMENTS, length - first))
        for video, (collection, length) in enumerate(lengths, 1)
        for number, first in enumerate(range(0, length, CHUNK_SEGMENTS))
    ]
    return np.array(rows, np.int64)


def _add_chunks(
    database: sqlite3.Connection, chunks: np.ndarray, first_id: int, shape: Shape, scenes: Scenes
) -> None:
    listed = [(first_id + n, *row) for n, row in enumerate(chunks.tolist())]
    revisions = scenes.random.integers(1, 2**40, len(listed)).tolist()
    database.executemany(
        "INSERT INTO chunk (id, video_id, number, start_s, end_s) VALUES (?, ?, ?, ?, ?)",
        (
            (id, video, number, first * SEGMENT_S, (first + count) * SEGMENT_S)
            for id, _, video, _, number, first, count in listed
        ),
    )
    database.executemany(
        "INSERT INTO chunk_task (id, chunk_id, video_id, collection_id, stage, key, video_s,"
        " revision, state, attempts, created_at)"
        f" VALUES (?, ?, ?, ?, 'picture', ?, ?, ?, 'done', 1, '{AT}')",
        (
            (id, id, video, collection, shape.key, length * SEGMENT_S, revision)
            for (id, collection, video, length, *_), revision in zip(listed, revisions)
        ),
    )
    vectors = scenes.segments(int(chunks[:, 5].sum())).astype("<f2")
    database.executemany(
        "INSERT INTO frame_block (task_id, chunk_id, video_id, key, count, dimension, times_s,"
        " cuts_s, vectors) VALUES (?, ?, ?, ?, ?, ?, ?, x'', ?)",
        _frame_rows(listed, vectors, shape),
    )
    database.executemany(
        "INSERT INTO segment (task_id, chunk_id, video_id, collection_id, start_s, end_s,"
        " thumbnail_s, key, vector) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        _segment_rows(listed, vectors, shape.key),
    )


def _segment_rows(listed: list, vectors: np.ndarray, key: str) -> Iterator[tuple]:
    content, width = vectors.tobytes(), 2 * vectors.shape[1]
    at = 0
    for id, collection, video, _, _, first, count in listed:
        for number in range(first, first + count):
            start_s = number * SEGMENT_S
            yield (
                id, id, video, collection, start_s, start_s + SEGMENT_S, start_s + 2, key,
                content[at : at + width],
            )  # fmt: skip
            at += width


def _frame_rows(listed: list, vectors: np.ndarray, shape: Shape) -> Iterator[tuple]:
    """Each frame like its segment."""
    each = max(1, round(shape.frames_hz * SEGMENT_S))
    row = 0
    for id, _, video, _, _, first, count in listed:
        frames = np.repeat(vectors[row : row + count], each, axis=0)
        row += count
        times_s = first * SEGMENT_S + np.arange(len(frames)) * (SEGMENT_S / each)
        yield (
            id, id, video, shape.key, len(frames), vectors.shape[1],
            times_s.astype("<f8").tobytes(), frames.tobytes(),
        )  # fmt: skip


def _unit(vectors: np.ndarray) -> np.ndarray:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
