"""What is set wrong is said at once, in words that a person can act on, and what was queued stays queued."""

from __future__ import annotations

import pytest

from tests.support import colour_video
from tests.workers.faults import fill_disk, mount_small_disk, unmount
from tests.workers.fleet import Fleet
from tests.workers.servers import free_port

SOON_S = 60  # far more than it takes: a loaded machine needs seconds to start Python


@pytest.fixture
def queued(fleet: Fleet) -> Fleet:
    """A file waits."""
    path = colour_video(fleet.folder / "media" / "one.mp4", [("red", 8.0), ("blue", 8.0)])
    assert fleet.json("ingest", path, "--queue")["files"][0]["state"] == "queued"
    return fleet


def refused(fleet: Fleet, *command: object, **environment: str) -> str:
    done = fleet.run(*command, timeout_s=SOON_S, **{f"SEEKPOINT_{name}": value for name, value in environment.items()})
    assert done.returncode in (1, 2), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "a secret" not in done.stderr
    return done.stderr


def still_waits(fleet: Fleet) -> bool:
    return fleet.json("status")["queue"]["waiting"] == {"plan": 1}


def test_broker_away_or_no_broker(queued: Fleet):
    away = f"redis://:hidden@127.0.0.1:{free_port()}/0"
    for command in (["worker"], ["ingest", queued.folder / "media", "--queue"]):
        said = refused(queued, *command, BROKER_URL=away)
        assert "is away" in said
        assert "SEEKPOINT_BROKER_URL" in said
        assert "hidden" not in said
    assert "no broker is configured" in refused(queued, "worker", BROKER_URL="")
    assert "is no Redis" in refused(queued, "worker", BROKER_URL="amqp://localhost")
    assert still_waits(queued)
    assert "is away" in queued.run("status", SEEKPOINT_BROKER_URL=away).stdout


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
