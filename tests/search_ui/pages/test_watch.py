"""The player: the right picture at the right time, keys, the clip, the copy for browsers."""

import re

import pytest
from playwright.sync_api import expect

from tests.search_ui.browser import (
    PLAYER,
    ask,
    at,
    card,
    drawn,
    number_shown,
)
from tests.support import demo_library

SHAPE = "screen => Number(screen.style.getPropertyValue('--shape'))"
COVERED = """screen => {
  const around = screen.getBoundingClientRect();
  const inside = screen.querySelector('video').getBoundingClientRect();
  return inside.left < around.left && inside.right > around.right
    && inside.top < around.top && inside.bottom > around.bottom;
}"""
SHAPE_OF_VIDEO = "video => video.videoWidth / video.videoHeight"


def test_ask_click_and_click_again(page):
    page.goto("/")
    ask(page, "green")
    card(page, "traffic light").click()
    at(page, 4.0)
    page.wait_for_url(re.compile(r"v=\d+&t=4&e=10"))
    video = page.locator("video")
    video.evaluate("v => { v.pause(); v.currentTime = 2 }")
    page.locator("[aria-current=true] a.open").click()
    at(page, 4.0)  # the same moment again starts it again
    assert video.evaluate("v => !v.paused || v.currentTime >= 10"), "it plays, or has played"


def test_picture_is_the_frame_of_that_time(page, home):
    video_id = next(
        v.video_id for v in demo_library(home).videos() if v.paths[0].path.endswith("numbers.mp4")
    )
    for time_s in (3.96, 12.5, 19.9):
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
    timeline = page.get_by_role("slider", name="Timeline")
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


def test_span_stops_and_loops_and_its_link_opens_it(page):
    watch_green(page)
    other = page.context.new_page()
    other.goto(page.url)
    at(other, 4.0)
    expect(other.get_by_role("textbox").first).to_have_value("green")
    other.close()
    # Meanwhile it may have come to the end of the moment, and plays on from there when told to.
    page.get_by_role("button", name="Play the clip again from its start").click()
    stopped_s = page.locator("video").evaluate(STOPS)
    assert 10 <= stopped_s < 15, "at the end of the moment, before that of the video"
    page.locator("video").evaluate("v => { v.currentTime = 13 }")
    page.get_by_role("button", name="Loop").click()
    at(page, 4.0)


def test_sound_alone_plays_at_its_moment(studio_page):
    studio_page.goto("/?q=ripe+lemons")
    card(studio_page, "hum").click()
    at(studio_page, 5.0)


# --- the clip ---


def clip_edges(page) -> list[str]:
    fields = [page.get_by_role("textbox", name=f"{edge} of the clip") for edge in ("Start", "End")]
    return [field.input_value() for field in fields]


def watch_green(page) -> None:
    page.goto("/?q=green")
    card(page, "traffic light").click()
    at(page, 4.0)
    page.wait_for_url("**v=*")


def test_typed_times_are_the_clip_and_all_that_is_made_of_it(page, home):
    watch_green(page)
    about = page.locator(".about")
    expect(about.locator(".when")).to_have_text("00:04.0 – 00:10.0")
    expect(about.locator(".why").first).to_contain_text("picture")
    expect(about.locator(".fact")).to_have_text(["colours"])
    expect(about.locator(".path")).to_have_text(str(home.parent / "videos" / "traffic light.mp4"))
    assert clip_edges(page) == ["0:04.000", "0:10.000"]
    page.get_by_role("textbox", name="Start of the clip").fill("5.25")
    page.get_by_role("textbox", name="End of the clip").fill("0:07.5")
    page.keyboard.press("Enter")
    at(page, 7.4, 0.15)
    assert clip_edges(page) == ["0:05.250", "0:07.500"]
    expect(page.locator(".about .when")).to_have_text("00:05.2 – 00:07.5")
    clip = page.get_by_role("link", name="Save the clip as a video")
    assert clip.get_attribute("href").endswith("/5250/7500")
    page.locator(".more summary").click()
    table = page.get_by_role("link", name="Table (CSV)")
    assert table.get_attribute("href").endswith("/5250/7500/csv")
    with page.expect_download() as saved:
        table.click()
    assert saved.value.suggested_filename == "traffic light 5.2-7.5.csv"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".status")).to_have_text("Link copied")
    assert "t=5.25&e=7.5" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("button", name="Reset").click()
    assert clip_edges(page) == ["0:04.000", "0:10.000"]
    expect(page.get_by_role("button", name="Reset")).to_be_hidden()
    # A time that is none changes nothing.
    start = page.get_by_role("textbox", name="Start of the clip")
    for wrong in ("soon", "1:75", "99", "-1"):
        start.fill(wrong)
        start.press("Enter")
        expect(start).to_have_attribute("aria-invalid", "true")
    assert page.locator("a.clip").get_attribute("href").endswith("/4000/10000")


