"""What monitors ask of the page."""

from __future__ import annotations

import time

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from indexer.errors import CatalogError
from search_ui.app_state import app_state, open_app_state
from tests.search_ui.conftest import client_of
from tests.support import demo_settings


def figures(
    client: TestClient, **headers: str
) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_healthz_says_whether_the_catalog_answers(local, signed, monkeypatch: pytest.MonkeyPatch):
    assert local.get("/healthz").json() == {"ok": True, "threads": {}}
    assert signed("").get("/healthz").status_code == 200, "a load balancer cannot sign in"

    def away() -> None:
        raise CatalogError("The database is away", "Start it")

    monkeypatch.setattr(app_state().library.catalog, "ping", away)
    answer = signed("").get("/healthz")
    assert (answer.status_code, answer.json()) == (
        503,
        {"ok": False, "threads": {}, "error": "the database cannot be reached"},
    )


def test_figures_of_the_catalog_and_of_searches(local):
    with app_state().searches.measure_time() as ended:
        ended(True)
    with pytest.raises(ZeroDivisionError), app_state().searches.measure_time():
        raise ZeroDivisionError
    found = figures(local)
    assert found["seekpoint_catalog_up", ()] == 1
    assert found["seekpoint_videos", (("state", "ready"),)] == 3
    assert found["seekpoint_chunks", (("stage", "picture"), ("state", "done"))] == 3
    assert found["seekpoint_chunks", (("stage", "picture"), ("state", "failed"))] == 0
    assert found[
        "seekpoint_video_seconds", (("stage", "picture"), ("state", "done"))
    ] == pytest.approx(29, abs=0.5)
    assert found["seekpoint_work_seconds", (("stage", "picture"),)] > 0
    assert found["seekpoint_queue_depth", ()] == 0
    assert found["seekpoint_oldest_waiting_seconds", ()] == 0
    assert found["seekpoint_search_seconds_count", ()] == 2
    assert found["seekpoint_searches_total", (("outcome", "matched"),)] == 1
    assert found["seekpoint_searches_total", (("outcome", "failed"),)] == 1


def test_where_people_sign_in_a_monitor_shows_its_token(filled_home):
    for token, passed, status in (
        ("", "", 401),
        ("", "x", 401),
        ("secret", "", 401),
        ("secret", "other", 401),
        ("secret", "secret", 200),
    ):
        client = client_of(
            open_app_state(demo_settings(filled_home, metrics_token=token), sign_in=True)
        )
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {passed}"})
        assert answer.status_code == status, (token, passed)


@pytest.mark.parametrize("reported", [True, False])
def test_threads_with_their_age_and_last_error(reported: bool, request: pytest.FixtureRequest):
    """A stranger learns that a thread fails, and not with what."""
    client = request.getfixturevalue("local") if reported else request.getfixturevalue("signed")("")
    supervisor = app_state().jobs.supervisor

    def fail() -> None:
        raise CatalogError("database {place} is away", place="db.internal")

    supervisor.start("folders", fail, 600.0)
    supervisor.start("models", lambda: None, 600.0, once=True)
    deadline = time.monotonic() + 30
    while not (thread := client.get("/healthz").json()["threads"]["folders"])["error"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert thread["alive"]
    assert ("db.internal" in thread["error"]) is reported
    if reported:
        found = figures(client)
        assert found["seekpoint_thread_failing", (("thread", "folders"),)] == 1
        assert found["seekpoint_thread_alive", (("thread", "models"),)] == 1
    supervisor.stop(30)
    answer = client.get("/healthz")
    assert (answer.status_code, "folders" in answer.json()["error"]) == (503, True)
