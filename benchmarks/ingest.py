"""Ingest: speed against its parts, keyframes against everything, memory and time against length,
repeating.

    python -m benchmarks.ingest [--folder DIR] [--quick] [--only PART...]

Speech and screen text are off, models are loaded before the clock starts, and what is compared runs
in turn in one process.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from benchmarks.support.footage import make_footage
from benchmarks.support.measure import header, measure, row
from indexer.embedders.base import Embedder
from indexer.library import Library
from indexer.settings import Settings

PARTS = ("parts", "fast", "length", "repeat")


def fresh(folder: Path, name: str) -> Library:
    """A library of its own, without speech and screen text."""
    home = Path(tempfile.mkdtemp(dir=folder, prefix=name))
    return Library(Settings(home=home, speech=False, screen_text=False))


def decode(path: Path, rate_hz: float, short_side: int) -> np.ndarray:
    """PyAV alone: decodes every frame, converts the sampled ones at the size that the embedder
    wants.
    """
    images = []
    due = 0.0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        width = round(stream.width * short_side / stream.height / 2) * 2
        for frame in container.decode(stream):
            if frame.time is not None and frame.time >= due - 1e-6:
                images.append(frame.reformat(width, short_side, "rgb24").to_ndarray())
                due += 1 / rate_hz
    return np.stack(images)


def against_parts(folder: Path, path: Path, rounds: int) -> None:
    """An ingest against decoding and embedding alone."""
    header("Ten minutes of 720p H.264 with `lite`")
    library = fresh(folder, "warm")
    embedder: Embedder = library.embedder
    settings = library.settings
    embedder.embed_frames(
        np.zeros(
            (settings.batch_size, embedder.short_side, embedder.short_side * 16 // 9, 3), np.uint8
        )
    )
    ratios, speeds = [], []
    for _ in range(rounds):
        images = measure(lambda: decode(path, settings.frame_rate_hz, embedder.short_side))
        embedded = measure(lambda images=images: embedder.embed_frames(images.result))
        whole = measure(lambda: fresh(folder, "run").ingest([path]))
        assert not whole.result.failures
        ratios.append(whole.wall_s / (images.wall_s + embedded.wall_s))
        speeds.append(whole.result.video_s / whole.wall_s)
        detail = (
            f"decode {images.wall_s:.1f} s + embed {embedded.wall_s:.1f} s; "
            f"ingest {whole.wall_s:.1f} s, {whole.cpu_s:.1f} s of CPU"
        )
        row("a round", detail)
    row(
        "ingest / (decode + embed)",
        f"{statistics.median(ratios):.2f} (of {rounds}: {min(ratios):.2f} to {max(ratios):.2f})",
        "at most 1.15",
    )
    row("times real time", f"{statistics.median(speeds):.1f}", "at least 5")


def fast_against_full(folder: Path, path: Path) -> None:
    """Keyframes alone against every sampled frame."""
    header("`--fast` against the full pass, 30 minutes, a keyframe every 10 s")
    full = measure(lambda: fresh(folder, "full").ingest([path]))
    fast = measure(lambda: fresh(folder, "fast").ingest([path], fast=True))
    row(
        "full / fast",
        f"{full.wall_s / fast.wall_s:.1f} ({full.wall_s:.1f} s and {fast.wall_s:.1f} s)",
        "at least 8",
    )


def against_length(folder: Path, minutes: tuple[int, ...]) -> None:
    """Does memory, or the time of a minute, grow with the length?"""
    header("Time and memory against length (360p)")
    first = None
    for length in minutes:
        path = make_footage(folder, length, height=360)
        done = measure(lambda path=path: fresh(folder, "length").ingest([path]))
        per_minute = done.cpu_s / length
        first = first or per_minute
        row(
            f"{length} minutes",
            f"{done.wall_s:.1f} s; {done.cpu_s:.1f} s of CPU, {per_minute / first:.2f} of the "
            "first per minute; "
            f"peak {done.peak_bytes / 2**30:.2f} GiB",
            "1.5 GiB",
        )


def ingest_again(folder: Path, count: int) -> None:
    """A second ingest of files that did not change."""
    header(f"Repeat of an ingest of {count} unchanged files")
    small = make_footage(folder, 0.05, height=120)
    media = Path(tempfile.mkdtemp(dir=folder, prefix="many"))
    content = small.read_bytes()
    for number in range(count):
        # A box of free bytes at the end makes each file's content its own.
        (media / f"{number:04d}.mp4").write_bytes(
            content + (16).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big")
        )
    library = fresh(folder, "repeat")
    settings = library.settings.model_copy(update={"embedder": "demo"})
    first = measure(lambda: Library(settings).ingest([media]))
    again = [measure(lambda: Library(settings).ingest([media])).wall_s for _ in range(3)]
    row(f"first time ({count} files of 3 s, embedder `demo`)", f"{first.wall_s:.1f} s")
    row("again", f"{statistics.median(again):.2f} s", "at most 3 s")


def main() -> None:
    """Runs the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folder", type=Path, help="where footage is made and kept; default: a temporary folder"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the lengths, to try it out"
    )
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="some of the parts")
    parser.add_argument("--rounds", type=int, default=3, help="of the comparison with its parts")
    arguments = parser.parse_args()
    scale = 0.1 if arguments.quick else 1.0
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        if "parts" in arguments.only:
            against_parts(
                folder, make_footage(folder, 10 * scale), 1 if arguments.quick else arguments.rounds
            )
        if "fast" in arguments.only:
            fast_against_full(folder, make_footage(folder, 30 * scale, keyframe_s=10))
        if "length" in arguments.only:
            against_length(folder, (1, 2) if arguments.quick else (10, 30, 120))
        if "repeat" in arguments.only:
            ingest_again(folder, 50 if arguments.quick else 1000)
        print(f"\nall of it took {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
