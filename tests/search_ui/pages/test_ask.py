"""The question: filters, and asking by a picture."""

from PIL import Image
from playwright.sync_api import expect

from indexer.embedders.demo import COLOURS
from tests.search_ui.browser import (
    card,
)


def test_filters(page):
    page.goto("/?q=green&name=numbers")
    expect(page.locator("a.open").first).to_be_visible()
    assert {text.split("\n")[0] for text in page.locator(".title").all_inner_texts()} == {"numbers"}
    page.get_by_role("button", name="Filters (1)").click()
    page.get_by_role("button", name="Clear filters").click()
    page.wait_for_url(lambda url: "name=" not in url)
    expect(card(page, "traffic light")).to_be_visible()


def test_search_by_picture(page, tmp_path):
    Image.new("RGB", (64, 48), COLOURS["yellow"]).save(tmp_path / "yellow.png")
    page.goto("/")
    page.get_by_role("button", name="By picture").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "yellow.png")
    page.wait_for_url("**picture=*")
    expect(page.get_by_role("heading", name="Moments like your picture")).to_be_visible()
    expect(page.locator(".title").first).to_contain_text("*bold*")
