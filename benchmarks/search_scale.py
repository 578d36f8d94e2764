"""Search over many segments: what an index, and a whole search, add to the bare FAISS call, and how
time and memory grow.

    python -m benchmarks.search_scale [--rows 10000 100000 1000000] [--folder DIR] [--questions 200]

Made-up vectors of 384 numbers, in real tables (SQLite in a temporary folder): half the segments
belong to videos of a minute, half to videos of two hours; 1 % of them are a collection of their
own. Scenes lie near 3,000 subjects, segments near their scene. Each question is asked of
everything, of that collection, and of one video; the bare call is the same FAISS index on the same
question, in turn. The whole search embeds a question in words (MiniLM), reads and scores the frames
around the best segments (two a second), and describes the moments. A million segments take 12 GB of
disk while it runs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import faiss
import numpy as np
from sqlalchemy import insert

from benchmarks.support.measure import memory_gb, seconds
from indexer.catalog import Catalog, collections
from indexer.catalog.segments import SegmentRow, get_segments
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.library import Chunk, ChunkTask, FrameBlockRow, Segment, Video
from indexer.catalog.tables.library import Path as PathRow
from indexer.context import Context
from indexer.embedders.text.sentences import Sentences
from indexer.questions.neutral_prompts import NEUTRAL_PROMPTS
from indexer.search.searcher import Searcher
from indexer.search.types import Scope
from indexer.settings import Settings
from indexer.vectors.base import Selection
from indexer.vectors.faiss_index import FaissIndex
from indexer.vectors.faiss_rows import one_thread, search_rows
from indexer.vocabulary import StageName

DIMENSION = 384
SEGMENT_S = 5.0
CHUNK_SEGMENTS = 18
SHORT_SEGMENTS, LONG_SEGMENTS = 12, 1440
SUBJECTS = 3000
CANDIDATES = 400
KEY = "benchmark/2hz"
BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Result:
    """Milliseconds are medians, `_p95` the slowest of twenty. `bare_ms`: the same FAISS index
    called directly, unrestricted.
    """

    rows: int
    kind: str
    bare_ms: float
    everything_ms: float
    everything_p95_ms: float
    collection_ms: float
    collection_p95_ms: float
    video_ms: float
    video_p95_ms: float
    hydrate_ms: float
    whole_ms: float
    whole_p95_ms: float
    embed_ms: float
    refresh_after_commit_ms: float
    recall: float
    recall_one_percent: float
    recall_fifteen_percent: float
    publish_s: float
    open_s: float
    snapshot_mb: float
    database_mb: float
    memory_mb: float


def main() -> None:
    """A row of JSON for each number of segments, then the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument(
        "--folder", type=Path, help="where the temporary catalog goes; default: the system's"
    )
    parser.add_argument("--questions", type=int, default=200)
    arguments = parser.parse_args()
    results = []
    for count in arguments.rows:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            results.append(measure(Path(folder), count, arguments.questions))
        print(json.dumps(asdict(results[-1])), flush=True)
    print(table(results))


def measure(folder: Path, count: int, questions: int) -> Result:
    """Fills a catalog and measures everything about it."""
    settings = Settings(home=folder)
    catalog = Catalog(settings.url).open()
    rare, one_video = fill(catalog, count)
    published = FaissIndex(catalog, KEY, DIMENSION, settings).publish(keep_previous=False)
    before = memory_gb("RssAnon")
    index = FaissIndex(catalog, KEY, DIMENSION, settings)
    open_s = seconds(index.refresh)
    asked = Questions(np.random.default_rng(7), questions).vectors
    bare, everything, in_collection, in_video, hydrate = [], [], [], [], []
    for query in asked:
        bare.append(seconds(lambda query=query: bare_call(index, query)))
        everything.append(seconds(lambda query=query: index.search(query, CANDIDATES)))
        in_collection.append(
            seconds(
                lambda query=query: index.search(
                    query, CANDIDATES, Selection(collection_ids=(rare,))
                )
            )
        )
        in_video.append(
            seconds(
                lambda query=query: index.search(
                    query, CANDIDATES, Selection(video_ids=(one_video,))
                )
            )
        )
        hits = index.search(query, CANDIDATES)
        hydrate.append(seconds(lambda hits=hits: fetch(catalog, hits.ids)))
    whole, embed = ask_in_words(settings, index)
    memory_mb = (memory_gb("RssAnon") - before) * 1e9 / 2**20
    report = index.self_check()
    result = Result(
        rows=count,
        kind=published.kind,
        bare_ms=median_ms(bare),
        everything_ms=median_ms(everything),
        everything_p95_ms=p95_ms(everything),
        collection_ms=median_ms(in_collection),
        collection_p95_ms=p95_ms(in_collection),
        video_ms=median_ms(in_video),
        video_p95_ms=p95_ms(in_video),
        hydrate_ms=median_ms(hydrate),
        whole_ms=median_ms(whole),
        whole_p95_ms=p95_ms(whole),
        embed_ms=median_ms(embed),
        refresh_after_commit_ms=refresh_ms(catalog, index),
        recall=report.everything,
        recall_one_percent=report.one_percent,
        recall_fifteen_percent=report.large_selection,
        publish_s=round(published.seconds, 1),
        open_s=round(open_s, 2),
        snapshot_mb=round(published.size_bytes / 1e6),
        database_mb=round(catalog.sqlite_path.stat().st_size / 1e6) if catalog.sqlite_path else 0,
        memory_mb=round(max(0.0, memory_mb), 1),
    )
    catalog.close()
    return result


