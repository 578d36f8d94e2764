"""Beside the player: the transcript in time with it, chapters, questions to one video."""

import pytest
from playwright.sync_api import expect

from grounding.spans import Span
from indexer.catalog.finalize import finalize_video
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.leasing.chunk_tasks import claim_task
from indexer.catalog.passages import NewPassage, commit_passages
from tests.search_ui.browser import at, drawn, serving, window
from tests.support import colour_video, demo_library

SHOTS = [("red", 20), ("green", 20), ("blue", 20), ("yellow", 20), ("purple", 20)]
LINES = [
    NewPassage("speech", Span(2, 6), "Stop <b>now</b>, says Zoë."),
    NewPassage("speech", Span(22, 26), "You may go."),
    NewPassage("speech", Span(42, 46), "The kettle is humming."),
    NewPassage("speech", Span(62, 66), "Nothing happens here."),
    NewPassage("speech", Span(82, 86), "Go home."),
]


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("beside")
    library = demo_library(folder / "home")
    library.ingest([colour_video(folder / "talk.mp4", SHOTS, (90, 160))], "talks")
    with library.catalog.begin() as session:
        plan_tasks(session, 1, [Span(0, 100)], {"speech": "test"})
        work = claim_task(session, "me", 60, ("speech",), video_id=1)
        assert work is not None
        assert commit_passages(session, work.task_id, "me", LINES, 0.1)
    with library.catalog.begin() as session:
        finalize_video(session, 1)
    with serving(folder / "home") as url:
        yield url


@pytest.fixture
def page(browser, talk):
    with window(browser, talk) as page:
        page.goto("/?v=1&t=23&e=25")
        at(page, 23.0)
        page.locator("video").evaluate("v => v.pause()")
        drawn(page)
        yield page


def current(page):
    return page.locator(".transcript [aria-current=true]")


def test_transcript_runs_with_the_video(page):
    expect(current(page)).to_contain_text("You may go.")
    page.get_by_role("button", name="Stop <b>now</b>").click()
    expect(current(page)).to_contain_text("Stop <b>now</b>")
    at(page, 2.0)
    page.locator("video").evaluate("v => { v.pause(); v.currentTime = 50 }")
    expect(current(page)).to_contain_text("kettle")


def test_transcript_is_searched(page):
    page.get_by_placeholder("Find in this video's words").fill("GO")
    expect(page.locator(".transcript li")).to_have_count(2)
    expect(page.locator(".transcript mark")).to_have_text(["go", "Go"])
    expect(page.locator(".count").first).to_have_text("2 lines found")
    page.get_by_placeholder("Find in this video's words").fill("zoe")
    expect(page.locator(".transcript mark")).to_have_text("Zoë")
    page.get_by_placeholder("Find in this video's words").fill("")
    expect(page.locator(".transcript li")).to_have_count(5)


def test_keys_of_the_player_are_no_commands_in_the_box(page):
    page.get_by_placeholder("Find in this video's words").press_sequentially("mk")
    assert not page.locator("video").evaluate("v => v.muted")


def test_chapters_are_listed_and_seek(page):
    page.get_by_role("tab", name="Chapters").click()
    rows = page.locator(".rows.pictures li")
    expect(rows).to_have_count(5)
    expect(rows.nth(1).locator("button")).to_have_attribute("aria-current", "true")
    expect(rows.nth(2)).to_contain_text("Kettle")
    rows.nth(2).locator("button").click()
    at(page, 40.0)
    expect(rows.nth(2).locator("button")).to_have_attribute("aria-current", "true")


def test_ask_this_video(page):
    page.get_by_role("tab", name="Ask this video").click()
    box = page.get_by_placeholder("What happens, is said or is shown in it?")
    box.fill("when is the kettle humming?")
    box.press("Enter")
    answer = page.locator(".rows.pictures li", has_text="The kettle is humming.")
    expect(answer.locator("mark").first).to_have_text("kettle")
    answer.locator("button").click()
    at(page, 42.0)
    assert "v=1&t=23&e=25" in page.url, "the page stays where it is"
