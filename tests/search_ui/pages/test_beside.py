"""Beside the player: the transcript in time with it, chapters, questions to one video."""

import pytest
from playwright.sync_api import expect

from tests.search_ui.browser import at, drawn


@pytest.fixture
def page(studio_page, studio):
    studio_page.goto(studio.watch("talk", 23, 25))
    at(studio_page, 23.0)
    studio_page.locator("video").evaluate("v => (v.pause(), (v.currentTime = 23))")
    at(studio_page, 23.0)
    drawn(studio_page)
    return studio_page


def current(page):
    return page.locator(".transcript [aria-current=true]")


def test_transcript_runs_with_the_video_and_is_searched(page):
    expect(current(page)).to_contain_text("You may go.")
    page.get_by_role("button", name="Zoë").click()
    expect(current(page)).to_contain_text("Zoë")
    at(page, 2.0)
    page.locator("video").evaluate("v => { v.pause(); v.currentTime = 50 }")
    expect(current(page)).to_contain_text("kettle")
    box = page.get_by_placeholder("Find in this video's words")
    box.fill("GO")
    expect(page.locator(".transcript li")).to_have_count(2)
    expect(page.locator(".transcript mark")).to_have_text(["go", "Go"])
    expect(page.locator(".count").first).to_have_text("2 lines found")
    box.fill("zoe")
    expect(page.locator(".transcript mark")).to_have_text("Zoë")
    box.fill("")
    expect(page.locator(".transcript li")).to_have_count(5)
    box.press_sequentially("mk")
    assert not page.locator("video").evaluate("v => v.muted"), "a key in a box is no command"


def test_chapters_and_answers_seek(page):
    address = page.url
    page.get_by_role("tab", name="Chapters").click()
    rows = page.locator(".rows.pictures li")
    expect(rows).to_have_count(5)
    expect(rows.nth(1).locator("button")).to_have_attribute("aria-current", "true")
    expect(rows.nth(2)).to_contain_text("Kettle")
    rows.nth(2).locator("button").click()
    at(page, 40.0)
    expect(rows.nth(2).locator("button")).to_have_attribute("aria-current", "true")
    page.get_by_role("tab", name="Ask this video").click()
    box = page.get_by_placeholder("What happens, is said or is shown in it?")
    box.fill("when is the kettle humming?")
    box.press("Enter")
    answer = page.locator(".rows.pictures li", has_text="The kettle is humming.")
    expect(answer.locator("mark").first).to_have_text("kettle")
    expect(answer).to_contain_text("strong")
    answer.locator("button").click()
    at(page, 42.0)
    assert page.url == address, "the page stays where it is"