def bare_call(index: FaissIndex, query: np.ndarray) -> None:
    """The snapshot's own FAISS index with the number of probes that a search uses."""
    view = index._view
    if view is None or view.snapshot is None:
        raise RuntimeError("the snapshot was not opened")
    snapshot = view.snapshot
    if snapshot.ivf is None:
        with one_thread():
            snapshot.rows.index.search(query[None], CANDIDATES)
    else:
        search_rows(snapshot.ivf, query, CANDIDATES, None, nprobe=snapshot.manifest.nprobe)


def fetch(catalog: Catalog, ids: np.ndarray) -> list[SegmentRow]:
    """The rows that a search reads after the index."""
    with catalog.read() as session:
        return get_segments(session, ids)


class WordEmbedder:
    """The sentence model alone: what a question costs, and vectors of 384 numbers."""

    name, key, dimension, short_side, languages = "benchmark", "benchmark", DIMENSION, 64, ("en",)
    photographs = None
    class_names = None

    def __init__(self) -> None:
        self.sentences = Sentences()

    def embed_texts(self, texts) -> np.ndarray:
        """Unit vectors `(N, 384)`."""
        return self.sentences.minilm.embed(texts)

    def embed_frames(self, images: np.ndarray) -> np.ndarray:
        """Never called: the rows are made up."""
        raise NotImplementedError("the rows are made up")

    def reads(self, text: str) -> bool:
        """Any text but an empty one."""
        return bool(text)


class MadeUpContext(Context):
    """A library whose one embedder and index are handed in."""

    def __init__(self, settings: Settings, embedder: WordEmbedder, index: FaissIndex) -> None:
        super().__init__(settings)
        self._embedder = embedder
        self._index = index

    @property
    def embedder(self) -> WordEmbedder:
        """The sentence model alone."""
        return self._embedder

    def index_for(self, key: str, stage: str = StageName.PICTURE) -> FaissIndex:
        """The index that is measured."""
        return self._index


def ask_in_words(settings: Settings, index: FaissIndex) -> tuple[list[float], list[float]]:
    """Seconds of whole searches, from the question to moments with their paths, and of embedding
    the question alone.
    """
    embedder = WordEmbedder()
    searcher = Searcher(MadeUpContext(settings, embedder, index))
    questions = [f"when is there {text}?" for text in NEUTRAL_PROMPTS]
    searcher.search(questions[0], Scope())
    whole = [
        seconds(lambda question=question: searcher.search(question, Scope()))
        for question in questions * 2
    ]
    return whole, [
        seconds(lambda question=question: embedder.embed_texts([question]))
        for question in questions
    ]


def refresh_ms(catalog: Catalog, index: FaissIndex) -> float:
    """What the first search after somebody's commit pays, so that the new chunk is found."""
    times = []
    for number in range(5):
        with catalog.begin() as session:
            collection_id = collections.ensure_collection(session, "later")
            add_videos(
                session,
                collection_id,
                1,
                SHORT_SEGMENTS,
                Questions(np.random.default_rng(number), 1),
                f"later {number}",
            )
        times.append(seconds(lambda: index.refresh(force=True)))
    return median_ms(times)


