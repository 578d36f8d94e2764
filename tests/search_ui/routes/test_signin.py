"""Signing in and out in a browser."""

import re

from playwright.sync_api import expect

from tests.search_ui.browser import (
    PASSWORD,
    at,
    card,
    enter,
    serving,
    window,
)


def test_sign_in_refused_and_accepted(browser, home):
    with serving(home, "--sign-in") as url, window(browser, url) as page:
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
