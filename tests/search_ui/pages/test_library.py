"""The library: upload, the grid, retry, remove, and who may."""

import re

from playwright.sync_api import expect

from indexer.library import Library
from tests.search_ui.browser import PLAYER, at, card, drawn, serving, window
from tests.support import colour_video, demo_settings

# Green twice inside one second, so that two answers start in the same second.
TWICE = [("blue", 3.2), ("green", 0.3), ("blue", 0.2), ("red", 5), ("green", 4)]


def test_first_visit_upload_two_moments_remove(browser, tmp_path):
    """An empty library: a file is uploaded, asked, two moments in one second are told apart; one
    that failed is tried again; both are chosen with Shift, and removed.
    """
    video = colour_video(tmp_path / "twice.mp4", TWICE, (180, 320))
    with serving(tmp_path / "home") as url, window(browser, url) as page:
        page.goto("/")
        expect(page.get_by_text("Your library is empty")).to_be_visible()
        page.get_by_role("link", name="Add videos").click()
        page.get_by_test_id("stSelectbox").get_by_role("combobox").first.fill(
            "mine <img src=x onerror=alert(1)> **b**"
        )
        page.keyboard.press("Enter")
        page.get_by_role("tab", name="Upload").click()
        page.locator("input[type=file]").first.set_input_files(video)
        expect(page.get_by_text("1 video, 0:12")).to_be_visible()
        page.goto("/?v=1&t=3.2&e=3.5")
        at(page, 3.2)
        page.goto("/?v=1&t=3.7&e=8.7")
        at(page, 3.7)

        colour_video(tmp_path / "videos" / "meadow.mp4", [("green", 3)], (180, 320))
        hurried = Library(demo_settings(tmp_path / "home", chunk_timeout_s=0.001))
        hurried.ingest([tmp_path / "videos"], "mine <img src=x onerror=alert(1)> **b**")
        page.goto("/library")
        meadow = page.locator(".shelf .card", has_text="meadow")
        expect(meadow.locator(".is")).to_have_text("failed")
        meadow.locator(".choose input").check(force=True)
        other = page.locator(".shelf .card", has_text="twice")
        other.evaluate("card => card.dataset.stays = 'yes'")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_text("Trying meadow again · done")).to_be_visible()
        expect(meadow.locator(".is")).to_have_text("ready")
        expect(other).to_have_attribute("data-stays", "yes")
        page.goto("/?q=green")
        card(page, "meadow").click()
        at(page, 0.0)

        page.goto("/library")
        page.locator(".shelf a.open").first.click()  # a plain click watches
        page.wait_for_url("**v=*")
        page.locator(PLAYER).wait_for()
        drawn(page)
        page.go_back()
        page.locator(".shelf a.open").nth(1).wait_for()
        drawn(page)
        page.locator(".shelf a.open").nth(1).click(modifiers=["Shift"])
        page.locator(".shelf a.open").first.click(modifiers=["Shift"])
        expect(page.get_by_text("2 chosen")).to_be_visible()
        page.get_by_role("button", name="Remove", exact=True).click()
        page.get_by_role("button", name="Yes, remove").click()
        expect(page.get_by_text("0 videos, 0:00")).to_be_visible()


def test_the_grid_is_narrowed_ordered_and_in_view(page):
    page.goto("/library")
    titles = page.locator(".shelf .title")
    expect(titles).to_have_count(3)
    page.route("**/shelf?*", lambda route: route.abort(), times=1)  # it is asked for again
    page.get_by_label("Order", exact=True).select_option("length")
    expect(titles.first).to_have_text("numbers")
    page.get_by_role("button", name="Newest, last or largest first").click()
    expect(titles.first).to_have_text(re.compile("bold"))
    page.get_by_role("searchbox").fill("zebra")
    expect(page.get_by_text("No video is like that.")).to_be_visible()
    page.get_by_role("button", name="Show all videos").click()
    expect(titles).to_have_count(3)
    expect(page.get_by_role("searchbox")).to_have_value("")
    page.get_by_role("searchbox").fill("LIGHT")
    expect(titles).to_have_text(["traffic light"])
    page.locator(".shelf .choose input").check(force=True)
    bar = page.get_by_role("toolbar")
    expect(bar).to_contain_text("traffic light.mp4")
    box = bar.bounding_box()
    assert box["y"] + box["height"] <= 900
    bar.get_by_role("button", name="Watch").click()
    at(page, 0.0)
