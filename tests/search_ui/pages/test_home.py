"""The first page: an empty library is filled with a click."""

import re
from pathlib import Path

from playwright.sync_api import expect

from indexer.admin.demo import PROGRAMMES
from tests.search_ui.browser import (
    SLOW_MS,
    at,
    card,
    serving,
    window,
)
from tests.support import colour_video

LEGO = Path(__file__).parents[2] / "grounding" / "lego" / "fixtures" / "tiny" / "checkpoint"


def test_demo_library_and_where(browser, tmp_path):
    """One click fills an empty library; LEGO is asked where something is, and about answers."""
    for name in PROGRAMMES.keys() - {"at-home.mp4", "meadow.mp4"}:  # all of them take long
        colour_video(tmp_path / "home" / "demo" / name, [("red", 2.0)])
    settings = {"lego_path": str(LEGO), "lego_dtype": "float32"}
    with serving(tmp_path / "home", **settings) as url, window(browser, url) as page:
        page.goto("/")
        page.get_by_role("button", name="Add the demo library").click()
        page.set_default_timeout(3 * SLOW_MS)
        expect(page.get_by_role("heading", name="Newest videos")).to_be_visible(timeout=6 * SLOW_MS)
        card(page, "at-home").click()
        at(page, 0.0)
        page.keyboard.press("k")
        page.get_by_placeholder("Pause, then say what to find in the picture").fill("the cup")
        page.get_by_role("button", name="Where?").click()
        expect(page.locator(".status")).to_contain_text("the cup: ", timeout=3 * SLOW_MS)
        found = int(re.findall(r"the cup: (\d+)", page.locator(".status").inner_text())[0])
        expect(page.locator(".boxes rect")).to_have_count(found)
        page.goto("/?q=Show me the cup of coffee on a table&name=at-home")
        page.get_by_role("button", name="Filters").click()
        page.get_by_text("Check with LEGO").click()
        page.wait_for_url("**ground=1*")
        expect(page.locator(".why b", has_text="LEGO").first).to_be_visible()
        page.keyboard.press("Escape")
        page.get_by_role("link", name="Remove Check with LEGO").click()
        page.wait_for_url(lambda url: "ground" not in url)
        expect(page.locator(".why b", has_text="LEGO")).to_have_count(0)
