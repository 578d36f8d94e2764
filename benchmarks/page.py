"""The search page in a real browser: from pressing enter to the first card, from a click to a
playing picture, from the pointer to a moving one, bytes and shifts of a load, memory with five
viewers.

    python -m benchmarks.page [--segments 1000000] [--gigabytes 2] [--only small|large|memory]
    [--kept FOLDER]

Times are what the browser sees, on one machine. The library of a million segments is made up: 64
numbers a vector (the `demo` embedder, whose questions cost nothing to embed), half the segments in
videos of a minute, half in videos of two hours, frames at 2 a second.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page
from sqlalchemy import insert

from benchmarks.support.footage import make_footage
from benchmarks.support.measure import header, row, tree_bytes
from indexer.catalog import collections
from indexer.catalog.database.half_vector import pack
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.library import Chunk, ChunkTask, FrameBlockRow, Segment, Video
from indexer.catalog.tables.library import Path as PathTable
from indexer.embedders.base import unit
from indexer.library import Library
from indexer.settings import Settings
from tests.search_ui.browser import chromium, serving
from tests.support import colour_video, demo_library, demo_settings

ROUNDS = 15
VIDEOS = 3000
SEGMENT_S, CHUNK_SEGMENTS, RATE_HZ = 5.0, 18, 2.0
WORDS = ("red", "green", "blue", "yellow", "orange", "purple", "white", "black")


def main() -> None:
    """Measures what is asked for, or takes screenshots."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--segments", type=int, default=1_000_000)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--only", choices=("small", "large", "memory"))
    parser.add_argument(
        "--kept", type=Path, help="where the large library is made, or was made the last time"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        header("The search page")
        if arguments.only in (None, "small"):
            home = small_library(folder)
            answering(home, "small library (3 videos)", clicks=True)
            loading(home)
            looking_through(many_videos(folder / "many", VIDEOS))
        if arguments.only in (None, "memory"):
            viewers(folder / "viewers", arguments.gigabytes)
        if arguments.only in (None, "large"):
            kept = arguments.kept or folder / "large"
            home = (
                kept / "home"
                if (kept / "home").exists()
                else large_library(kept, arguments.segments)
            )
            answering(
                home, f"{Library(demo_settings(home)).status().segments:,} segments", clicks=False
            )


# --- what is measured ---


def answering(home: Path, name: str, *, clicks: bool) -> None:
    """Enter to first card, and click to a picture that plays; a new question each time, so that
    nothing is answered from memory.
    """
    asked, played, moved = [], [], []
    with serving(home) as url, chromium() as browser:
        page = browser.new_page(base_url=url, viewport={"width": 1280, "height": 900})
        page.goto("/?q=red")
        page.locator("a.open").first.wait_for()
        time.sleep(2)
        for number in range(ROUNDS + 2):
            page.get_by_role("textbox").first.fill(
                f"{WORDS[number % len(WORDS)]} {WORDS[(number + 3) % len(WORDS)]} {number}"
            )
            asked.append(page.evaluate(ENTER_TO_CARD))
            time.sleep(0.5)
            if clicks:
                moved.append(hover(page))
                played.append(page.evaluate(CLICK_TO_PICTURE))
                page.go_back()
                page.locator("a.open").first.wait_for()
                time.sleep(0.5)
    report(f"enter to first card, {name}", asked[2:], "300 ms")
    if clicks:
        report("click to playing picture", played[2:], "500 ms")
        report("pointer to moving picture", moved[2:], "300 ms")


def hover(page: Page) -> float:
    """Milliseconds from the pointer on a card to a picture that moves there."""
    page.mouse.move(2, 2)
    box = page.locator("a.open").first.bounding_box()
    assert box is not None
    found = page.evaluate_handle(POINTER_TO_PICTURE)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40, steps=2)
    return found.evaluate("found => found.ms")


