"""Metrics of a library for Prometheus: what its catalog says of the work, and how long searches
take.

The page and the workers both export them; the metrics of the catalog are the same wherever they are
asked for: take the maximum, not the sum.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from indexer.catalog.database.session import Catalog
from indexer.catalog.leasing.progress import Progress, StageProgress, get_progress
from indexer.errors import CatalogError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
KEPT_S = 5.0
"""Counting all work of a large library takes a while: monitors that ask more often get the same
metrics again.
"""
STATES = ("pending", "running", "done", "failed")
SEARCH_BUCKETS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class CatalogMetrics(Collector):
    """Asked of the catalog when a monitor asks. A catalog that is unreachable is a metric too:
    seekpoint_catalog_up 0, and no others.
    """

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._kept: tuple[float, Progress | None] = (float("-inf"), None)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics as they are now, from one read of the catalog."""
        progress = self._progress()
        yield _gauge(
            "seekpoint_catalog_up", "Whether the catalog answers", 0 if progress is None else 1
        )
        if progress is None:
            return
        yield from _by_stage(progress)
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

    def _progress(self) -> Progress | None:
        with self._lock:
            if time.monotonic() - self._kept[0] > KEPT_S:
                self._kept = time.monotonic(), self._asked()
            return self._kept[1]

    def _asked(self) -> Progress | None:
        try:
            with self._catalog().read() as session:
                return get_progress(session)
        except CatalogError:
            return None


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
    def timed(self) -> Iterator[Callable[[bool], None]]:
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
