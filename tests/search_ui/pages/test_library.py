"""The library: upload, retry, remove, and who may."""

from playwright.sync_api import expect

from indexer.admin.accounts import add_user, change_user
from indexer.library import Library
from tests.search_ui.browser import PASSWORD, at, card, cell, serving, sign_in, window
from tests.support import colour_video, demo_library, demo_settings

# Green twice inside one second, so that two answers start in the same second.
TWICE = [("blue", 3.2), ("green", 0.3), ("blue", 0.2), ("red", 5), ("green", 4)]


def test_first_visit_upload_two_moments_remove(browser, tmp_path):
    """An empty library: a file is uploaded, asked, two moments in one second are told apart, and it
    is removed again.
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
        expect(page.get_by_text("1 videos, 0:12")).to_be_visible()
        page.goto("/?v=1&t=3.2&e=3.5")
        at(page, 3.2)
        page.goto("/?v=1&t=3.7&e=8.7")
        at(page, 3.7)
        page.goto("/library")
        grid = page.get_by_test_id("stDataFrame")
        grid.wait_for()
        grid.click(position={"x": 18, "y": 52})
        page.get_by_role("button", name="Remove", exact=True).click()
        page.get_by_role("button", name="Yes, remove").click()
        expect(page.get_by_text("0 videos, 0:00")).to_be_visible()
        expect(page.get_by_text("mine <img src=x onerror=alert(1)> **b**").first).to_be_attached()


def test_a_failed_video_is_tried_again(browser, tmp_path):
    colour_video(tmp_path / "videos" / "meadow.mp4", [("green", 3)], (180, 320))
    Library(demo_settings(tmp_path / "home", chunk_timeout_s=0.001)).ingest(
        [tmp_path / "videos"], "mine"
    )
    with serving(tmp_path / "home") as url, window(browser, url) as page:
        page.goto("/library")
        grid = page.get_by_test_id("stDataFrame")
        grid.wait_for()
        expect(cell(page, "failed")).to_be_attached()
        grid.click(position={"x": 18, "y": 52})
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_text("Trying meadow again · done")).to_be_visible()
        expect(cell(page, "ready")).to_be_attached()
        page.goto("/?q=green")
        card(page, "meadow").click()
        at(page, 0.0)


def test_an_editor_who_is_none_any_more(browser, tmp_path):
    """Between the question whether to remove and the answer."""
    colour_video(tmp_path / "videos" / "meadow.mp4", [("green", 3)], (180, 320))
    library = demo_library(tmp_path / "home")
    library.ingest([tmp_path / "videos"], "mine")
    add_user(library.catalog, "eve", PASSWORD, "editor")
    with serving(tmp_path / "home", "--sign-in") as url, window(browser, url) as page:
        sign_in(page, "eve")
        page.goto("/library")
        expect(page.get_by_text("Add videos")).to_be_visible()
        page.get_by_test_id("stDataFrame").click(position={"x": 18, "y": 52})
        page.get_by_role("button", name="Remove", exact=True).click()
        expect(page.get_by_role("button", name="Yes, remove")).to_be_visible()
        change_user(library.catalog, "eve", role="viewer")
        page.get_by_role("button", name="Yes, remove").click()
        expect(page.get_by_text("Add videos")).to_have_count(0)
        page.goto("/library")
        expect(page.get_by_text("1 videos, 0:03")).to_be_visible()
        expect(page.get_by_text("Add videos")).to_have_count(0)
        assert [video.state for video in library.videos()] == ["ready"]
