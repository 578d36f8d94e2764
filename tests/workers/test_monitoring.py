"""A real prefork worker: its metrics are the sum over children that come and go, its log is one
object a line.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support import demo_environment, demo_library

WAIT_S = 120.0
SEND = """
from tests.workers.small_app import chunk, poison
for number in range(3):
    chunk.delay(number)
poison.delay()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    demo_library(tmp_path / "home").catalog.close()
    own = demo_environment(tmp_path / "home", LOG_FORMAT="json", METRICS_PORT=str(free_port()))
    (tmp_path / "tmp").mkdir()
    return own | {"SMALL_APP_FOLDER": str(tmp_path / "queue"), "TMPDIR": str(tmp_path / "tmp")}


@pytest.fixture
def worker(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen]:
    """Each child does one task and ends."""
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "tests.workers.small_app",
        "worker",
        "--pool",
        "prefork",
        "--concurrency",
        "1",
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--max-tasks-per-child", "1", "--without-mingle"],
            env=environment,
            stderr=log,
        )
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(WAIT_S)


def until(look: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not look():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.2)


def read_metrics(port: str) -> dict[tuple[str, str, str], float]:
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    except OSError:  # it does not listen yet, or is slow
        return {}
    samples = [
        sample for family in text_string_to_metric_families(text) for sample in family.samples
    ]
    return {
        (sample.name, sample.labels.get("task", ""), sample.labels.get("state", "")): sample.value
        for sample in samples
    }


def test_metrics_and_log_of_a_worker(
    environment: dict[str, str], worker: subprocess.Popen, tmp_path: Path
):
    subprocess.run([sys.executable, "-c", SEND], env=environment, check=True)
    port = environment["SEEKPOINT_METRICS_PORT"]
    found: dict[tuple[str, str, str], float] = {}

    def has_failed() -> bool:
        found.update(read_metrics(port))
        return found.get(("seekpoint_tasks_total", "poison", "failure")) == 1

    until(has_failed)
    assert found["seekpoint_tasks_total", "chunk", "success"] == 3, (
        "children that ended are counted"
    )
    assert found["seekpoint_task_seconds_count", "chunk", ""] == 3
    assert found["seekpoint_catalog_up", "", ""] == 1
    assert found["seekpoint_queue_depth", "", ""] == 0
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(WAIT_S) == 0
    lines = [
        json.loads(line)
        for line in (tmp_path / "log").read_text().splitlines()
        if line.startswith("{")
    ]
    done = [line for line in lines if line["message"] == "chunk done"]
    assert sorted(line["video"] for line in done) == [0, 1, 2]
    assert all(line["task"] == "chunk" and line["process"] == "worker" for line in done)
    assert any("ValueError: no video" in line.get("traceback", "") for line in lines)
    assert [
        name for name in os.listdir(environment["TMPDIR"]) if name.startswith("seekpoint-metrics-")
    ] == []
