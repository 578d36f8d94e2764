"""Workers that see the same files and artefacts at different places share the work of one queue,
and tell monitors of it.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.support import colour_video, free_port
from tests.workers.fleet import Fleet
from tests.workers.servers import wait_until
from tests.workers.test_monitoring import read_metrics

VIDEOS = 6


def machine(fleet: Fleet, name: str, mount: str, shared: Path) -> dict[str, str]:
    """The environment of a machine that has mounted `shared` at `mount`."""
    place = fleet.folder / name / mount
    place.parent.mkdir(parents=True)
    place.symlink_to(shared)
    return {
        "SEEKPOINT_HOME": str(fleet.folder / name / "home"),
        "SEEKPOINT_ROOTS": json.dumps({"archive": str(place / "films")}),
        "SEEKPOINT_ARTEFACT_ROOT": str(place / "artefacts"),
        "SEEKPOINT_VECTORS": "pgvector",
        "SEEKPOINT_LOG_FORMAT": "json",
        "SEEKPOINT_WORK_SLICE_S": "1",
    }


def test_what_the_worker_of_one_machine_began_that_of_another_goes_on_with(fleet: Fleet):
    shared = fleet.folder / "disk"
    (shared / "artefacts").mkdir(parents=True)
    one, two = (
        machine(fleet, "one", "srv/video", shared),
        machine(fleet, "two", "mnt/nas/archive", shared),
    )
    port = str(free_port())
    first = fleet.start("gpu", "cpu", **one, SEEKPOINT_METRICS_PORT=port)
    queue(fleet, one, shared, range(VIDEOS // 2))
    wait_until(lambda: ready(fleet, one) == VIDEOS // 2, 120, "the first half is ready")
    seen: dict[tuple[str, str, str], float] = {}

    def has_done() -> bool:
        seen.update(read_metrics(port))
        return seen.get(("seekpoint_tasks_total", "picture", "success"), 0) > 0

    wait_until(has_done, 120, "the worker's metrics")
    assert seen["seekpoint_catalog_up", "", ""] == 1
    first.send_signal(signal.SIGTERM)
    assert first.wait(120) == 0
    queue(fleet, one, shared, range(VIDEOS // 2, VIDEOS))  # by the machine whose worker is gone
    fleet.start("gpu", "cpu", **two)
    wait_until(lambda: ready(fleet, two) == VIDEOS, 120, "all videos are ready")
    for environment in (one, two):
        answer = fleet.run("search", "something green", "--json", **environment)
        assert answer.returncode == 0, answer.stderr
        here = json.loads(environment["SEEKPOINT_ROOTS"])["archive"]
        moments = json.loads(answer.stdout)["moments"]
        assert {Path(moment["path"]).parent for moment in moments} == {Path(here)}
        assert all(Path(moment["thumbnail"]).is_file() for moment in moments), "whoever made it"
    done = [lines_of(log) for log in sorted(fleet.folder.glob("worker-*.log"))]
    assert [len({line["video"] for line in lines}) for lines in done] == [VIDEOS // 2, VIDEOS // 2]
    assert all(
        line["chunk"] and line["stage"] == line["task"] == "picture"
        for lines in done
        for line in lines
    )


def queue(fleet: Fleet, environment: dict[str, str], shared: Path, numbers: range) -> None:
    for number in numbers:
        colour_video(
            shared / "films" / f"{number}.mp4", [("red", 3 + number), ("green", 4), ("blue", 3)]
        )
    films = json.loads(environment["SEEKPOINT_ROOTS"])["archive"]
    queued = fleet.run("ingest", films, "--queue", "--collection", "films", "--json", **environment)
    assert queued.returncode == 0, queued.stderr


def ready(fleet: Fleet, environment: dict[str, str]) -> int:
    return json.loads(fleet.run("status", "--json", **environment).stdout)["videos"].get("ready", 0)


def lines_of(log: Path) -> list[dict]:
    """What a worker logged of chunks that are done."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["message"] == "chunk done"]
