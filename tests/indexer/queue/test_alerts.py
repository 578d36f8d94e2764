"""A saved search tells of new footage that matches it, and of no other."""

import json
import logging

import pytest
from sqlalchemy import update

from indexer.catalog import accounts, collections
from indexer.catalog.people import alerts, saved_searches
from indexer.catalog.people.alerts import Query
from indexer.catalog.tables.saved import AlertDelivery
from indexer.catalog.video_queries import Filters
from indexer.library import Library
from indexer.queue.alerts import WAITS_S, Alerts
from indexer.queue.webhooks import new_secret, sign
from tests.support import colour_video, demo_library

SECRET = new_secret()


@pytest.fixture
def library(tmp_path) -> Library:
    return demo_library(tmp_path / "home", webhook_private_addresses=True)


@pytest.fixture
def deliveries(library) -> Alerts:
    return Alerts(library.context, lambda: library.searcher)


def save(library: Library, url: str, query: Query, account_id: int | None = None) -> int:
    with library.catalog.begin() as s:
        title = f"{query} {account_id}"
        search_id = saved_searches.save_search(s, account_id, title, f"/?q={title}")
        alerts.set_alert(s, search_id, query, url, SECRET)
    return search_id


def waiting(library: Library) -> int:
    with library.catalog.read() as s:
        return len(list(s.query(AlertDelivery).filter(AlertDelivery.state != "done")))


def test_what_matches_is_told_once_and_signed(tmp_path, library, deliveries, receiver):
    search_id = save(library, receiver.url, Query("when is it green?"))
    save(library, receiver.url, Query("when is it pink?"))
    save(library, receiver.url, Query("when is it green?", ("other",)))
    save(library, receiver.url, Query("when is it green?", filters=Filters(shortest_s=60)))
    colour_video(tmp_path / "a" / "film.mp4", [("red", 3), ("green", 3)])
    library.ingest([tmp_path / "a"], "films")
    while deliveries.run_next():
        pass
    assert waiting(library) == 0
    ((headers, body),) = receiver.received
    message = json.loads(body)
    assert message["type"] == "search.matched"
    assert message["data"]["saved_search"]["id"] == search_id
    assert message["data"]["video"]["title"] == "film"
    best = message["data"]["moments"][0]
    assert (best["start_s"], best["end_s"]) == (3.0, 6.0)
    at_s = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"] == sign(SECRET, headers["webhook-id"], at_s, body)
    library.ingest([tmp_path / "a"], "films")
    assert not deliveries.run_next(), "it is not new any more"


def test_nobody_is_told_of_what_they_may_not_see(tmp_path, library, deliveries, receiver):
    with library.catalog.begin() as s:
        own = collections.ensure_collection(s, "own")
        vera = accounts.add_account(s, "vera", "viewer", [own], password_hash="hash")
    save(library, receiver.url, Query("red"), vera)
    colour_video(tmp_path / "a" / "film.mp4", [("blue", 2), ("red", 2)])
    library.ingest([tmp_path / "a"], "others")
    assert deliveries.run_next()
    assert receiver.received == []
    library.ingest([tmp_path / "a"], "own")
    assert deliveries.run_next()
    assert len(receiver.received) == 1


def test_it_is_asked_among_what_the_search_looks_in(tmp_path, library, receiver):
    """What is beside a moment decides how far it stands out."""
    scopes = []

    class Searcher:
        def search(self, question, scope, top):
            scopes.append(scope.collection_ids and set(scope.collection_ids))
            return library.searcher.search(question, scope, top=top)

    with library.catalog.begin() as s:
        ids = [collections.ensure_collection(s, name) for name in ("own", "other", "hidden")]
        vera = accounts.add_account(s, "vera", "viewer", ids[:2], password_hash="hash")
    save(library, receiver.url, Query("red"))
    save(library, receiver.url, Query("red"), vera)
    save(library, receiver.url, Query("red", ("own", "gone")), vera)
    colour_video(tmp_path / "a" / "film.mp4", [("blue", 2), ("red", 2)])
    library.ingest([tmp_path / "a"], "own")
    deliveries = Alerts(library.context, Searcher)  # type: ignore[arg-type]
    while deliveries.run_next():
        pass
    assert scopes == [None, set(ids[:2]), {ids[0]}]


def test_until_it_is_taken_the_same_message_comes_again(
    tmp_path, library, deliveries, receiver, caplog
):
    caplog.set_level(logging.CRITICAL)
    search_id = save(library, receiver.url, Query("red"))
    colour_video(tmp_path / "a" / "film.mp4", [("blue", 2), ("red", 2)])
    library.ingest([tmp_path / "a"])
    receiver.answers = [500, 302, *[404] * len(WAITS_S)]
    for _ in range(len(WAITS_S) + 1):
        assert deliveries.run_next()
        assert not deliveries.run_next(), "not at once"
        with library.catalog.begin() as s:
            s.execute(update(AlertDelivery).values(due_s=0.0))
    assert not deliveries.run_next(), "it is given up"
    assert len(receiver.received) == len(WAITS_S) + 1
    ids = {headers["webhook-id"] for headers, _ in receiver.received}
    assert (len(ids), len({body for _, body in receiver.received})) == (1, 1)
    with library.catalog.read() as s:
        alert = alerts.list_alerts(s, [search_id])[search_id]
    assert (alert.waiting, alert.failed) == (0, 1)
    assert alert.error is not None
    assert "it answered with status 404" in alert.error


def test_private_addresses_need_a_setting(tmp_path, receiver, caplog):
    caplog.set_level(logging.CRITICAL)
    library = demo_library(tmp_path / "home")
    save(library, receiver.url, Query("red"))
    colour_video(tmp_path / "a" / "film.mp4", [("blue", 2), ("red", 2)])
    library.ingest([tmp_path / "a"])
    assert Alerts(library.context, lambda: library.searcher).run_next()
    assert receiver.received == []
    assert waiting(library) == 1


def test_one_whose_receivers_hang_holds_up_nobody(
    tmp_path, library, deliveries, receiver, free_url, caplog
):
    caplog.set_level(logging.CRITICAL)
    with library.catalog.begin() as s:
        vera = accounts.add_account(s, "vera", "viewer", None, password_hash="hash")
    for question in ("red", "blue"):
        save(library, free_url, Query(question), vera)
    save(library, receiver.url, Query("red"))
    colour_video(tmp_path / "a" / "film.mp4", [("blue", 2), ("red", 2)])
    library.ingest([tmp_path / "a"])
    assert deliveries.run_next()
    assert receiver.received == []
    assert deliveries.run_next()
    assert len(receiver.received) == 1, "it does not wait for the others of whom one failed"
