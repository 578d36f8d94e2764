"""Metrics of a library for Prometheus: what its catalog says of the work, and how long searches
take.

The page and the workers both export them; the metrics of the catalog are the same wherever they are
asked for: take the maximum, not the sum.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from indexer.catalog.database.session import Catalog
from indexer.catalog.leasing import jobs, page_jobs
from indexer.catalog.leasing.processes import LiveProcess, list_live
from indexer.catalog.leasing.progress import Progress, StageProgress, get_progress
from indexer.catalog.vectors.served_keys import count_served_videos
from indexer.errors import CatalogError
from indexer.ingest.served_models import list_others
from indexer.settings import Settings
from indexer.vocabulary import JobKind, PageJobKind

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
KEPT_S = 5.0
"""Counting all work of a large library takes a while: monitors that ask more often get the same
metrics again.
"""
STATES = ("pending", "running", "done", "failed")
SEARCH_BUCKETS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the catalog said, all from one state of it."""

    progress: Progress
    jobs: Mapping[JobKind, jobs.JobCounts]
    page_jobs: Mapping[tuple[PageJobKind, str], int]
    live: Sequence[LiveProcess]
    others: int
    served: Mapping[tuple[str, str], int]


class CatalogMetrics(Collector):
    """Asked of the catalog when a monitor asks. A catalog that is unreachable is a metric too:
    seekpoint_catalog_up 0, and no others.
    """

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._kept: tuple[float, _Asked | None] = (float("-inf"), None)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics as they are now, from one read of the catalog."""
        asked = self._kept_or_asked()
        yield _gauge(
            "seekpoint_catalog_up", "Whether the catalog answers", 0 if asked is None else 1
        )
        if asked is None:
            return
        progress = asked.progress
        yield from _by_stage(progress)
        yield from _of_jobs(asked)
        yield from _of_processes(asked)
        videos = GaugeMetricFamily("seekpoint_videos", "Videos by state", labels=["state"])
        for state, count in progress.videos.items():
            videos.add_metric([state], count)
        yield videos
        yield _gauge(
            "seekpoint_queue_depth",
            "Stages of chunks that wait",
            sum(stage.pending for stage in progress.stages.values()),
        )
        waited_s = (
            0.0
            if progress.oldest_waiting is None
            else (datetime.now(UTC) - progress.oldest_waiting).total_seconds()
        )
        yield _gauge(
            "seekpoint_oldest_waiting_seconds",
            "How long the work has waited that was planned first",
            max(0.0, waited_s),
        )

    def describe(self) -> list[GaugeMetricFamily]:
        """Names of the metrics, without asking the catalog."""
        return []  # registering it must not ask the database

    def _kept_or_asked(self) -> _Asked | None:
        with self._lock:
            if time.monotonic() - self._kept[0] > KEPT_S:
                self._kept = time.monotonic(), self._ask_catalog()
            return self._kept[1]

    def _ask_catalog(self) -> _Asked | None:
        try:
            with self._catalog().read() as session:
                return _Asked(
                    get_progress(session),
                    jobs.count_jobs(session),
                    page_jobs.count_open(session),
                    list_live(session),
                    len(list_others(session)),
                    count_served_videos(session),
                )
        except CatalogError:
            return None


def _of_jobs(asked: _Asked) -> Iterator[GaugeMetricFamily]:
    by_kind = GaugeMetricFamily(
        "seekpoint_jobs", "Jobs of workers by kind and state", labels=["kind", "state"]
    )
    for kind in JobKind:
        counts = asked.jobs.get(kind, jobs.JobCounts())
        for state in ("pending", "running", "failed"):
            by_kind.add_metric([kind, state], getattr(counts, state))
    of_page = GaugeMetricFamily(
        "seekpoint_page_jobs",
        "Open jobs that people asked for on the page, by kind and state",
        labels=["kind", "state"],
    )
    for kind in PageJobKind:
        for state in ("waiting", "running"):
            of_page.add_metric([kind, state], asked.page_jobs.get((kind, state), 0))
    return iter((by_kind, of_page))


def _of_processes(asked: _Asked) -> Iterator[GaugeMetricFamily]:
    live = GaugeMetricFamily(
        "seekpoint_live_processes", "Workers and page processes that report", labels=["role"]
    )
    for role in ("worker", "page"):
        live.add_metric([role], sum(process.role == role for process in asked.live))
    served = GaugeMetricFamily(
        "seekpoint_served_videos", "Videos by stage and model", labels=["stage", "model"]
    )
    for (stage, key), count in asked.served.items():
        served.add_metric([stage, key], count)
    others = _gauge(
        "seekpoint_other_embedder_processes",
        "Processes that plan with another embedder than most videos are served with",
        asked.others,
    )
    return iter((live, served, others))


class HomeMetrics(Collector):
    """What the disks of this machine tell: free space, and how old the vector snapshots are."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def describe(self) -> list[GaugeMetricFamily]:
        """Names of the metrics, without looking at a disk."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics as they are now."""
        free = GaugeMetricFamily(
            "seekpoint_disk_free_bytes", "Free space where state is kept", labels=["folder"]
        )
        places = {"home": self._settings.home_path, "artefacts": self._settings.artefacts}
        for name, folder in places.items():
            with contextlib.suppress(OSError):
                free.add_metric([name], shutil.disk_usage(folder).free)
        ages_s = GaugeMetricFamily(
            "seekpoint_snapshot_age_seconds",
            "Seconds since a vector snapshot was written",
            labels=["key"],
        )
        for key, age_s in _snapshot_ages_s(self._settings.snapshots).items():
            ages_s.add_metric([key], age_s)
        yield from (free, ages_s)


