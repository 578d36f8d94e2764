"""Moments that people keep, and links to them: whose they are, in which order, and until when."""

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import update

from grounding.spans import Span
from indexer.catalog import Catalog, accounts, audit, videos
from indexer.catalog.audit import Actor
from indexer.catalog.people import moment_lists, shared_links
from indexer.catalog.people.moment_lists import ListKind
from indexer.catalog.tables.base import utc_now
from indexer.catalog.tables.saved import SharedLink
from indexer.errors import UsageError
from tests.indexer.catalog import support


def test_a_tray_becomes_a_list_and_a_link(catalog: Catalog):
    first, second = support.add_ready(catalog, ["a.mp4", "b.mp4"], np.random.default_rng(0))
    with catalog.begin() as s:
        vera = accounts.add_account(s, "vera", "editor", None, password_hash="hash")
        tray = moment_lists.tray_of(s, vera)
        assert moment_lists.tray_of(s, vera) == tray != moment_lists.tray_of(s, None)
        moment_lists.add_moment(s, tray, first, Span(1.0, 2.0), "a dog")
        moment_lists.add_moment(s, tray, second, Span(3.0, 4.0), "a cat")
        moment_lists.add_moment(s, tray, first, Span(1.0, 2.0), "again")
        one, two = moment_lists.list_moments(s, tray)
        assert (one.question, two.video_id) == ("a dog", second)
        moment_lists.order_moments(s, tray, [two.id, 999])
        assert [each.id for each in moment_lists.list_moments(s, tray)] == [two.id, one.id]
        kept = moment_lists.copy_list(s, vera, tray, " Best  of ")
        assert moment_lists.count_in_tray(s, vera) == 2, "what lies in lists is not counted"
        assert moment_lists.count_in_tray(s, None) == 0
        moment_lists.remove_moments(s, tray, [two.id])
        (named,) = moment_lists.list_lists(s, vera, ListKind.NAMED)
        assert (named.id, named.name, named.moments) == (kept, "Best of", 2)
        assert moment_lists.find_list(s, None, kept) is None, "it is not theirs"
        assert not moment_lists.delete_list(s, None, kept)
        for name in ("", "a" * 101):
            with pytest.raises(UsageError):
                moment_lists.copy_list(s, vera, tray, name)
    actor = Actor("vera", vera)
    with catalog.begin() as s:
        token = shared_links.add_link(s, kept, "Best of", 7, actor)
        moment_lists.remove_moments(s, kept)
    with catalog.begin() as s:
        link = shared_links.find_link(s, token)
        assert link is not None
        assert len(moment_lists.list_moments(s, link.list_id)) == 2, "as it was then"
        assert moment_lists.list_lists(s, vera, ListKind.NAMED)[0].id == kept
        videos.remove_video(s, second)
        assert len(moment_lists.list_moments(s, link.list_id)) == 1
        assert shared_links.find_link(s, token + "x") is None
        assert not shared_links.end_link(s, link.id, Actor("other"))
        assert shared_links.end_link(s, link.id, actor)
    with catalog.begin() as s:
        assert shared_links.find_link(s, token) is None
        reported = [entry for entry in audit.list_entries(s) if entry.actor.name == "vera"]
        assert [dict(entry.details).get("ended") for entry in reported] == [1, None]


def test_a_link_ends_by_itself(catalog: Catalog):
    with catalog.begin() as s:
        tray = moment_lists.tray_of(s, None)
        token = shared_links.add_link(s, tray, "mine", 1, Actor())
        over = utc_now() - timedelta(seconds=1)
        s.execute(update(SharedLink).values(expires_at=over))
        assert shared_links.find_link(s, token) is None
        assert [one.is_expired for one in shared_links.list_links(s, None)] == [True]
        for days in (0, -1, 1e9, float("nan")):
            with pytest.raises(UsageError):
                shared_links.add_link(s, tray, "mine", days, Actor())
