"""Moments are kept over several searches, ordered by hand, played, named and shared."""

import re
from datetime import datetime, timedelta

from playwright.sync_api import expect

from indexer.catalog.people import feedback
from tests.search_ui.browser import PLAYER, SLOW_MS, card, drawn
from tests.support import demo_library

# Where a video that was just chosen begins to play: until its first picture it stands at 0.
FIRST_TIME = """video => new Promise(ok => {
  const late = performance.now() + SLOW_MS;
  const look = () => video.currentTime > 0 || performance.now() > late
    ? ok(video.currentTime) : requestAnimationFrame(look);
  look();
})""".replace("SLOW_MS", str(SLOW_MS))


def test_kept_ordered_played_named_and_shared(page, home):
    page.goto("/?q=green")
    card(page, "traffic light")
    drawn(page)
    page.locator(".choose input").first.check(force=True)
    expect(page.locator(".said").first).to_have_text("Kept among your moments")
    page.locator("button.more").first.click(force=True)
    page.get_by_role("menuitemcheckbox", name="Right: it shows this").click()
    expect(page.locator(".said").first).to_have_text("Noted, thank you")
    page.goto("/?v=2&t=3&e=3.4")
    page.locator(PLAYER).wait_for()
    drawn(page)
    page.locator(".player .keep").click()
    expect(page.get_by_role("link", name="Moments 2")).to_be_visible()
    page.get_by_role("link", name="Moments").click()
    titles = page.locator(".tray .title")
    expect(titles).to_have_count(2)
    first = titles.all_inner_texts()
    page.get_by_role("button", name="Down").first.click()
    expect(titles).to_have_text(first[::-1])
    page.reload()
    expect(titles).to_have_text(first[::-1])
    page.get_by_role("button", name="Play all").click()
    # The first lasts .4 s; then the other plays from its start on.
    expect(page.locator(".tray li").nth(1)).to_have_attribute("aria-current", "true")
    assert page.locator(".tray video").evaluate(FIRST_TIME) >= 3.5
    page.get_by_role("button", name="Keep as a list").click()
    page.get_by_label("Name of the list").fill("Best <of>")
    page.get_by_label("Name of the list").press("Enter")
    expect(page.get_by_role("button", name="Delete the list")).to_be_visible()
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_role("button", name="Choose date").click()
    expect(page.get_by_role("grid")).to_be_visible()
    page.keyboard.press("ArrowLeft")  # a month from now is chosen; the day before
    page.keyboard.press("Enter")
    until = datetime.now().date() + timedelta(days=29)
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_test_id("stCode")
    expect(link).to_contain_text(re.compile(r"http://127\.0\.0\.1:\d+/shared/\S{40,}"))
    page.keyboard.press("Escape")
    expect(page.get_by_text(f"until {until}")).to_be_visible()
    page.get_by_role("button", name="Stop sharing").click()
    expect(page.get_by_text("Shared links")).to_have_count(0)
    page.get_by_role("button", name="Delete the list").click()
    expect(page.get_by_text("Nothing is kept here yet")).to_be_visible()
    with demo_library(home).catalog.read() as session:
        kept = feedback.list_own_feedback(session, "green")
    assert [word.good for word in kept] == [True]
