"""Faults at moments that a seed decides, while workers do small videos; at the end the rows must be
those of a run without any.

    python -m benchmarks.faults --faults 120 --videos 36 --seed 1

The short run is in test_faults.py.
"""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.catalog.thumbnails import list_thumbnail_times
from indexer.errors import SeekpointError
from indexer.library import Library
from indexer.queue.notify import KINDS, Notifier, queue_name
from tests.support import colour_video, demo_settings
from tests.workers.contents import contents
from tests.workers.fleet import LEASE_S, Fleet, children, kill_group
from tests.workers.servers import wait_until

DISK_MB = 48
COLOURS = ("red", "green", "blue", "yellow", "purple", "orange")
GREEK = (
    "Καλημέρα σας.",
    "Τι κάνετε σήμερα;",
    "Πάμε στη θάλασσα.",
    "Ευχαριστώ πολύ.",
)  # a script that no sentence model here reads


@dataclass(frozen=True, slots=True)
class Fault:
    """`after_s` the one before; `choice` in [0, 1) decides whom it hits, or how long it lasts."""

    kind: str
    after_s: float
    choice: float


@dataclass
class Storm:
    """Two workers, and the faults that hit them and their servers. Workers that end are started
    again, as a service manager would.
    """

    fleet: Fleet
    workers: list[subprocess.Popen] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)

    def schedule(
        self, seed: int, count: int, longest_pause_s: float, kinds: Sequence[str] | None = None
    ) -> list[Fault]:
        """The same for the same seed; every kind comes at least once where there are enough."""
        chance = random.Random(seed)
        known = sorted(kinds or self.kinds)
        drawn = [known[number % len(known)] for number in range(min(count, len(known)))]
        drawn += [chance.choice(known) for _ in range(count - len(drawn))]
        chance.shuffle(drawn)
        return [
            Fault(kind, chance.uniform(0.1, longest_pause_s), chance.random()) for kind in drawn
        ]

    @property
    def kinds(self) -> dict[str, Callable[[float], None]]:
        found: dict[str, Callable[[float], None]] = {
            "a child is killed": self._kill_child,
            "a worker is killed": self._kill_worker,
            "a worker is stopped past its lease": self._stop_worker,
            "Redis is restarted and has forgotten all": lambda _: self.fleet.redis.restart(),
            "PostgreSQL fails and is restarted": lambda _: self.fleet.postgres.restart(),
            "connections are cut": self._cut,
            "notifications are delivered twice": self._double,
        }
        return found | ({"the disk is full": self._fill} if self.has_small_disk else {})

    @property
    def has_small_disk(self) -> bool:
        return os.path.ismount(self.fleet.home)

    def start(self, count: int = 2) -> None:
        self.workers = [self.fleet.start() for _ in range(count)]

    def run(self, faults: Sequence[Fault], files: Sequence[Path], collection: str) -> None:
        """Files arrive one after another while faults come; then all of them are asked for again,
        and what is left is done.
        """
        waiting = list(files)
        for number, fault in enumerate(faults):
            while waiting and (len(files) - len(waiting)) * len(faults) <= number * len(files):
                self._ingest([waiting.pop(0)], collection)
            time.sleep(fault.after_s)
            self.kinds[fault.kind](fault.choice)
            self.happened[fault.kind] += 1
            self._revive()
        wait_until(lambda: self._ingest(files, collection), 120, "the files are queued")

    def settle(self, timeout_s: float) -> None:
        def is_settled() -> bool:
            self._revive()
            try:
                return self.fleet.is_settled()
            except SeekpointError:
                return False

        wait_until(is_settled, timeout_s, "nothing is left to do")

    # --- the faults ---

    def _kill_child(self, choice: float) -> None:
        worker = self._one(choice)
        for child in children(worker.pid)[:1]:
            _signal(child, signal.SIGKILL)

    def _kill_worker(self, choice: float) -> None:
        """The parent alone: its children and their readers have to notice by themselves."""
        worker = self._one(choice)
        worker.kill()
        worker.wait()

    def _stop_worker(self, choice: float) -> None:
        worker = self._one(choice)
        os.killpg(worker.pid, signal.SIGSTOP)
        time.sleep(float(self.fleet.settings.get("LEASE_S", LEASE_S)) * (1.2 + choice))
        os.killpg(worker.pid, signal.SIGCONT)

    def _cut(self, choice: float) -> None:
        if choice < 0.5:
            self.fleet.postgres.cut_connections()
        else:
            self.fleet.redis.client().client_kill_filter(_type="normal", skipme=True)

    def _double(self, choice: float) -> None:
        """Each message that waits, and each that a worker has taken and not finished, comes once
        more.
        """
        del choice
        client = self.fleet.redis.client()
        for kind in KINDS:
            for message in client.lrange(queue_name(kind), 0, -1):  # pyright: ignore[reportGeneralTypeIssues]
                client.lpush(queue_name(kind), message)
        for taken in client.hvals("unacked"):  # pyright: ignore[reportGeneralTypeIssues]
            _deliver_again(client, taken)
        Notifier(demo_settings(self.fleet.home, broker_url=self.fleet.redis.url)).notify(
            {"plan": 2, "picture": 2, "speech": 2}
        )

    def _fill(self, choice: float) -> None:
        filler = fill_disk(self.fleet.home)
        time.sleep(1 + 2 * choice)
        filler.unlink()

    # --- what goes on beside them ---

    def _one(self, choice: float) -> subprocess.Popen:
        return self.workers[int(choice * len(self.workers))]

    def _revive(self) -> None:
        for number, worker in enumerate(self.workers):
            if worker.poll() is not None:
                kill_group(worker)
                self.workers[number] = self.fleet.start()

    def _ingest(self, files: Sequence[Path], collection: str) -> bool:
        """False: refused with an error, as it must be while a server is away."""
        library = self.library()
        try:
            library.ingest(files, collection, queue=True)
        except SeekpointError:
            return False
        finally:
            library.catalog.close()
        return True

    def library(self) -> Library:
        own = self.fleet.postgres.url, self.fleet.redis.url
        return Library(
            demo_settings(self.fleet.home, speech=True, database_url=own[0], broker_url=own[1])
        )