def test_ends_of_the_clip_are_dragged_pushed_and_stop(page):
    watch_green(page)
    track = page.locator(".track").bounding_box()
    handle = page.get_by_role("slider", name="End of the clip")
    box = handle.bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(track["x"] + track["width"] * 8 / 15, box["y"] + 5, steps=4)
    page.mouse.up()
    end_s = float(clip_edges(page)[1].removeprefix("0:"))
    assert end_s == pytest.approx(8, abs=0.1)
    at(page, end_s - 0.05, 0.1)
    handle.press("ArrowLeft")
    assert float(clip_edges(page)[1].removeprefix("0:")) == pytest.approx(end_s - 0.04, abs=0.002)
    handle.press("Shift+ArrowRight")
    assert float(clip_edges(page)[1].removeprefix("0:")) == pytest.approx(end_s + 0.96, abs=0.002)

    # The start pushes the end before it.
    page.locator("video").evaluate(SEEK, 12)
    page.keyboard.press("[")
    assert clip_edges(page) == ["0:12.000", "0:12.040"]
    page.locator("video").evaluate(SEEK, 14)
    page.keyboard.press("]")
    assert clip_edges(page) == ["0:12.000", "0:14.000"]
    page.get_by_role("button", name="Reset").click()
    changed_clip_stops(page)


SEEK = """(video, time_s) => new Promise(ok => {
  video.pause();
  video.onseeked = ok;
  video.currentTime = time_s;
})"""


def changed_clip_stops(page) -> None:
    page.get_by_role("textbox", name="End of the clip").fill("5")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Play the clip again from its start").click()
    page.wait_for_function(
        "[...document.querySelectorAll('*')].some(e => e.shadowRoot?.querySelector('video')?.paused"
        " && e.shadowRoot.querySelector('video').currentTime >= 5)"
    )
    assert page.locator("video").evaluate("v => v.currentTime") < 8


# --- sound, and what browsers cannot play ---


def test_volume_is_kept(studio_page, studio):
    page = studio_page
    page.goto(studio.watch("tone", 1, 2))
    at(page, 1.0)
    volume = page.get_by_role("slider", name="Volume")
    volume.fill("0.3")
    video = page.locator("video")
    assert video.evaluate("v => [v.volume, v.muted]") == [0.3, False]
    mute = page.get_by_role("button", name="Mute")
    mute.click()
    expect(mute).to_have_attribute("aria-pressed", "true")
    expect(volume).to_have_value("0")
    mute.click()
    expect(volume).to_have_value("0.3")
    page.reload()
    at(page, 1.0)
    expect(volume).to_have_value("0.3")
    assert video.evaluate("v => v.volume") == 0.3


def test_picture_stands_while_a_copy_is_made(studio_page, studio):
    page = studio_page
    made = f"**/playback/{studio.ids['old']}"
    page.route(made, lambda route: route.fulfill(json=HALF_MADE))
    page.goto(studio.watch("old", 1, 2))
    expect(page.locator(".veil-text")).to_contain_text("is being made: 50 %")
    poster = f"/thumbnail/{studio.ids['old']}/1000"
    expect(page.locator("video")).to_have_attribute("poster", poster)
    changed = {"status": 410, "content_type": "text/plain", "body": "The file has changed."}
    page.route("**/stream/*", lambda route: route.fulfill(**changed))
    page.unroute(made)
    expect(page.locator(".veil-text")).to_have_text("The file has changed.")
    page.unroute("**/stream/*")
    page.get_by_role("button", name="Play", exact=True).click()
    at(page, 1.0)
    expect(page.locator(".veil")).to_be_hidden()


HALF_MADE = {"state": "wait", "fraction": 0.5, "problem": ""}


def test_what_an_upright_video_is_played_with_is_in_view(page, home):
    """Its shape is taken as the player has it from the video; nothing else on the page changes."""
    video_id = next(
        v.video_id for v in demo_library(home).videos() if v.paths[0].path.endswith("numbers.mp4")
    )
    page.goto(f"/?v={video_id}&t=1&e=2")
    page.locator(PLAYER).wait_for()
    drawn(page)
    screen, bar = page.locator(".screen"), page.locator(".player .bar")
    expect(page.locator(".screen video.fills")).to_have_count(1)  # its shape is known by then
    wide = screen.evaluate(SHAPE)
    assert wide == pytest.approx(page.locator(PLAYER).evaluate(SHAPE_OF_VIDEO), abs=0.01)
    assert screen.evaluate(COVERED), "no black edge"
    upright = 9 / 16
    for height, shape in ((900, wide), (900, upright), (700, upright), (1080, 1.0)):
        page.set_viewport_size({"width": 1280, "height": height})
        screen.evaluate("(screen, shape) => screen.style.setProperty('--shape', shape)", str(shape))
        box, controls = screen.bounding_box(), bar.bounding_box()
        assert box is not None
        assert controls is not None
        assert box["width"] / box["height"] == pytest.approx(shape, rel=0.01)
        assert controls["y"] + controls["height"] <= height
    page.set_viewport_size({"width": 1280, "height": 900})