# --- made-up rows ---


class Questions:
    """Unit vectors near random subjects: scenes, and what is asked about them."""

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self.rng = rng
        self.subjects = unit(
            np.random.default_rng(0).standard_normal((SUBJECTS, DIMENSION)).astype(np.float32)
        )
        self.vectors = self.near(self.subjects[rng.integers(0, SUBJECTS, count)], 1.0)

    def near(self, centres: np.ndarray, spread: float) -> np.ndarray:
        """Unit vectors around the centres."""
        noise = self.rng.standard_normal(centres.shape, dtype=np.float32) / np.float32(
            DIMENSION**0.5
        )
        return unit(centres + np.float32(spread) * noise)

    def segments(self, count: int) -> np.ndarray:
        """(count, 384): a scene is eight segments long on average."""
        scenes = self.near(self.subjects[self.rng.integers(0, SUBJECTS, count // 8 + 1)], 0.8)
        return self.near(scenes[np.sort(self.rng.integers(0, len(scenes), count))], 0.5)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Each row divided by its length."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def fill(catalog: Catalog, count: int) -> tuple[int, int]:
    """The collection that holds 1 % of the segments, and a video of two hours (or the longest)."""
    source = Questions(np.random.default_rng(1), 1)
    with catalog.begin() as session:
        main_id, rare_id = (
            collections.ensure_collection(session, name) for name in ("main", "rare")
        )
        short = count // 2 // SHORT_SEGMENTS
        rare_videos = max(1, count // 100 // SHORT_SEGMENTS)
        add_videos(session, rare_id, rare_videos, SHORT_SEGMENTS, source, "rare")
        add_videos(session, main_id, short - rare_videos, SHORT_SEGMENTS, source, "short")
        return rare_id, add_videos(
            session, main_id, max(1, count // 2 // LONG_SEGMENTS), LONG_SEGMENTS, source, "long"
        )


def add_videos(
    session, collection_id: int, videos: int, segments: int, source: Questions, name: str
) -> int:
    """Ready videos with all their segments, written in bulk as the stages would leave them; the id
    of the last one.
    """
    length_s = segments * SEGMENT_S
    shared = {
        "collection_id": collection_id,
        "size_bytes": 1,
        "duration_s": length_s,
        "width": 1280,
        "height": 720,
        "codec": "h264",
    }
    shared |= {
        "container": "mp4",
        "audio_tracks": 1,
        "rotation": 0,
        "state": "ready",
        "picture_key": KEY,
        "created_at": utc_now(),
    }
    made = insert(Video).returning(Video.id, sort_by_parameter_order=True)
    video_ids = session.scalars(
        made, [shared | {"content_hash": f"{name} {n}"} for n in range(videos)]
    ).all()
    place = {
        "collection_id": collection_id,
        "root": "local",
        "size_bytes": 1,
        "mtime_ns": 1,
        "offline": False,
        "seen_at": utc_now(),
    }
    session.execute(
        insert(PathRow),
        [place | {"video_id": id, "relative_path": f"{name}/{id}.mp4"} for id in video_ids],
    )
    chunks = [
        (video_id, number, first)
        for video_id in video_ids
        for number, first in enumerate(range(0, segments, CHUNK_SEGMENTS))
    ]
    for start in range(0, len(chunks), BATCH // CHUNK_SEGMENTS):
        add_chunks(
            session,
            collection_id,
            chunks[start : start + BATCH // CHUNK_SEGMENTS],
            segments,
            length_s,
            source,
        )
    return video_ids[-1]


def add_chunks(
    session,
    collection_id: int,
    chunks: list[tuple[int, int, int]],
    segments: int,
    length_s: float,
    source: Questions,
) -> None:
    """Chunks with their work, frames and segments."""
    ends = [min(first + CHUNK_SEGMENTS, segments) for _, _, first in chunks]
    rows_of_chunks = [
        {
            "video_id": video_id,
            "number": number,
            "start_s": first * SEGMENT_S,
            "end_s": end * SEGMENT_S,
        }
        for (video_id, number, first), end in zip(chunks, ends)
    ]
    chunk_ids = session.scalars(
        insert(Chunk).returning(Chunk.id, sort_by_parameter_order=True), rows_of_chunks
    ).all()
    done = {
        "collection_id": collection_id,
        "stage": "picture",
        "key": KEY,
        "state": "done",
        "attempts": 1,
        "video_s": length_s,
        "created_at": utc_now(),
    }
    tasks = [
        done | {"chunk_id": chunk_id, "video_id": video_id, "revision": int(revision)}
        for chunk_id, (video_id, _, _), revision in zip(
            chunk_ids, chunks, source.rng.integers(1, 2**40, len(chunks))
        )
    ]
    task_ids = session.scalars(
        insert(ChunkTask).returning(ChunkTask.id, sort_by_parameter_order=True), tasks
    ).all()
    vectors = source.segments(sum(end - first for (_, _, first), end in zip(chunks, ends)))
    half_vectors = vectors.astype("<f2")
    session.execute(
        insert(FrameBlockRow), list(frame_rows(chunks, ends, chunk_ids, task_ids, half_vectors))
    )
    packed = (row.tobytes() for row in half_vectors)
    session.execute(
        insert(Segment),
        list(segment_rows(collection_id, chunks, ends, chunk_ids, task_ids, packed)),
    )


def segment_rows(
    collection_id: int, chunks, ends, chunk_ids, task_ids, packed: Iterator[bytes]
) -> Iterator[dict[str, object]]:
    """The segments of the chunks, as the catalog stores them."""
    for (video_id, _, first), end, chunk_id, task_id in zip(chunks, ends, chunk_ids, task_ids):
        shared = {
            "task_id": task_id,
            "chunk_id": chunk_id,
            "video_id": video_id,
            "collection_id": collection_id,
            "key": KEY,
        }
        for number in range(first, end):
            start_s = number * SEGMENT_S
            yield shared | {
                "start_s": start_s,
                "end_s": start_s + SEGMENT_S,
                "thumbnail_s": start_s + 2,
                "vector": next(packed),
            }


def frame_rows(
    chunks, ends, chunk_ids, task_ids, half_vectors: np.ndarray
) -> Iterator[dict[str, object]]:
    """Two frames a second, each like its segment."""
    per_segment = round(2 * SEGMENT_S)
    row = 0
    for (video_id, _, first), end, chunk_id, task_id in zip(chunks, ends, chunk_ids, task_ids):
        vectors = np.repeat(half_vectors[row : row + end - first], per_segment, axis=0)
        row += end - first
        times_s = first * SEGMENT_S + np.arange(len(vectors)) / 2
        shared = {
            "task_id": task_id,
            "chunk_id": chunk_id,
            "video_id": video_id,
            "key": KEY,
            "count": len(vectors),
            "dimension": DIMENSION,
        }
        yield shared | {
            "times_s": times_s.astype("<f8").tobytes(),
            "vectors": vectors.tobytes(),
            "cuts_s": b"",
        }


# --- measuring ---


def median_ms(times: list[float]) -> float:
    """Milliseconds."""
    return round(float(np.median(times)) * 1000, 2)


def p95_ms(times: list[float]) -> float:
    """Milliseconds."""
    return round(float(np.percentile(times, 95)) * 1000, 2)


HEAD = (
    "segments|index|bare FAISS ms|whole search (p95)|embedding|index alone (p95)|1 % collection|"
    "one video|recall@10 all / 1 % / 15 %|memory MB|open s|publish s"
)


def table(results: list[Result]) -> str:
    """Markdown."""
    lines = [f"faiss {faiss.__version__}", f"|{HEAD}|", "|" + "---|" * (HEAD.count("|") + 1)]
    return "\n".join(lines + [f"|{'|'.join(cells(result))}|" for result in results])


def cells(result: Result) -> list[str]:
    """One row of the table."""
    shares = (result.recall, result.recall_one_percent, result.recall_fifteen_percent)
    recalls = " / ".join(f"{recall:.3f}" for recall in shares)
    searches = [
        f"{median} ({p95})"
        for median, p95 in (
            (result.everything_ms, result.everything_p95_ms),
            (result.collection_ms, result.collection_p95_ms),
            (result.video_ms, result.video_p95_ms),
        )
    ]
    whole = [f"{result.whole_ms} ({result.whole_p95_ms})", str(result.embed_ms)]
    return [
        f"{result.rows:,}",
        result.kind,
        str(result.bare_ms),
        *whole,
        *searches,
        recalls,
        str(result.memory_mb),
        str(result.open_s),
        str(result.publish_s),
    ]


if __name__ == "__main__":
    main()