def storm_fleet() -> Fleet:
    """Short leases, frequent sweeps; faults never use up the attempts, so that nothing may be
    missing at the end.
    """
    return Fleet(
        {
            "LEASE_S": "2",
            "REAPER_INTERVAL_S": "0.5",
            "MAX_ATTEMPTS": "10000",
            "SPEECH": "1",
            "WORK_SLICE_S": "3",
            "CHUNK_S": "60",
        }
    )


def mount_small_disk(folder: Path) -> bool:
    """A disk of a few megabytes, where this user may mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def fill_disk(folder: Path) -> Path:
    """The file that takes all the space that was left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(100_000))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    return filler


def unmount(folder: Path) -> None:
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


def make_videos(folder: Path, count: int, seed: int) -> list[Path]:
    """Small videos of one to five chunks, each with subtitles."""
    chance = random.Random(seed)
    paths = []
    for number in range(count):
        shots = [
            (chance.choice(COLOURS), chance.uniform(4, 25)) for _ in range(chance.randint(2, 12))
        ]
        path = colour_video(folder / f"{number:03d}.mp4", shots)
        cues = [
            (3 + 9 * n, GREEK[(n + number) % len(GREEK)])
            for n in range(int(sum(s for _, s in shots) // 9))
        ]
        path.with_suffix(".srt").write_text(
            "".join(
                f"{n + 1}\n{_clock(s)} --> {_clock(s + 4)}\n{text}\n\n"
                for n, (s, text) in enumerate(cues)
            )
        )
        paths.append(path)
    return paths


def expected(folder: Path, files: Sequence[Path], collection: str) -> list:
    """The rows of a run without faults, in one process."""
    library = Library(demo_settings(folder, speech=True, chunk_s=60))
    report = library.ingest(files, collection)
    assert not report.failures, report.failures
    return contents(library)


def check(storm: Storm, wanted: list) -> list[str]:
    """What is not as it must be."""
    library = storm.library()
    wrong = [
        f"video {video.video_id} is {video.state}: {video.error}"
        for video in library.videos()
        if video.state != "ready"
    ]
    wrong += list(library.status().errors)
    found = contents(library)
    places, there = [row[:5] for row in wanted], [row[:5] for row in found]
    wrong += [f"lost: {place}" for place in places if place not in there]
    wrong += [
        f"doubled or not wanted: {place}"
        for place, count in Counter(there).items()
        if count != places.count(place)
    ]
    wrong += [f"other rows: {row[:5]}" for row in found if row[:5] in places and row not in wanted]
    return wrong + broken_thumbnails(library)


def broken_thumbnails(library: Library) -> list[str]:
    """Segments whose thumbnail is missing or not whole."""

    broken = []
    for video in library.videos():
        with library.catalog.read() as session:
            key = videos_key(session, video.video_id)
            times_s = list_thumbnail_times(session, video.video_id, key)
        paths = (library.artefacts.thumbnail(video.video_id, time_s) for time_s in times_s)
        broken += [
            f"thumbnail {path}"
            for path in paths
            if not path.exists() or not path.read_bytes().endswith(b"\xff\xd9")
        ]
    return broken


def videos_key(session: Any, video_id: int) -> str:
    from indexer.catalog import videos

    return videos.get_video(session, video_id).keys["picture"] or ""


def _deliver_again(client: Any, taken: bytes) -> None:
    """kombu keeps (message, exchange, routing key) of what is not acknowledged; the routing key is
    the queue.
    """
    import json

    message, _, queue = json.loads(taken)
    client.lpush(queue, json.dumps(message))


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _clock(seconds: float) -> str:
    minutes, rest_s = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours:02d}:{minutes:02d}:{int(rest_s):02d},{int(rest_s % 1 * 1000):03d}"
