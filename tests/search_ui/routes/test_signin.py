"""Signing in and out in a browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from indexer.admin.accounts import add_user, change_user
from tests.search_ui.browser import (
    PASSWORD,
    at,
    card,
    enter,
    serving,
    sign_in,
    window,
)
from tests.support import demo_library


@pytest.fixture(scope="module")
def site(home) -> Iterator[str]:
    with serving(home, "--sign-in") as url:
        yield url


def test_sign_in_refused_and_accepted(browser, site):
    with window(browser, site) as page:
        page.goto("/?q=green")
        expect(page).to_have_url(re.compile("/sign-in"))
        enter(page, "vera", "wrong")
        expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
        enter(page, "vera", PASSWORD)
        expect(page).to_have_url(re.compile(r"/\?q=green"))
        card(page, "traffic light").click()
        at(page, 4.0)
        page.goto("/library")
        expect(page.get_by_text("3 videos")).to_be_visible()
        expect(page.get_by_text("Add videos")).to_have_count(0)
        page.goto("/system")
        page.get_by_role("link", name="Sign out").click()
        page.get_by_role("button", name="Sign out").click()
        page.goto("/")
        expect(page).to_have_url(re.compile("/sign-in"))


def test_an_editor_who_is_none_any_more(browser, site, home):
    """Between the question whether to remove and the answer."""
    library = demo_library(home)
    add_user(library.catalog, "eve", PASSWORD, "editor")
    with window(browser, site) as page:
        sign_in(page, "eve")
        page.goto("/library")
        expect(page.get_by_text("Add videos")).to_be_visible()
        page.locator(".shelf .choose input").first.check(force=True)
        page.get_by_role("button", name="Remove", exact=True).click()
        expect(page.get_by_role("button", name="Yes, remove")).to_be_visible()
        change_user(library.catalog, "eve", role="viewer")
        page.get_by_role("button", name="Yes, remove").click()
        expect(page.get_by_text("Add videos")).to_have_count(0)
        page.goto("/library")
        expect(page.get_by_text("3 videos")).to_be_visible()
        expect(page.get_by_text("Add videos")).to_have_count(0)
        assert [video.state for video in library.videos()] == ["ready"] * 3
