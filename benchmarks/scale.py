"""What 1,000, 100,000 and 10,000,000 hours of video need, computed from costs that were measured:
the tables of docs/guides/scale.md.

    python -m benchmarks.scale                                      the tables, from
    benchmarks/scale.json
    python -m benchmarks.scale --measure FOLDER [--only picture]    ingests the videos of a folder
    into a PostgreSQL of its own, and notes
                                                                    bytes, rows and seconds of CPU
                                                                    for an hour of video in that
                                                                    file

Pictures are measured first; speech and screen text in an ingest that finds the pictures done.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sqlalchemy import text

from benchmarks.pgvector import server
from benchmarks.support.measure import measure
from indexer.catalog import Catalog
from indexer.library import Library
from indexer.passages import text_embedding
from indexer.passages.screen.ocr import load_text_model
from indexer.passages.speech.recognition import load_speech_model
from indexer.settings import Settings

FILE = Path(__file__).with_suffix(".json")
HOURS = (1_000, 100_000, 10_000_000)
STAGES = ("picture", "speech", "screen")
INDEXED = (
    1.05  # 100,000 segments of 384 numbers: 930 bytes each with pages and indexes, 895 without
)
REST = ("chunk_task", "chunk", "video", "path")


@dataclass(frozen=True, slots=True)
class Costs:
    """Of an hour of video; bytes as PostgreSQL keeps them. What is not measured is marked so in
    docs/guides/scale.md.
    """

    video_s: float = 0.0
    segments: float = 0.0
    frames: float = 0.0
    passages: float = 0.0
    task_rows: float = 0.0
    bytes_frames: float = 0.0
    bytes_segments: float = 0.0
    bytes_passages: float = 0.0
    bytes_rest: float = 0.0
    bytes_thumbnails: float = 0.0
    cpu_s_picture: float = 0.0
    cpu_s_speech: float = 0.0
    cpu_s_screen: float = 0.0
    dimension: int = 384

    @property
    def catalog_bytes(self) -> float:
        """Of an hour, thumbnails left out."""
        return self.bytes_frames + self.bytes_segments + self.bytes_passages + self.bytes_rest

    @property
    def graph_bytes(self) -> float:
        """HNSW: the vector, and 392 bytes of neighbours and pages (1,160 of 384 numbers,
        benchmarks.pgvector).
        """
        return self.segments * (2 * self.dimension + 392) + self.passages * (
            2 * text_embedding.DIMENSION + 392
        )

    @property
    def snapshot_bytes(self) -> float:
        """FAISS: 16-bit vectors, 8-bit lists, 48 bytes of numbers beside them."""
        return self.segments * (3 * self.dimension + 48) + self.passages * (
            3 * text_embedding.DIMENSION + 48
        )


@dataclass(frozen=True, slots=True)
class Assumed:
    """Chosen, not measured: change them to your own and run this again."""

    server_memory_gb: float = 256
    memory_for_graphs: float = 0.6
    host_memory_gb: float = 32
    partition_gb: float = 100
    replicas: int = 2
    days_to_take_in: float = 90
    media_mbit_s: float = 2.5
    proxy_share: float = 0.2
    proxy_mbit_s: float = 1.5
    window_s: float = 30
    gpu_s_a_window: float = 2.0


def main() -> None:
    """Prints the tables, after measuring if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--measure", type=Path, help="folder of videos")
    parser.add_argument(
        "--only",
        choices=STAGES,
        nargs="+",
        default=STAGES,
        help="stages to measure; pictures come first",
    )
    arguments = parser.parse_args()
    costs = Costs(**json.loads(FILE.read_text())) if FILE.exists() else Costs()
    for stage in arguments.only if arguments.measure else ():
        costs = with_measured(costs, arguments.measure, stage)
        FILE.write_text(json.dumps(asdict(costs), indent=1) + "\n")
    print(table(costs, Assumed()))


# --- measuring ---


