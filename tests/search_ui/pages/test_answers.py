"""Cards: what is pressed opens, links, back and forward, names as text."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.search_ui.browser import (
    PLAYER,
    ask,
    at,
    card,
    drawn,
    first_card,
)


def test_a_click_as_soon_as_a_card_is_there_plays(page):
    """Four times in a row, each in a new question's answer, while Streamlit is still at work on the
    page.
    """
    page.goto("/?q=red")
    page.locator("a.open").first.wait_for()
    for number in range(4):
        before, *_ = first_card(page)
        box = page.get_by_role("textbox").first
        box.fill(f"{('green', 'blue')[number % 2]} {number}")
        box.press("Enter")
        link, x, y = first_card(page, before)
        page.mouse.click(x, y)
        page.wait_for_url(f"**{link}")
        at(page, float(re.findall(r"[?&]t=([\d.]+)", link)[0]))
        page.go_back()
        page.locator(PLAYER).wait_for(state="detached")
        page.wait_for_url(lambda url: "v=" not in url)


def test_what_was_pressed_opens_though_other_cards_come_meanwhile(page):
    """A new question stands in the box; pressing the button on a card takes the focus out of it,
    which asks it, and the cards change.
    """
    page.goto("/?q=green")
    card(page, "traffic light").wait_for()
    link, x, y = first_card(page)
    page.get_by_role("textbox").first.fill("purple")
    page.mouse.move(x, y)
    page.mouse.down()
    page.locator("a.open[href*='q=purple']").first.wait_for()
    page.mouse.up()
    page.wait_for_url(f"**{link}")
    at(page, 4.0)


def test_a_click_that_the_server_does_not_hear_is_a_link(page):
    heard = True

    def between(web_socket) -> None:
        server = web_socket.connect_to_server()
        web_socket.on_message(lambda message: server.send(message) if heard else None)

    page.route_web_socket("**/_stcore/stream", between)
    page.goto("/?q=green")
    found = card(page, "traffic light")
    drawn(page)
    heard = False
    found.click()
    page.wait_for_timeout(500)
    assert "v=" not in page.url
    heard = True
    at(page, 4.0)


def test_back_and_forward(page):
    page.goto("/")
    ask(page, "red")
    ask(page, "green")
    card(page, "traffic light").click()
    page.locator(PLAYER).wait_for()
    page.go_back()
    expect(page.locator(PLAYER)).to_have_count(0)
    expect(page.get_by_role("textbox").first).to_have_value("green")
    page.go_back()
    expect(page.get_by_role("textbox").first).to_have_value("red")
    page.go_forward()
    page.go_forward()
    at(page, 4.0)


def test_what_is_no_question_and_what_nothing_answers_get_a_word(page):
    page.goto("/")
    drawn(page)
    box = page.get_by_role("textbox").first
    box.fill("???")
    box.press("Enter")
    expect(page.get_by_text("say what happens")).to_be_visible()
    expect(page.get_by_text("Something went wrong")).to_have_count(0)
    ask(page, "zebra")
    expect(page.get_by_text("No match")).to_be_visible()
    expect(page.locator("a.open").first).to_be_visible()


def test_names_are_text(page):
    page.goto("/?q=purple")
    expect(card(page, "<img src=x onerror=alert(1)> *bold*")).to_be_visible()
    card(page, "<img").click()
    expect(page.get_by_role("heading", name="<img src=x onerror=alert(1)> *bold*")).to_be_visible()
    at(page, 0.0)
    page.goto("/?q=<img src=x onerror=alert(2)> [a](javascript:alert(3))")
    page.locator("a.open").first.wait_for()
    page.goto("/library")
    expect(page.locator(".shelf .title", has_text="<img")).to_be_visible()
    page.goto("/")
    expect(
        page.get_by_role("button", name="<img src=x onerror=alert(2)> [a](javascript:alert(3))")
    ).to_be_visible()
    expect(page.locator("img[src=x]")).to_have_count(0)


def test_more_like_this_and_kept_export(page):
    page.goto("/?q=green")
    card(page, "traffic light").wait_for()
    kept = page.get_by_role("checkbox", name="Keep this moment").first
    kept.check(force=True)
    expect(page.locator(".said").first).to_have_text("Kept among your moments")
    drawn(page)
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_text("1 of these that you keep")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table (CSV)").click()
    assert len(Path(download.value.path()).read_text("utf-8-sig").splitlines()) == 2
    page.keyboard.press("Escape")
    kept.uncheck(force=True)
    page.get_by_role("button", name="More: traffic light").first.click()
    page.get_by_role("menuitem", name="More like this").click()
    page.wait_for_url("**like=*")
    expect(page.get_by_role("heading", name="Moments like this one")).to_be_visible()
    expect(page.get_by_role("link", name="Remove like traffic light, 0:04")).to_be_visible()
