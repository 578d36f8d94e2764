"""The question: filters, and asking by a picture."""

from PIL import Image
from playwright.sync_api import expect

from indexer.embedders.demo import COLOURS
from tests.search_ui.browser import at, card, drawn


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
    # Words and picture together: both hold for nothing better than what is green and not yellow.
    box = page.get_by_role("textbox").first
    box.fill("green")
    box.press("Enter")
    page.wait_for_url("**q=green&picture=*")
    chip = page.get_by_role("link", name="Remove your picture")
    expect(chip.locator("img")).to_have_js_property("complete", True)
    expect(page.locator("a.open[href*='q=green'][href*='picture=']").first).to_be_visible()
    chip.click()
    page.wait_for_url(lambda url: "picture=" not in url)
    expect(card(page, "traffic light")).to_be_visible()


def test_a_question_that_is_too_long_is_cut_with_a_word(page):
    page.goto("/")
    drawn(page)
    page.locator("select option").first.wait_for(state="attached")
    box = page.get_by_role("textbox").first
    box.fill("green " * 600)
    expect(page.get_by_text("The question was cut to 2000 characters.")).to_be_visible()
    assert len(box.input_value()) == 2000
    box.press("Enter")
    page.wait_for_url("**q=green*")
    expect(card(page, "traffic light")).to_be_visible()


def test_search_with_the_frame_in_the_player(page):
    page.goto("/?q=green&v=3&t=5&e=9")
    at(page, 5.0)
    page.get_by_role("button", name="Search with this frame").click()
    page.wait_for_url("**picture=*")
    expect(page.get_by_role("link", name="Remove your picture")).to_be_visible()
    expect(page.locator(".title").first).to_have_text("traffic light")