def with_measured(costs: Costs, folder: Path, stage: str) -> Costs:
    """The costs with those of one more stage; speech and screen text are done after pictures, and
    counted alone.
    """
    with tempfile.TemporaryDirectory() as temporary, server(Path(temporary)) as catalog:
        pictures_alone = Settings(
            home=Path(temporary) / "home",
            database_url=catalog.url.render_as_string(hide_password=False),
            vectors="pgvector",
            speech=False,
            screen_text=False,
            sound=False,
        )
        library = Library(pictures_alone)
        if stage != "picture":
            library.ingest([folder])
            library.catalog.close()
            library = Library(
                pictures_alone.model_copy(
                    update={"speech": stage == "speech", "screen_text": stage == "screen"}
                )
            )
        load_models(library, stage)
        done = measure(lambda: library.ingest([folder]))
        assert not done.result.failures, done.result.failures
        hours = library.status().video_s / 3600
        cpu_s = round(done.cpu_s / hours)
        changed = (
            of_pictures(library, hours)
            if stage == "picture"
            else of_passages(costs, catalog, hours)
        )
        library.catalog.close()
        return replace(costs, **changed, **{f"cpu_s_{stage}": cpu_s})


def load_models(library: Library, stage: str) -> None:
    """Before the clock starts: an hour of video does not pay for it."""
    library.embedder.embed_texts(["a picture"])
    if stage == "speech":
        load_speech_model(library.settings)
    if stage == "screen":
        load_text_model(library.settings)


def of_pictures(library: Library, hours: float) -> dict[str, float]:
    """What an hour costs after the stage `picture`."""
    catalog = library.catalog
    with catalog.read() as session:
        frames = float(session.scalar(text("SELECT sum(count) FROM frame_block")) or 0)
    return {
        "video_s": round(hours * 3600, 1),
        "dimension": library.embedder.dimension,
        "segments": round(count(catalog, "segment") / hours),
        "frames": round(frames / hours),
        "passages": 0,
        "bytes_passages": 0,
        "task_rows": round(count(catalog, "chunk_task") / hours),
        "bytes_frames": round(size(catalog, "frame_block") / hours),
        "bytes_segments": round(size(catalog, "segment") / hours),
        "bytes_rest": round(sum(size(catalog, name) for name in REST) / hours),
        "bytes_thumbnails": round(library.artefacts.size_bytes() / hours),
    }


def of_passages(costs: Costs, catalog: Catalog, hours: float) -> dict[str, float]:
    """What an hour of passages adds to `costs`."""
    return {
        "passages": round(costs.passages + count(catalog, "passage") / hours),
        "bytes_passages": round(costs.bytes_passages + size(catalog, "passage") / hours),
    }


def size(catalog: Catalog, name: str) -> float:
    """Bytes of the rows as stored (long values compressed), and INDEXED of that: whole tables of a
    short sample are mostly empty pages.
    """
    with catalog.read() as session:
        return INDEXED * float(
            session.scalar(text(f"SELECT sum(pg_column_size(t.*)) FROM {name} t")) or 0
        )


def count(catalog: Catalog, name: str) -> int:
    """Rows of a table."""
    with catalog.read() as session:
        return session.scalar(text(f"SELECT count(*) FROM {name}")) or 0


# --- the tables ---


def table(costs: Costs, assumed: Assumed) -> str:
    """The tables of docs/guides/scale.md."""
    lines = [
        "| | " + " | ".join(f"{hours:,} h" for hours in HOURS) + " |",
        "|---|" + "---:|" * len(HOURS),
    ]
    lines += [
        f"| {name} | " + " | ".join(value(hours) for hours in HOURS) + " |"
        for name, value in needs(costs, assumed)
    ]
    points = [
        f"| {what} | {round_hours(hours)} h |" for what, hours in turning_points(costs, assumed)
    ]
    return "\n".join([*lines, "", "| this holds up to | about |", "|---|---:|", *points])


