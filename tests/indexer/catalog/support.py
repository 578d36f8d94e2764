"""A catalog filled without media: videos of a few chunks with random unit vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from grounding.spans import Span
from indexer.catalog import Catalog, collections, videos
from indexer.catalog.finalize import finalize_video
from indexer.catalog.frames import FrameBlock
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.leasing.chunk_tasks import ClaimedTask
from indexer.catalog.segments import NewSegment, commit_picture
from indexer.catalog.tables.metadata import metadata
from indexer.catalog.video_paths import PathStamp
from indexer.video_info import VideoInfo

DIMENSION = 16
CHUNK_S = 90.0
OWNER = "test"


def empty_server(connection: Connection) -> None:
    """No row is left in any table."""
    connection.execute(text(f"TRUNCATE {', '.join(metadata.tables)}"))


def video_info(duration_s: float = 180.0, title: str | None = None) -> VideoInfo:
    return VideoInfo(
        duration_s=duration_s,
        width=640,
        height=360,
        fps=25.0,
        codec="h264",
        audio_tracks=((0, "eng", "aac"),),
        subtitle_tracks=(),
        container="mp4",
        start_s=0.0,
        rotation=0,
        recorded_at=None,
        title=title,
    )


def stamp(name: str, size_bytes: int = 1000, mtime_ns: int = 1) -> PathStamp:
    return PathStamp("local", name, size_bytes, mtime_ns)


def spans(chunks: int) -> list[Span]:
    return [Span(n * CHUNK_S, (n + 1) * CHUNK_S) for n in range(chunks)]


def add_video(
    catalog: Catalog,
    name: str,
    chunks: int = 2,
    key: str = "k1",
    collection: str = "films",
    content: str | None = None,
) -> int:
    """A planned video at the path `name`; its bytes are `content`, or called like the path."""
    with catalog.begin() as s:
        collection_id = collections.ensure_collection(s, collection)
        digest = content or f"hash of {name}"
        video_id = videos.add_video(
            s, collection_id, digest, 1000, video_info(chunks * CHUNK_S), stamp(name)
        )
        plan_tasks(s, video_id, spans(chunks), {"picture": key})
    return video_id


def unit_vectors(rng: np.random.Generator, count: int, dimension: int = DIMENSION) -> np.ndarray:
    vectors = rng.standard_normal((count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def block(rng: np.random.Generator, item: ClaimedTask, count: int = 6) -> FrameBlock:
    times_s = np.linspace(item.start_s, item.end_s, count, endpoint=False)
    return FrameBlock(times_s, unit_vectors(rng, count), np.array([item.start_s + 1.0]))


def new_segments(item: ClaimedTask, vectors: np.ndarray) -> list[NewSegment]:
    width_s = (item.end_s - item.start_s) / max(len(vectors), 1)
    starts = [item.start_s + n * width_s for n in range(len(vectors))]
    return [
        NewSegment(Span(start, start + width_s), vector, start + 0.5)
        for start, vector in zip(starts, vectors)
    ]


def commit(
    s: Session, item: ClaimedTask, rng: np.random.Generator, segments: int = 4, owner: str = OWNER
) -> bool:
    return commit_picture(
        s,
        item.task_id,
        owner,
        block(rng, item),
        new_segments(item, unit_vectors(rng, segments)),
        1.0,
    )


def do_one(catalog: Catalog, video_id: int, rng: np.random.Generator, segments: int = 4) -> bool:
    """Does the next chunk of a video as a worker would; False: nothing to do."""
    with catalog.begin() as s:
        item = chunk_tasks.claim_task(s, OWNER, 60, ["picture"], video_id=video_id)
    if item is None:
        return False
    with catalog.begin() as s:
        assert commit(s, item, rng, segments)
        finalize_video(s, video_id)
    return True


def do_all(catalog: Catalog, video_id: int, rng: np.random.Generator, segments: int = 4) -> None:
    while do_one(catalog, video_id, rng, segments):
        pass


def add_ready(
    catalog: Catalog, names: Sequence[str], rng: np.random.Generator, **options
) -> list[int]:
    ids = [add_video(catalog, name, **options) for name in names]
    for video_id in ids:
        do_all(catalog, video_id, rng)
    return ids
