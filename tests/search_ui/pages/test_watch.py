"""The player: the right picture at the right time, keys, the time line, the transcript."""

import re

import pytest
from playwright.sync_api import expect

from grounding.spans import Span
from indexer.catalog.finalize import finalize_video
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.leasing.chunk_tasks import claim_task
from indexer.catalog.passages import NewPassage, commit_passages
from tests.indexer.media.golden import ffmpeg
from tests.search_ui.browser import (
    ask,
    at,
    card,
    number_shown,
    serving,
    window,
)
from tests.support import demo_library


def test_ask_click_and_click_again(page):
    page.goto("/")
    ask(page, "green")
    card(page, "traffic light").click()
    at(page, 4.0)
    assert re.search(r"v=\d+&t=4&e=10", page.url)
    video = page.locator("video")
    video.evaluate("v => { v.pause(); v.currentTime = 2 }")
    page.locator("[aria-current=true] a.open").click()
    at(page, 4.0)  # the same moment again starts it again
    assert video.evaluate("v => !v.paused || v.currentTime >= 10"), "it plays, or has played"


@pytest.mark.parametrize("time_s", [3.96, 12.5, 19.9])
def test_picture_is_the_frame_of_that_time(page, home, time_s):
    video_id = next(
        v.video_id for v in demo_library(home).videos() if v.paths[0].path.endswith("numbers.mp4")
    )
    page.goto(f"/?v={video_id}&t={time_s}&e=20")
    page.locator("video").wait_for()
    at(page, time_s)
    number, shown_s = number_shown(page)
    assert number == min(int(shown_s * 25 + 1e-6), 499)
    page.keyboard.press(".")
    assert number_shown(page)[0] == min(number + 1, 499)


def test_timeline_and_keys(page):
    page.goto("/?q=green")
    card(page, "traffic light").click()
    at(page, 4.0)
    timeline = page.get_by_role("slider")
    box = timeline.bounding_box()
    timeline.click(position={"x": box["width"] * 12 / 15, "y": box["height"] / 2})
    at(page, 12.0, 0.15)
    video = page.locator("video")
    before = video.evaluate("v => { v.pause(); return v.currentTime }")
    page.keyboard.press("j")
    assert video.evaluate("v => v.currentTime") == pytest.approx(before - 10, abs=0.1)
    page.keyboard.press("n")
    page.wait_for_url(lambda url: "t=4&e=10" not in url)


def test_every_key(page):
    page.goto("/?q=green")
    card(page, "traffic light").focus()
    page.keyboard.press("Enter")
    at(page, 4.0)
    video = page.locator("video")
    video.evaluate("v => new Promise(ok => { v.pause(); v.onseeked = ok; v.currentTime = 2.02 })")

    def after(key: str) -> float:
        page.keyboard.press(key)
        return round(video.evaluate("v => v.currentTime"), 2)

    keys = ["ArrowRight", "ArrowLeft", "Shift+ArrowRight", "Shift+ArrowLeft", "l", "j", ".", ","]
    assert [after(key) for key in keys] == pytest.approx(
        [7.02, 2.02, 3.02, 2.02, 12.02, 2.02, 2.06, 2.02], abs=0.025
    )
    page.keyboard.press("m")
    assert video.evaluate("v => v.muted")
    for key, rate in ((">", 2), (">", 4), ("<", 2), ("<", 1)):
        page.keyboard.press(key)
        assert video.evaluate("v => v.playbackRate") == rate
    page.keyboard.press("k")
    assert video.evaluate("v => v.paused"), "a change of the speed had started it"
    page.keyboard.press("Space")
    assert not video.evaluate("v => v.paused")
    video.evaluate("v => { v.currentTime = 13 }")
    page.keyboard.press("o")
    expect(page.get_by_role("button", name="Loop")).to_have_attribute("aria-pressed", "true")
    at(page, 4.0)
    box = page.get_by_role("textbox").first
    box.fill("")
    box.press_sequentially("jump mk")
    assert video.evaluate("v => v.muted"), "what is written into a box is no command"


STOPS = """video => new Promise(ok => {
  video.onpause = () => ok(video.currentTime);
  video.play();
  video.currentTime = 9.7;
})"""


def test_span_stops_and_loops(page):
    page.goto("/?q=green")
    card(page, "traffic light").click()
    at(page, 4.0)
    stopped_s = page.locator("video").evaluate(STOPS)
    assert 10 <= stopped_s < 15, "at the end of the moment, before that of the video"
    page.locator("video").evaluate("v => { v.currentTime = 13 }")
    page.get_by_role("button", name="Loop").click()
    at(page, 4.0)


def test_same_link_in_a_new_window(page):
    page.goto("/?q=green")
    card(page, "traffic light").click()
    at(page, 4.0)
    page.wait_for_url("**v=*")
    other = page.context.new_page()
    other.goto(page.url)
    at(other, 4.0)
    expect(other.get_by_role("textbox").first).to_have_value("green")


def test_transcript_runs_with_the_video(page, home):
    library = demo_library(home)
    video_id = next(
        video.video_id
        for video in library.videos()
        if video.paths[0].path.endswith("traffic light.mp4")
    )
    lines = [
        NewPassage("speech", Span(1, 3), "stop <b>now</b>"),
        NewPassage("speech", Span(4, 9), "you may go"),
    ]
    with library.catalog.begin() as session:
        plan_tasks(session, video_id, [Span(0, 15)], {"speech": "test"})
        work = claim_task(session, "me", 60, ("speech",), video_id=video_id)
        assert work is not None
        assert commit_passages(session, work.task_id, "me", lines, 0.1)
    with library.catalog.begin() as session:
        finalize_video(session, video_id)
    page.goto(f"/?v={video_id}&t=5&e=6")
    at(page, 5.0)
    expect(page.locator(".transcript [aria-current=true]")).to_contain_text("you may go")
    page.locator("video").evaluate("v => v.pause()")
    page.get_by_role("button", name="stop <b>now</b>").click()
    expect(page.locator(".transcript [aria-current=true]")).to_contain_text("stop <b>now</b>")
    assert page.locator("video").evaluate("v => v.currentTime") == pytest.approx(1, abs=0.1)
    page.goto("/?q=go")
    expect(page.locator(".why mark").first).to_have_text("go")


def test_sound_alone_plays_at_its_moment(browser, tmp_path):
    (tmp_path / "talks").mkdir()
    ffmpeg("-f", "lavfi", "-i", "sine=frequency=300:duration=8", tmp_path / "talks" / "hum.mp3")
    (tmp_path / "talks" / "hum.srt").write_text(
        "1\n00:00:05,000 --> 00:00:07,000\nThe kettle is humming.\n"
    )
    library = demo_library(tmp_path / "home", speech=True)
    library.ingest([tmp_path / "talks" / "hum.mp3"], "talks")
    with serving(tmp_path / "home") as url, window(browser, url) as page:
        page.goto("/?q=kettle+humming")
        card(page, "hum").click()
        at(page, 5.0)
