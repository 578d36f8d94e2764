"""What is set wrong is text at once, in words that a person can act on, and what was queued stays
queued.
"""

from __future__ import annotations

import json

import pytest

from indexer.errors import ModelError
from indexer.queue.runner import Runner
from tests.support import colour_video, free_port
from tests.workers.faults import fill_disk, mount_small_disk, unmount
from tests.workers.fleet import Fleet
from tests.workers.servers import end, wait_until

SOON_S = 60  # far more than it takes: a loaded machine needs seconds to start Python


@pytest.fixture
def queued(fleet: Fleet) -> Fleet:
    """A file waits."""
    path = colour_video(fleet.folder / "media" / "one.mp4", [("red", 8.0), ("blue", 8.0)])
    assert fleet.json("ingest", path, "--queue")["files"][0]["state"] == "queued"
    return fleet


def refused(fleet: Fleet, *command: object, **environment: str) -> str:
    done = fleet.run(
        *command,
        timeout_s=SOON_S,
        **{f"SEEKPOINT_{name}": value for name, value in environment.items()},
    )
    assert done.returncode in (1, 2), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "a secret" not in done.stderr
    return done.stderr


def still_waits(fleet: Fleet) -> bool:
    return fleet.json("status")["queue"]["waiting"] == {"plan": 1}


def test_broker_away_or_no_broker(queued: Fleet):
    away = f"redis://:hidden@127.0.0.1:{free_port()}/0"
    for command in (["worker"], ["ingest", queued.folder / "media", "--queue"]):
        text = refused(queued, *command, BROKER_URL=away)
        assert "is unreachable" in text
        assert "SEEKPOINT_BROKER_URL" in text
        assert "hidden" not in text
    assert "no broker is configured" in refused(queued, "worker", BROKER_URL="")
    assert "is not a Redis URL" in refused(queued, "worker", BROKER_URL="amqp://localhost")
    assert still_waits(queued)
    assert "is unreachable" in queued.run("status", SEEKPOINT_BROKER_URL=away).stdout


def test_a_password_that_is_wrong(queued: Fleet):
    wrong = queued.postgres.url_with("not it")
    assert "refused user or password" in refused(queued, "worker", DATABASE_URL=wrong)
    queued.redis.client().config_set("requirepass", "other")
    try:
        assert "refused user or password" in refused(queued, "worker")
    finally:
        queued.redis.password = "other"
        queued.redis.client().config_set("requirepass", "")
        queued.redis.password = ""
    assert still_waits(queued)


def test_a_database_of_another_revision(queued: Fleet):
    queued.postgres.sql("UPDATE alembic_version SET version_num = '9999'")
    assert "newer" in refused(queued, "worker")
    queued.postgres.sql("UPDATE alembic_version SET version_num = '0001'")
    assert "seekpoint db upgrade" in refused(queued, "worker")


def test_no_space_for_what_workers_write(queued: Fleet):
    disk = queued.folder / "full"
    if not mount_small_disk(disk):
        pytest.skip("only root may mount a small disk")
    try:
        fill_disk(disk)
        assert "no space" in refused(queued, "worker", ARTEFACT_ROOT=str(disk / "artefacts"))
    finally:
        unmount(disk)
    assert still_waits(queued)


def test_an_unknown_queue(fleet: Fleet):
    assert "no queue 'tpu'" in refused(fleet, "worker", "--queue", "tpu")


def test_models_that_are_not_there(fleet: Fleet):
    assert "no embedder 'nosuch'" in refused(fleet, "worker", EMBEDDER="nosuch")
    assert "no folder '/nowhere'" in refused(
        fleet, "worker", EMBEDDER="clip", EMBEDDER_PATH="/nowhere"
    )
    assert "no LEGO checkpoint in /nowhere" in refused(
        fleet, "worker", "--queue", "gpu", LEGO_PATH="/nowhere"
    )


def test_metrics_that_nobody_could_read(fleet: Fleet):
    taken = str(fleet.redis.port)
    assert f"cannot serve metrics at 127.0.0.1:{taken}" in refused(
        fleet, "worker", METRICS_PORT=taken
    )


def test_a_machine_without_the_model_takes_no_file(queued: Fleet):
    """The model vanished after the worker had started: the file is not to blame, and waits for
    another machine.
    """
    library = queued.library(embedder="clip", embedder_path=str(queued.folder / "nowhere"))
    with pytest.raises(ModelError):
        Runner(library.context).plan()
    assert still_waits(queued)


def test_every_line_of_a_worker_is_an_object(fleet: Fleet):
    worker = fleet.start(SEEKPOINT_LOG_FORMAT="json")
    log = fleet.folder / "worker-0.log"
    wait_until(lambda: "waits for work" in log.read_text(), SOON_S, "it has started")
    wait_until(
        lambda: fleet.redis.client().client_list(_type="normal")[1:], SOON_S, "it is connected"
    )
    end(worker)
    lines = [line for line in log.read_text().splitlines() if line]
    assert "Warm shutdown" in log.read_text()
    assert [json.loads(line)["process"] for line in lines] == ["worker"] * len(lines)