def needs(c: Costs, a: Assumed) -> Sequence[tuple[str, Callable[[float], str]]]:
    """(what, the text for so many hours)."""
    server_bytes = a.server_memory_gb * 1e9 * a.memory_for_graphs
    return (
        ("segments, a vector each", lambda h: number(h * c.segments)),
        ("passages, a vector each", lambda h: number(h * c.passages)),
        ("frame vectors", lambda h: number(h * c.frames)),
        ("chunk tasks", lambda h: number(h * c.task_rows * len(STAGES))),
        ("frames in the catalog", lambda h: volume(h * c.bytes_frames)),
        ("segments in the catalog", lambda h: volume(h * c.bytes_segments)),
        ("passages in the catalog", lambda h: volume(h * c.bytes_passages)),
        ("catalog in all", lambda h: volume(h * c.catalog_bytes)),
        ("HNSW graphs, which want to be in memory", lambda h: volume(h * c.graph_bytes)),
        (
            f"PostgreSQL servers of {a.server_memory_gb:g} GB by that",
            lambda h: f"{math.ceil(h * c.graph_bytes / server_bytes):,}",
        ),
        (
            f"with {a.replicas} replicas each",
            lambda h: f"{(1 + a.replicas) * math.ceil(h * c.graph_bytes / server_bytes):,}",
        ),
        (
            f"partitions of {a.partition_gb:g} GB",
            lambda h: f"{math.ceil(h * c.catalog_bytes / (a.partition_gb * 1e9)):,}",
        ),
        ("FAISS snapshot on each search host instead", lambda h: volume(h * c.snapshot_bytes)),
        ("thumbnails, files", lambda h: number(h * c.segments)),
        ("thumbnails, object storage", lambda h: volume(h * c.bytes_thumbnails)),
        (
            f"proxies of {a.proxy_share:.0%} of the videos",
            lambda h: volume(h * 3600 * a.proxy_share * a.proxy_mbit_s / 8 * 1e6),
        ),
        (
            f"the media themselves at {a.media_mbit_s:g} Mbit/s",
            lambda h: volume(h * 3600 * a.media_mbit_s / 8 * 1e6),
        ),
        *(
            (
                f"cores for `{name}` within {a.days_to_take_in:g} days",
                cores(getattr(c, f"cpu_s_{name}"), a),
            )
            for name in STAGES
        ),
        (
            f"GPUs for `events` within {a.days_to_take_in:g} days",
            cores(3600 / a.window_s * a.gpu_s_a_window, a),
        ),
    )


def cores(seconds_an_hour: float, a: Assumed) -> Callable[[float], str]:
    """Hours of video -> cores that take them in within the assumed days."""
    return lambda h: f"{math.ceil(h * seconds_an_hour / (a.days_to_take_in * 86_400)):,}"


def turning_points(c: Costs, a: Assumed) -> Sequence[tuple[str, float]]:
    """(what holds, up to how many hours)."""
    return (
        ("comparing every row, no graph (20,000 rows)", 20_000 / c.segments),
        (
            f"FAISS snapshots on hosts of {a.host_memory_gb:g} GB",
            a.host_memory_gb * 1e9 / c.snapshot_bytes,
        ),
        (
            "all graphs in the memory of one server",
            a.server_memory_gb * 1e9 * a.memory_for_graphs / c.graph_bytes,
        ),
        ("frames in SQL (10 TB, which takes a day to dump at 120 MB/s)", 10e12 / c.catalog_bytes),
        ("a file for each thumbnail (100 million files)", 100e6 / c.segments),
        (
            "counting all work for `status` and /metrics (10 million rows, seconds)",
            10e6 / (c.task_rows * len(STAGES)),
        ),
    )


def number(value: float) -> str:
    """Three digits and a unit."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return (
                f"{value / unit:,.3g} {name}"
                if value < 1000 * unit
                else f"{value / unit:,.0f} {name}"
            )
    return f"{value:.0f}"


def volume(value: float) -> str:
    """Bytes with a unit."""
    for unit, name in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if value >= unit:
            return f"{value / unit:,.3g} {name}"
    return f"{value / 1e3:.0f} kB"


def round_hours(hours: float) -> str:
    """Two digits."""
    digits = max(0, math.floor(math.log10(max(hours, 1))) - 1)
    return f"{round(hours, -digits):,.0f}"


if __name__ == "__main__":
    main()