def loading(home: Path) -> None:
    """Loads without a cache of the browser."""
    with serving(home) as url, chromium() as browser:
        first = "#first-screen img:not(.behind)"  # of the document, the real picture
        for path, shown in (("/", first), ("/?q=green", first), ("/library", first)):
            page = browser.new_page(base_url=url, viewport={"width": 1280, "height": 900})
            row(f"first load of {path}", load(page, path, shown), "1.5 MB, 1 s, .1")
            page.close()


def looking_through(home: Path) -> None:
    """The library's page with thousands of videos: the first cards, and those at the end."""
    with serving(home) as url, chromium() as browser:
        page = browser.new_page(base_url=url, viewport={"width": 1280, "height": 900})
        page.goto("/library")
        page.locator(".shelf .title").first.wait_for()
        started = time.perf_counter()
        page.reload(wait_until="commit")
        page.locator("#first-screen b").first.wait_for()
        seen_ms = (time.perf_counter() - started) * 1000
        page.locator(".shelf .title").first.wait_for()
        first_ms = (time.perf_counter() - started) * 1000
        started = time.perf_counter()
        page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, main.scrollHeight)")
        page.locator(f".shelf [aria-posinset='{VIDEOS}'] .title").wait_for()
        last_ms = (time.perf_counter() - started) * 1000
        page.close()
    found = (
        f"cards seen after {seen_ms:.0f} ms, all of the page {first_ms:.0f} ms, "
        f"the last {last_ms:.0f} ms after a jump"
    )
    row(f"library of {VIDEOS:,} videos, scripts known", found, "1 s")


def load(page: Page, path: str, shown: str) -> str:
    """Bytes over the wire, the time until `shown` is there, and how far what is there shifts."""
    page.add_init_script(SHIFTS)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    started = time.perf_counter()
    page.goto(path)
    page.locator(shown).first.wait_for()
    shown_ms = (time.perf_counter() - started) * 1000
    page.wait_for_load_state("networkidle")
    shifts = sum(page.evaluate("window.moved"))
    return f"{sum(sizes) / 1e6:.2f} MB, shown after {shown_ms:.0f} ms, shift {shifts:.3f}"


# Measured inside the browser by its own clock. The cards are drawn when their list has changed and
# the first picture's box is laid out.
FIND = """const find = (root, name) => { for (const e of root.querySelectorAll('*')) {
  if (e.matches(name)) return e;
  if (e.shadowRoot) { const inner = find(e.shadowRoot, name); if (inner) return inner }
} return null };"""
ENTER_TO_CARD = f"""() => new Promise(done => {{ {FIND}
  const box = find(document, '[data-testid=stTextInput] input');
  const old = find(document, 'a.open'); const from = performance.now();
  box.dispatchEvent(new KeyboardEvent('keydown',
    {{ key: 'Enter', code: 'Enter', keyCode: 13, bubbles: true }}));
  const look = () => {{ const card = find(document, 'a.open');
    if (card && card !== old) done(performance.now() - from); else requestAnimationFrame(look) }};
  requestAnimationFrame(look) }})"""
CLICK_TO_PICTURE = f"""() => new Promise(done => {{ {FIND}
  const card = find(document, 'a.open'); const from = performance.now(); card.click();
  const look = () => {{ const video = find(document, 'video');
    if (video && video.readyState >= 2 && !video.seeking && !video.paused && video.currentTime > 0)
      video.requestVideoFrameCallback(() => done(performance.now() - from));
    else requestAnimationFrame(look) }};
  requestAnimationFrame(look) }})"""

SHIFTS = """window.moved = []; new PerformanceObserver((list) => window.moved.push(
  ...list.getEntries().map((entry) => entry.value)))
  .observe({type: 'layout-shift', buffered: true})"""