def _snapshot_ages_s(folder: Path) -> dict[str, float]:
    """By the folder of each key: since the newest entry in it came."""
    found = {}
    with contextlib.suppress(OSError):
        for of_key in filter(Path.is_dir, folder.iterdir()):
            times = [entry.stat().st_mtime for entry in of_key.iterdir()]
            if times:
                found[of_key.name] = max(0.0, time.time() - max(times))
    return found


def _by_stage(progress: Progress) -> Iterator[GaugeMetricFamily]:
    chunks = GaugeMetricFamily(
        "seekpoint_chunks", "Stages of chunks by state", labels=["stage", "state"]
    )
    video_s = GaugeMetricFamily(
        "seekpoint_video_seconds",
        "Seconds of video by stage: done, and planned in all",
        labels=["stage", "state"],
    )
    spent_s = GaugeMetricFamily(
        "seekpoint_work_seconds", "Seconds that the done work took", labels=["stage"]
    )
    for name, stage in progress.stages.items():
        for state in STATES:
            chunks.add_metric([name, state], _count(stage, state))
        video_s.add_metric([name, "done"], stage.done_s)
        video_s.add_metric([name, "planned"], stage.total_s)
        spent_s.add_metric([name], stage.seconds)
    return iter((chunks, video_s, spent_s))


def _count(stage: StageProgress, state: str) -> int:
    return getattr(stage, state)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


class SearchMetrics:
    """How long searches take, and what becomes of them: matched, no match, failed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "seekpoint_search_seconds",
            "Seconds that a search took",
            buckets=SEARCH_BUCKETS_S,
            registry=registry,
        )
        self._outcomes = Counter(
            "seekpoint_searches", "Searches by outcome", ["outcome"], registry=registry
        )

    @contextmanager
    def measure_time(self) -> Iterator[Callable[[bool], None]]:
        """Times what is inside, which says at its end whether there was a match."""
        started = time.perf_counter()
        outcome = ["failed"]
        try:
            yield lambda matched: outcome.__setitem__(0, "matched" if matched else "no match")
        finally:
            self._seconds.observe(time.perf_counter() - started)
            self._outcomes.labels(outcome[0]).inc()


def as_text(registry: CollectorRegistry) -> bytes:
    """The metrics in the text format of Prometheus."""
    return generate_latest(registry)
