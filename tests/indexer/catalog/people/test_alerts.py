"""A video that becomes ready waits for every alert, once, until it was delivered or given up."""

from datetime import date

import numpy as np
import pytest

from indexer.catalog import Catalog, accounts, videos
from indexer.catalog.finalize import finalize_video
from indexer.catalog.people import alerts, saved_searches
from indexer.catalog.people.alerts import Query
from indexer.catalog.video_queries import Filters
from indexer.errors import UsageError
from indexer.messages import Message
from indexer.vocabulary import TaskState
from tests.indexer.catalog import support

ASKED = Query("a dog", ("films",), ("picture",), Filters(date(2020, 1, 2), None, 3.0, None, "x"))


def save(catalog: Catalog, account_id: int | None = None, query: Query = ASKED) -> int:
    with catalog.begin() as s:
        search_id = saved_searches.save_search(s, account_id, "dogs", f"/?q={query.question}")
        alerts.set_alert(s, search_id, query, "https://example.com/hook", "whsec_1")
    return search_id


def claim(catalog: Catalog) -> alerts.Delivery | None:
    with catalog.begin() as s:
        return alerts.claim_delivery(s, "me", 60.0)


def test_what_becomes_ready_waits_for_each_alert_once(catalog: Catalog):
    support.add_ready(catalog, ["before.mp4"], np.random.default_rng(0))
    with catalog.begin() as s:
        vera = accounts.add_account(s, "vera", "viewer", [5], password_hash="hash")
    save(catalog, vera)
    search_id = save(catalog)
    (video_id,) = support.add_ready(catalog, ["a.mp4"], np.random.default_rng(1))
    with catalog.begin() as s:
        finalize_video(s, video_id)
    found = [claim(catalog), claim(catalog)]
    assert claim(catalog) is None
    assert [one.video_id for one in found if one] == [video_id, video_id]
    assert [one.collection_ids for one in found if one] == [(5,), None]
    assert found[1] is not None
    assert (found[1].query, found[1].search_id, found[1].title) == (ASKED, search_id, "dogs")


def test_a_delivery_that_failed_comes_again_later_and_is_given_up_at_last(catalog: Catalog):
    search_id = save(catalog)
    support.add_ready(catalog, ["a.mp4"], np.random.default_rng(0))
    for attempt, wait_s in ((1, 0.0), (2, 1000.0)):
        delivery = claim(catalog)
        assert delivery is not None
        assert delivery.attempts == attempt
        assert delivery.body == (None if attempt == 1 else "{}")
        with catalog.begin() as s:
            assert alerts.keep_body(s, delivery.id, "me", "{}")
            assert not alerts.keep_body(s, delivery.id, "other", "{}")
            state = alerts.postpone(s, delivery.id, "me", Message("no answer"), wait_s, 3)
        assert state == TaskState.PENDING
    assert claim(catalog) is None, "its time has not come"
    with catalog.read() as s:
        assert not alerts.is_due(s)
        alert = alerts.list_alerts(s, [search_id])[search_id]
    assert (alert.waiting, alert.failed, alert.error) == (1, 0, Message("no answer"))


def test_an_alert_goes_with_its_search_and_its_deliveries_with_it(catalog: Catalog):
    search_id = save(catalog)
    (video_id,) = support.add_ready(catalog, ["a.mp4"], np.random.default_rng(0))
    assert save(catalog) == search_id, "a search that is saved again keeps its number"
    assert claim(catalog) is None, "the alert is a new one"
    with catalog.begin() as s:
        alerts.note_ready(s, video_id)
        assert saved_searches.delete_search(s, None, search_id)
        assert not alerts.is_due(s)
    save(catalog)
    with catalog.begin() as s:
        alerts.note_ready(s, video_id)
        videos.remove_video(s, video_id)
        assert not alerts.is_due(s)


def test_nobody_has_very_many(catalog: Catalog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(alerts, "MOST_ALERTS", 1)
    save(catalog)
    with pytest.raises(UsageError, match="1 saved searches with webhooks"):
        save(catalog, query=Query("a cat"))


def test_those_of_whose_receivers_hang_come_last(catalog: Catalog):
    with catalog.begin() as s:
        vera = accounts.add_account(s, "vera", "viewer", None, password_hash="hash")
    save(catalog, vera)
    search_id = save(catalog)
    support.add_ready(catalog, ["a.mp4"], np.random.default_rng(1))
    with catalog.begin() as s:
        first = alerts.claim_delivery(s, "me", 60.0, [(vera, None)])
        second = alerts.claim_delivery(s, "me", 60.0, [(vera, None)])
    assert first is not None
    assert second is not None
    assert (first.search_id, first.belongs_to) == (search_id, (None, None))
    assert second.belongs_to == (vera, None)
