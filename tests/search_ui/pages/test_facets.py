"""Chips above the answers."""

from dataclasses import replace
from datetime import date

import pytest
from playwright.sync_api import expect

from search_ui.app_state import open_app_state
from search_ui.auth.access_rights import LOCAL_USER
from search_ui.i18n.translator import Translator
from search_ui.pages import facets
from search_ui.pages.cards import videos_of
from search_ui.url_state import Search
from tests.search_ui.browser import card, drawn
from tests.support import demo_settings

TR = Translator("en")


def test_a_chip_narrows_and_another_takes_it_away(page):
    page.goto("/?q=green")
    card(page, "traffic light").wait_for()
    drawn(page)
    page.locator("button.weaker").click()
    chips = page.get_by_role("navigation", name="Narrow the answers")
    page.goto("/?q=green&name=numbers")
    chips.get_by_role("link", name="Remove “numbers”").click()
    page.wait_for_url(lambda url: "name=" not in url)
    expect(card(page, "traffic light")).to_be_visible()


@pytest.mark.parametrize(
    ("narrowed", "label"),
    [
        ({"collections": ("a",)}, "a"),
        ({"only": ("speech",)}, "speech"),
        ({"recorded_from": date(2019, 1, 1), "recorded_to": date(2019, 12, 31)}, "2019"),
        ({"recorded_from": date(2019, 5, 1)}, "since 2019-05-01"),
        ({"recorded_to": date(2019, 5, 1)}, "until 2019-05-01"),
        ({"shortest_min": 1.0, "longest_min": 10.0}, "1 to 10 min"),
        ({"longest_min": 1.0}, "up to 1 min"),
        ({"shortest_min": 60.0}, "from 60 min on"),
        ({"name": "beach"}, "“beach”"),
        ({"ground": True}, "Check with A grounder"),
        ({"picture": "a" * 64}, "your picture"),
    ],
)
def test_each_chip_leads_to_the_search_without_it(narrowed, label):
    search = replace(Search("dog"), **narrowed)
    assert [(chip.label, chip.search) for chip in facets.active_chips(search, LOCAL_USER, TR)] == [
        (label, Search("dog"))
    ]


def test_more_like_this_shows_what_it_is_like(filled_home, video_ids):
    open_app_state(demo_settings(filled_home), sign_in=False)
    video_id = video_ids["sunset.mp4"]
    (chip,) = facets.active_chips(Search(like=f"{video_id}@0-5"), LOCAL_USER, TR)
    assert chip.label == "like sunset, 0:00 - 0:05"
    assert chip.picture == f"/still/{video_id}/2500"


def test_what_could_narrow_is_counted(filled_home):
    state = open_app_state(demo_settings(filled_home), sign_in=False)
    answer = state.library.search("pink or green", top=50)
    moments, known = answer.moments, videos_of(answer)
    counts = {
        chip.label: chip.count
        for _, chips in facets._groups(Search("x"), moments, known, TR)
        for chip in chips
    }
    for name in ("colours", "private"):
        assert counts[name] == sum(moment.collection == name for moment in moments)