POINTER_TO_PICTURE = f"""() => {{ {FIND}
  const found = {{}};
  found.ms = new Promise(done => window.addEventListener('pointermove', () => {{
    const from = performance.now();
    const look = () => {{ const video = find(document, '.picture video.moving');
      if (video && !video.paused) done(performance.now() - from);
      else requestAnimationFrame(look) }};
    look() }}, {{ once: true, capture: true }}));
  return found }}"""


def viewers(folder: Path, gigabytes: float, count: int = 5, seconds: float = 20.0) -> None:
    """Memory of the server while several people read a large file at once, each from a place of
    their own.
    """
    home = folder / "home"
    (folder / "v").mkdir(parents=True)
    path = make_footage(folder / "v", 1)
    with path.open(
        "r+b"
    ) as file:  # a free box at the end: players skip it, the server has to serve it
        file.seek(0, 2)
        size = int(gigabytes * 1e9)
        file.write((1).to_bytes(4, "big") + b"free" + size.to_bytes(8, "big"))
        file.truncate(file.tell() + size - 16)
    demo_library(home).ingest([path])
    with serving(home) as url:
        pid = int(Path(f"{home.parent}/server.pid").read_text())
        urllib.request.urlopen(f"{url}/stream/1", timeout=30).close()
        before = tree_bytes(pid)
        peak, read = [before], [0]
        stop = threading.Event()

        def watch(number: int) -> None:
            start = number * size // count
            request = urllib.request.Request(
                f"{url}/stream/1", headers={"Range": f"bytes={start}-"}
            )
            with urllib.request.urlopen(request, timeout=30) as answer:
                while not stop.is_set() and (piece := answer.read(1 << 20)):
                    read[0] += len(piece)

        threads = [threading.Thread(target=watch, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + seconds
        while time.monotonic() < until and any(thread.is_alive() for thread in threads):
            peak[0] = max(peak[0], tree_bytes(pid))
            time.sleep(0.2)
        stop.set()
        for thread in threads:
            thread.join()
    detail = (
        f"{(peak[0] - before) / 1e6:.0f} MB more than the {before / 1e6:.0f} MB before, "
        f"{read[0] / 1e9:.1f} GB served"
    )
    row(f"memory, {count} viewers of a file of {gigabytes:g} GB", detail, "flat")


def report(name: str, values_ms: list[float], target: str) -> None:
    """A row: median and 90th percentile."""
    slow = sorted(values_ms)[int(len(values_ms) * 0.9)]
    row(
        name,
        f"median {statistics.median(values_ms):.0f} ms, nine in ten within {slow:.0f} ms",
        target,
    )


# --- libraries ---


def small_library(folder: Path) -> Path:
    """Three videos of plain colours; its home."""
    for name, shots in {
        "traffic light": [("red", 4), ("green", 6), ("blue", 5)],
        "sunset": [("orange", 5), ("purple", 5)],
        "meadow": [("green", 8), ("white", 3), ("yellow", 4)],
    }.items():
        colour_video(folder / "videos" / f"{name}.mp4", shots, (360, 640))
    library = demo_library(folder / "home")
    library.ingest([folder / "videos"], "colours")
    return folder / "home"


def many_videos(folder: Path, count: int) -> Path:
    """Rows of videos without media, as many as a family keeps; its home."""
    library = demo_library(folder / "home")
    now = utc_now()
    with library.catalog.begin() as session:
        collection_id = collections.ensure_collection(session, "archive")
        for number in range(count):
            own = {
                **_made_up(number),
                "collection_id": collection_id,
                "recorded_at": now - timedelta(days=2 * number),
                "duration_s": 60.0 + number % 500,
            }
            session.add(row_of_video := Video(**own))
            session.flush()
            session.add(_path_of(collection_id, row_of_video.id, number))
    return folder / "home"


def large_library(folder: Path, segments: int) -> Path:
    """Rows as an ingest would write them, without any media: what is measured is asking, not
    watching.
    """
    settings: Settings = demo_settings(folder / "home")
    library = Library(settings)
    key = next(stage.key for stage in library.context.stages() if stage.name == "picture")
    rng = np.random.default_rng(3)
    subjects = unit(np.abs(rng.normal(size=(400, 64))) * (rng.random((400, 64)) < 0.15))
    with library.catalog.begin() as session:
        collection_id = collections.ensure_collection(session, "made up")
    made, number = 0, 0
    while made < segments:
        count = 12 if number % 2 == 0 and made < segments / 2 else 1440
        with library.catalog.begin() as session:
            made += _add_video(session, collection_id, number, count, key, subjects, rng)
        number += 1
    library.publish(force=True)
    return settings.home_path


def _made_up(number: int) -> dict[str, Any]:
    """Columns of a video that nobody has."""
    return {
        "content_hash": f"{number:064x}",
        "size_bytes": 10**9,
        "width": 1280,
        "height": 720,
        "fps": 25.0,
        "codec": "h264",
        "container": "mov,mp4,m4a,3gp,3g2,mj2",
        "audio_tracks": 1,
        "rotation": 0,
        "state": "ready",
        "created_at": utc_now(),
    }


def _path_of(collection_id: int, video_id: int, number: int) -> PathTable:
    return PathTable(
        collection_id=collection_id,
        video_id=video_id,
        root="local",
        relative_path=f"made/up/{number}.mp4",
        size_bytes=1,
        mtime_ns=1,
    )


def _add_video(
    session,
    collection_id: int,
    number: int,
    count: int,
    key: str,
    subjects: np.ndarray,
    rng: np.random.Generator,
) -> int:
    video = Video(
        **_made_up(number),
        collection_id=collection_id,
        duration_s=count * SEGMENT_S,
        picture_key=key,
    )
    session.add(video)
    session.flush()
    session.add(_path_of(collection_id, video.id, number))
    for first in range(0, count, CHUNK_SEGMENTS):
        many = min(CHUNK_SEGMENTS, count - first)
        start_s = first * SEGMENT_S
        chunk = Chunk(
            video_id=video.id,
            number=first // CHUNK_SEGMENTS,
            start_s=start_s,
            end_s=start_s + many * SEGMENT_S,
        )
        session.add(chunk)
        session.flush()
        task = ChunkTask(
            chunk_id=chunk.id,
            video_id=video.id,
            collection_id=collection_id,
            stage="picture",
            key=key,
            state="done",
            video_s=video.duration_s,
            created_at=utc_now(),
            revision=int(rng.integers(1, 2**40)),
        )
        session.add(task)
        session.flush()
        scenes = subjects[rng.integers(0, len(subjects), many)]
        vectors = unit(scenes + 0.1 * np.abs(rng.normal(size=(many, 64))))
        frames = int(SEGMENT_S * RATE_HZ)
        times_s = start_s + np.arange(many * frames) / RATE_HZ
        session.add(
            FrameBlockRow(
                task_id=task.id,
                chunk_id=chunk.id,
                video_id=video.id,
                key=key,
                count=len(times_s),
                dimension=64,
                times_s=times_s.astype("<f8").tobytes(),
                cuts_s=np.empty(0, "<f8").tobytes(),
                vectors=pack(np.repeat(vectors, frames, 0)),
            )
        )
        shared = {
            "task_id": task.id,
            "chunk_id": chunk.id,
            "video_id": video.id,
            "collection_id": collection_id,
            "key": key,
        }
        starts = [start_s + i * SEGMENT_S for i in range(many)]
        rows = [
            {
                **shared,
                "start_s": at,
                "end_s": at + SEGMENT_S,
                "thumbnail_s": at + SEGMENT_S / 2,
                "vector": pack(vector),
            }
            for at, vector in zip(starts, vectors)
        ]
        session.execute(insert(Segment), rows)
    session.flush()
    session.expunge_all()
    return count


if __name__ == "__main__":
    main()
