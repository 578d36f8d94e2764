"""What the queue costs, and what a second worker brings. Real Redis and PostgreSQL; speech and
screen text are off.

    python -m benchmarks.queue [--only overhead|workers|fresh] [--minutes N] [--rounds N] [--folder
    DIR]

overhead: the same footage by an ingest in its own process and by one warm worker, in turn; from
asking to ready. workers: the same minutes by one worker and by two, each with a core and a thread
of its own. fresh: from the commit of a video's chunk until another process finds it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.support.footage import make_footage
from benchmarks.support.measure import header, row
from indexer.catalog.leasing import jobs
from indexer.catalog.tables.library import ChunkTask, Collection
from indexer.library import Library
from indexer.settings import Settings
from tests.support import colour_video
from tests.workers.fleet import Fleet, kill_group
from tests.workers.servers import wait_until

LONG_S = 1200


def lite_fleet(**settings: str) -> Fleet:
    """Redis, PostgreSQL and workers with the `lite` embedder."""
    return Fleet(
        {"EMBEDDER": "lite", "REAPER_INTERVAL_S": "15", "LEASE_S": "60", "THREADS": "0", **settings}
    )


def library_of(fleet: Fleet, embedder: str = "lite") -> Library:
    """A library over the fleet's servers."""
    own = {"database_url": fleet.postgres.url, "broker_url": fleet.redis.url}
    return Library(
        Settings(
            home=fleet.home, embedder=embedder, speech=False, screen_text=False, sound=False, **own
        )
    )


def ingest_by_queue(
    fleet: Fleet, library: Library, paths: Sequence[Path], collection: str
) -> float:
    """Seconds from asking until all is ready."""
    started = time.perf_counter()
    library.ingest(paths, collection, queue=True)
    wait_until(
        lambda: is_ready(fleet, library, collection, len(paths)), LONG_S, "the videos are ready"
    )
    return time.perf_counter() - started


def is_ready(fleet: Fleet, library: Library, collection: str, count: int) -> bool:
    """Are all videos ready? Fails at once where they never will be: a file that could not be
    planned does not become a video, and a worker that ended does nothing.
    """
    states = [video.state for video in library.videos([collection])]
    with library.catalog.read() as session:
        unplanned = jobs.list_errors(session)
    assert not unplanned, unplanned
    assert "failed" not in states, library.status().errors
    assert all(worker.poll() is None for worker in fleet.workers), fleet.logs()
    return states == ["ready"] * count


def overhead(folder: Path, minutes: float, rounds: int) -> None:
    """An ingest in its own process against one warm worker."""
    header(
        f"{minutes:g} minutes of 360p with `lite`: an ingest in its process against one warm worker"
    )
    path = make_footage(folder, minutes, height=360)
    warm = make_footage(folder, 1, height=360)
    with lite_fleet() as fleet, tempfile.TemporaryDirectory() as home:
        # In a catalog of its own: the worker would take part otherwise.
        own = Library(Settings(home=Path(home), speech=False, screen_text=False, sound=False))
        library = library_of(fleet)
        fleet.start()
        own.ingest([warm], "warm")
        ingest_by_queue(fleet, library, [warm], "warm")
        alone, by_worker = [], []
        for number in range(rounds):
            started = time.perf_counter()
            own.ingest([path], f"alone {number}")
            alone.append(time.perf_counter() - started)
            by_worker.append(ingest_by_queue(fleet, library, [path], f"worker {number}"))
            row(
                "a round",
                f"in its process {alone[-1]:.1f} s, by a worker {by_worker[-1]:.1f} s: "
                f"{by_worker[-1] / alone[-1]:.3f}",
            )
    ratios = [there / here for here, there in zip(alone, by_worker)]
    row(
        "worker / own process",
        f"{statistics.median(ratios):.3f} "
        f"(median of {rounds}: {min(ratios):.3f} to {max(ratios):.3f})",
        "at most 1.10",
    )
    row("medians", f"{statistics.median(alone):.1f} s and {statistics.median(by_worker):.1f} s")


def one_and_two(folder: Path, minutes: int, rounds: int) -> None:
    """One worker against two."""
    header(
        f"{minutes} videos of a minute (360p, `lite`): one worker with one core and one thread "
        "against two of the same"
    )
    paths = copies(folder, make_footage(folder, 1, height=360), minutes)
    ratios = []
    for number in range(rounds):
        seconds = []
        for cores in ((0,), (0, 1)):
            with lite_fleet(THREADS="1") as fleet:
                library = library_of(fleet)
                for core in cores:
                    fleet.start(pinned_to=core)
                # Both are warm: every one of them has had work to do.
                warm = copies(folder, make_footage(folder, 1, height=360), 4, name="warm")
                ingest_by_queue(fleet, library, warm, "warm")
                seconds.append(ingest_by_queue(fleet, library, paths, f"run {number}"))
        ratios.append(seconds[0] / seconds[1])
        row(
            "a round",
            f"one {seconds[0]:.1f} s, two {seconds[1]:.1f} s: {ratios[-1]:.2f} times as fast",
        )
    row(
        "two against one",
        f"{statistics.median(ratios):.2f} times as fast (median of {rounds})",
        "2 at best",
    )


def copies(folder: Path, path: Path, count: int, name: str = "minute") -> list[Path]:
    """Files of other bytes and the same pictures: a box of free bytes at the end differs."""
    content = path.read_bytes()
    made = []
    for number in range(count):
        copy = folder / f"{name}-{number:03d}.mp4"
        if not copy.exists():
            copy.write_bytes(
                content + (16).to_bytes(4, "big") + b"free" + f"{name[:4]}{number:04d}".encode()
            )
        made.append(copy)
    return made


def fresh(rounds: int) -> None:
    """From a commit until another process finds it."""
    header("From a chunk's commit until a search process that runs finds it (`demo` embedder)")
    with Fleet() as fleet, tempfile.TemporaryDirectory() as folder:
        library = library_of(fleet, "demo")
        colour_video(Path(folder) / "first.mp4", [("black", 10.0)])
        library.ingest([Path(folder) / "first.mp4"], "first")
        fleet.start()
        waits = []
        for number in range(rounds):
            path = colour_video(Path(folder) / f"{number}.mp4", [("red", 20.0 + number)])
            name = f"collection {number}"
            library.ingest([path], name, queue=True)

            def is_found(name: str = name) -> bool:
                answer = library.search("red", collections=[name])
                return bool(answer.moments)

            wait_until(is_found, LONG_S, "it is found")
            found_s = time.time()
            waits.append(found_s - committed_s(library, name))
        row(
            "seconds until found",
            f"median {statistics.median(waits):.2f}, longest {max(waits):.2f} (of {rounds})",
            "at most 2",
        )
    for worker in fleet.workers:
        kill_group(worker)


def committed_s(library: Library, collection: str) -> float:
    """When the first chunk of a collection was committed."""
    with library.catalog.read() as session:
        first = session.scalar(
            select(func.min(ChunkTask.finished_at))
            .join(Collection, Collection.id == ChunkTask.collection_id)
            .where(Collection.name == collection)
        )
    assert first is not None
    return first.timestamp()


def main() -> None:
    """Runs the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["overhead", "workers", "fresh"])
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--folder", type=Path, help="where footage is made and kept; default: a temporary folder"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if arguments.only in (None, "overhead"):
            overhead(folder, arguments.minutes, arguments.rounds)
        if arguments.only in (None, "workers"):
            one_and_two(folder, arguments.minutes, min(arguments.rounds, 3))
        if arguments.only in (None, "fresh"):
            fresh(arguments.rounds)


if __name__ == "__main__":
    main()
