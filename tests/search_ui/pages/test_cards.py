"""Cards: they play under the pointer, say what matters, and one finds back to them."""

import re
from importlib.resources import files

import pytest
from playwright.sync_api import Page, expect

from search_ui.pages.cards import EVIDENCE
from tests.search_ui.browser import PLAYER, at, card, drawn, window

MOVES = "video => video.currentTime > 4.1 && video.currentTime < 10 && !video.paused"


def titles(page: Page) -> list[str]:
    return [text.split("\n")[0] for text in page.locator(".card .title").all_inner_texts()]


def test_a_card_plays_its_moment_under_the_pointer_and_with_the_focus(page):
    page.goto("/?q=green")
    found = card(page, "traffic light")
    drawn(page)
    the_picture_is_the_frame(page)
    found.hover()
    video = page.locator(".picture video.moving")
    expect(video).to_have_count(1)
    assert video.evaluate("video => video.muted")
    page.wait_for_function(f"video => ({MOVES})(video)", arg=video.element_handle())
    # The bar takes the moment to where the pointer is.
    box = page.locator(".picture.playing").bounding_box()
    page.wait_for_function("video => !video.seeking", arg=video.element_handle())
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] - 5)
    near = "video => video.currentTime > 8 && video.currentTime < 10"
    page.wait_for_function(near, arg=video.element_handle())
    page.mouse.move(2, 300)
    expect(page.locator(".picture video")).to_have_count(0)
    page.keyboard.press("Tab")
    found.focus()
    expect(page.locator(".picture video.moving")).to_have_count(1)
    # Of the link itself the card would cut the ring off.
    around = page.locator(".card", has=page.locator("a.open:focus"))
    expect(around).to_have_css("outline-style", "solid")
    expect(around).to_have_css("outline-width", "3px")
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".picture video")).to_have_count(0)
    page.keyboard.press("Tab")
    expect(page.locator(".picture video.moving")).to_have_count(1)
    page.locator("a.open:focus .picture").click()
    page.locator(PLAYER).wait_for()


def test_who_wants_no_motion_sees_five_frames(page):
    page.emulate_media(reduced_motion="reduce")
    five_frames_stand_still(page)


def test_fingers_start_no_motion(browser, url):
    with window(browser, url, has_touch=True, is_mobile=True) as page:
        five_frames_stand_still(page)


def five_frames_stand_still(page: Page) -> None:
    page.goto("/?q=green")
    found = card(page, "traffic light")
    strip = found.locator("img.strip")
    page.wait_for_function("image => image.naturalWidth === 816", arg=strip.element_handle())
    found.hover()
    page.wait_for_timeout(500)  # what plays begins within .3 s
    expect(page.locator(".picture video")).to_have_count(0)


def the_picture_is_the_frame(page) -> None:
    image = card(page, "traffic light").locator("img.shown")
    page.wait_for_function(
        "image => /.still./.test(image.src) && image.complete", arg=image.element_handle()
    )
    pixel = image.evaluate("""image => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 3, height: 3 });
      const pen = canvas.getContext("2d");
      pen.drawImage(image, 0, 0, 3, 3);
      return [...pen.getImageData(1, 1, 1, 1).data];
    }""")
    assert pixel[1] > max(pixel[0], pixel[2]) + 40


def test_one_card_a_video_or_every_moment(page):
    """What is chosen is remembered."""
    page.goto("/?q=numbers or green")
    page.locator("a.open").first.wait_for()
    drawn(page)
    show_all(page)
    assert len(set(titles(page))) == len(titles(page))
    page.get_by_role("radio", name="every moment").click()
    show_all(page)
    every = titles(page)
    assert len(set(every)) < len(every)
    page.reload()
    page.locator("a.open").first.wait_for()
    expect(page.get_by_role("radio", name="every moment")).to_be_checked()
    page.get_by_role("radio", name="by video").click()
    drawn(page)
    show_all(page)
    others = page.locator(".others").first
    expect(others).to_contain_text(re.compile(r"\+[1-9]"))
    spot = others.locator("a:not(.best)").first
    start_s = float(re.findall(r"[?&]t=([\d.]+)", spot.get_attribute("href"))[0])
    spot.click()
    at(page, start_s)


