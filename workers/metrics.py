"""Metrics of a worker for Prometheus: `install(app)` counts and times its tasks and serves them at
SEEKPOINT_METRICS_PORT.

A prefork worker is a parent and children that come and go. Each child writes its metrics to files
of its own (prometheus_client's multiprocess mode), the parent serves the sum of them, with what the
catalog says of all work.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from typing import TYPE_CHECKING, Any

from celery import Celery, signals

from indexer.catalog.database.session import Catalog
from indexer.settings import Settings, load_settings

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
TASK_BUCKETS_S = (0.1, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 900)

_task_metrics: TaskMetrics | None = None
_started: dict[str, float] = {}


def install(app: Celery) -> None:
    """Does nothing where no port is set."""
    del app
    if not load_settings().metrics_port:
        return
    for signal, handler in (
        (signals.worker_init, _begin),
        (signals.worker_ready, _serve),
        (signals.worker_shutdown, _forget),
        (signals.worker_process_shutdown, _mark_dead),
        (signals.task_prerun, _begin_task),
        (signals.task_postrun, _end_task),
    ):
        signal.connect(handler, weak=False, dispatch_uid=f"seekpoint.metrics.{handler.__name__}")


class TaskMetrics:
    """Made in a child, or in the parent of a pool without children, after the folder is known:
    prometheus_client reads it on import.
    """

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self.registry = registry = CollectorRegistry()
        self.tasks: Counter = Counter(
            "seekpoint_tasks", "Tasks by name and state", ["task", "state"], registry=registry
        )
        self.lost: Counter = Counter(
            "seekpoint_lost_leases",
            "Work that was taken back from processes that died or stopped renewing",
            registry=registry,
        )
        self.seconds: Histogram = Histogram(
            "seekpoint_task_seconds",
            "Seconds that a task took",
            ["task"],
            buckets=TASK_BUCKETS_S,
            registry=registry,
        )


def _begin(**_: Any) -> None:
    """Before children are forked: they inherit where their metrics go."""
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="seekpoint-metrics-")


def _serve(**_: Any) -> None:
    serve(load_settings())


def serve(settings: Settings) -> Any:
    """Answers monitors from a thread of the parent; the server and its thread."""
    from prometheus_client import CollectorRegistry, multiprocess, start_http_server

    from indexer.admin.metrics import CatalogMetrics, HomeMetrics

    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, os.environ[FOLDER])
    # Its own: a lock that this thread holds must not be copied into a child.
    catalog = Catalog(settings.url)
    registry.register(CatalogMetrics(lambda: catalog))
    registry.register(HomeMetrics(settings))
    return start_http_server(settings.metrics_port, settings.metrics_host, registry)


def _forget(**_: Any) -> None:
    if folder := os.environ.get(FOLDER):
        shutil.rmtree(folder, ignore_errors=True)


def _mark_dead(pid: int, **_: Any) -> None:
    """Counters of a child that ended stay in the sum."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)


def _begin_task(task_id: str, **_: Any) -> None:
    _started[task_id] = time.perf_counter()


def _end_task(
    task_id: str, task: Any, state: str | None = None, retval: Any = None, **_: Any
) -> None:
    global _task_metrics
    if _task_metrics is None:
        _task_metrics = TaskMetrics()
    name = task.name.rpartition(".")[2]
    _task_metrics.tasks.labels(name, (state or "unknown").lower()).inc()
    if isinstance(retval, dict) and (lost := retval.get("lost_leases", 0)) > 0:
        _task_metrics.lost.inc(lost)
    if (started := _started.pop(task_id, None)) is not None:
        _task_metrics.seconds.labels(name).observe(time.perf_counter() - started)
