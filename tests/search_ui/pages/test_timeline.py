"""The time line: zoom and pan, lanes, the picture at the pointer."""

import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from indexer.media.output.sprites import SpriteGrid
from tests.search_ui.browser import at, card, drawn

# How much of the video is shown: where it begins and how long it is, as shares.
SHOWN = """bar => [parseFloat(bar.style.left) / 100, parseFloat(bar.style.width) / 100]"""


@pytest.fixture
def page(studio_page, studio):
    studio_page.goto(studio.watch("minute", 22, 30))
    at(studio_page, 22.0)
    # It has played on until now, the longer the busier the machine is.
    studio_page.locator("video").evaluate("v => (v.pause(), (v.currentTime = 22))")
    at(studio_page, 22.0, 0.1)
    drawn(studio_page)
    return studio_page


def shown(page) -> tuple[float, float]:
    start, length = page.locator(".shown").evaluate(SHOWN)
    return start * 60, length * 60


def point_at(page, share: float) -> None:
    box = page.locator(".track").bounding_box()
    page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)


def await_shown(page, start_s: float, length_s: float, within_s: float = 0.5) -> None:
    """The time line is drawn with the next frame."""
    for _ in range(100):
        found = shown(page)
        if found == pytest.approx((start_s, length_s), abs=within_s):
            return
        page.wait_for_timeout(30)
    raise AssertionError(f"{found} instead of {(start_s, length_s)}")


def test_wheel_and_fingers_zoom_where_they_are(page):
    await_shown(page, 0, 60)
    point_at(page, 0.5)
    for _ in range(5):
        page.mouse.wheel(0, -120)
    await_shown(page, 23.3, 13.4, 1)
    start_s, length_s = shown(page)
    assert length_s < 30
    assert start_s + length_s / 2 == pytest.approx(30, abs=1)
    for _ in range(10):
        page.mouse.wheel(0, 120)
    await_shown(page, 0, 60)
    names_and_picture_at_the_pointer(page)
    two_fingers_zoom(page)


def test_wheel_goes_on_scrolling_the_page_that_moves_under_it(page):
    page.set_viewport_size({"width": 1280, "height": 500})
    title = page.locator(".about").bounding_box()
    page.mouse.move(title["x"] + 20, title["y"] + 5)
    page.mouse.wheel(0, -10)
    point_at(page, 0.5)
    page.mouse.wheel(0, -120)
    assert shown(page) == pytest.approx((0, 60))


def test_keys_and_buttons_zoom_and_pan(page):
    page.keyboard.press("+")
    await_shown(page, 22 - 11, 30)
    page.keyboard.press("-")
    await_shown(page, 0, 60)
    page.keyboard.press("z")
    await_shown(page, 22 - 8, 24)
    track = page.get_by_role("slider", name="Timeline")
    track.focus()
    page.keyboard.press("PageDown")
    await_shown(page, 14 + 12, 24)
    page.keyboard.press("PageUp")
    await_shown(page, 14, 24)
    page.keyboard.press("0")
    await_shown(page, 0, 60)
    page.get_by_role("button", name="Zoom in").click()
    await_shown(page, 11, 30)
    page.get_by_role("button", name="Zoom out").click()
    await_shown(page, 0, 60)
    page.keyboard.press("z")
    await_shown(page, 14, 24)
    box = page.locator(".track").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] - 8)
    at(page, 14 + 18, 0.2)
    strip = page.locator(".overview").bounding_box()
    y = strip["y"] + strip["height"] / 2
    page.mouse.move(strip["x"] + strip["width"] * 26 / 60, y)
    page.mouse.down()
    page.mouse.move(strip["x"] + strip["width"] * 36 / 60, y, steps=3)
    page.mouse.up()
    await_shown(page, 24, 24)


def two_fingers_zoom(page):
    fingers = page.context.new_cdp_session(page)
    fingers.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
    box = page.locator(".track").bounding_box()
    y, middle = box["y"] + 10, box["x"] + box["width"] / 2

    def touch(kind: str, *apart: float) -> None:
        points = [{"x": middle + x, "y": y, "id": n} for n, x in enumerate(apart)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", -50)
    touch("touchStart", -50, 50)
    for wider in (60, 80, 100):
        touch("touchMove", -wider, wider)
    touch("touchEnd")
    await_shown(page, 15, 30, 2)
    fingers.detach()


def test_a_lane_for_each_kind_that_there_is(page, studio):
    expect(page.locator(".names span")).to_have_text(["Chapters", "Picture", "Speech"])
    page.goto("/?q=stop, it is red")
    card(page, "minute").click()
    page.wait_for_url(f"**v={studio.ids['minute']}*")
    expect(page.locator(".names .answers", has_text="Speech")).to_be_visible()


def names_and_picture_at_the_pointer(page):
    grid = SpriteGrid(60.0)
    for time_s, colour in ((10.25, "red"), (30.25, "green"), (50.25, "blue")):
        point_at(page, time_s / 60)
        picture = page.locator(f".tip-picture[data-tile='{int(time_s / grid.interval_s)}']")
        expect(picture).to_be_visible()
        assert strongest(picture.screenshot()) == colour
    names = page.locator(".names span", has_text="Speech").bounding_box()
    box = page.locator(".track").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 10 / 60, names["y"] + names["height"] / 2)
    expect(page.locator(".tip-words")).to_have_text("Stop, it is red.")
    expect(page.locator(".tip-time")).to_contain_text("00:10.")
    page.mouse.move(5, 5)
    expect(page.locator(".tip")).to_be_hidden()


def strongest(png: bytes) -> str:
    """The strongest of the three colours in the middle of a picture."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    pixel = picture.getpixel((picture.width // 2, picture.height // 2))
    return max(zip(pixel, ("red", "green", "blue"), strict=True))[1]