def show_all(page: Page) -> None:
    button = page.locator("button.weaker")
    if button.is_visible():
        button.click()


def test_a_card_says_how_sure_it_is_and_weaker_ones_come_when_they_are_asked_for(page):
    page.goto("/?q=green")
    found = card(page, "traffic light")
    drawn(page)
    expect(found.locator(".likelihood")).to_have_text(re.compile("strong|likely"))
    assert not re.search(r"\d%|score", found.inner_text())
    page.get_by_role("button", name="More: traffic light").first.click()
    expect(page.get_by_role("menu")).to_contain_text(
        re.compile(r"(strong|likely) · about \d+ of 100 answers like this one are right")
    )
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitemcheckbox", name="Keep this moment")).to_be_focused()
    page.keyboard.press("Enter")
    kept = page.get_by_role("checkbox", name="Keep this moment: traffic light").first
    expect(kept).to_be_checked()
    expect(page.get_by_role("button", name="More: traffic light").first).to_be_focused()
    expect(page.locator(".said").first).to_have_text("Kept among your moments")
    kept.uncheck(force=True)
    expect(page.locator(".said").first).to_have_text("Taken out of your moments")
    expect(page.locator(".likelihood.weak")).to_have_count(0)
    page.get_by_role("button", name=re.compile(r"Show \d+ weaker moments")).click()
    expect(page.locator(".likelihood.weak").first).to_be_visible()
    expect(page.locator("button.weaker")).to_be_hidden()
    # How large the pictures are is remembered.
    before = page.locator(".picture").first.bounding_box()["width"]
    page.get_by_role("slider", name="Size of the pictures").fill("30")
    larger = page.locator(".picture").first.bounding_box()["width"]
    assert larger > before + 50
    page.reload()
    card(page, "traffic light").wait_for()
    assert page.locator(".picture").first.bounding_box()["width"] == pytest.approx(larger, abs=2)


EVERY_MOMENT = """() => {
  const view = JSON.parse(localStorage.getItem("seekpoint-view") ?? "{}");
  localStorage.setItem("seekpoint-view", JSON.stringify({ ...view, group: "moment" }));
  window.dispatchEvent(new CustomEvent("seekpoint-view"));
}"""


def test_back_leads_to_the_card_where_one_was(page):
    page.set_viewport_size({"width": 420, "height": 600})
    page.goto("/?q=green")
    card(page, "traffic light").wait_for()
    drawn(page)
    show_all(page)
    last = page.locator("a.open").last
    last.scroll_into_view_if_needed()
    main = page.get_by_test_id("stMain")
    before = main.evaluate("main => main.scrollTop")
    assert before > 200
    href = last.get_attribute("href")
    last.click()
    page.locator(PLAYER).wait_for()
    expect(page.get_by_role("button", name=re.compile("^(Play|Pause)$"))).to_be_focused()
    page.go_back()
    again = page.locator(f"a.open[href='{href}']")
    expect(again).to_be_focused()
    again.evaluate("link => (link.dataset.old = '1')")
    page.evaluate(EVERY_MOMENT)
    expect(again).not_to_have_attribute("data-old", "1")
    expect(again).to_be_focused()  # cards that are drawn anew keep it
    page.wait_for_function(
        "([main, top]) => Math.abs(main.scrollTop - top) < 60", arg=[main.element_handle(), before]
    )


def test_every_kind_of_evidence_has_a_picture_of_its_own():
    script = (files("search_ui.components") / "card_parts.js").read_text()
    assert all(f"  {kind}: " in script for kind in EVIDENCE)
