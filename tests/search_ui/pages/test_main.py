"""Around every page: colours, menu, language, and nothing that moves."""

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.search_ui.browser import (
    PLAYER,
    card,
    drawn,
    pictures_are_there,
    window,
)


def test_light_and_dark_follow_the_system_or_the_choice(page):
    light, dark = "rgb(251, 250, 247)", "rgb(20, 23, 26)"
    page.emulate_media(color_scheme="light")
    page.goto("/")
    app, choice = page.get_by_test_id("stApp"), page.get_by_title("Colours", exact=True)
    expect(app).to_have_css("background-color", light)
    page.emulate_media(color_scheme="dark")
    expect(app).to_have_css("background-color", dark)
    choice.select_option("Light")
    expect(app).to_have_css("background-color", light)
    page.goto("/library")
    expect(app).to_have_css("background-color", light)
    expect(choice).to_have_value("Light")
    choice.select_option("System")
    expect(app).to_have_css("background-color", dark)


def test_around_the_answers(page):
    """One visit for what any page with a question has around it."""
    page.goto("/?q=green")
    page.locator("a.open").first.wait_for()
    drawn(page)
    the_header_covers_nothing(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    slash_goes_to_the_question_and_keys_are_shown(page)
    page.wait_for_url("**q=red*")  # what was typed is asked when the box is left
    drawn(page)
    the_name_of_the_product_leads_to_the_first_page(page)
    pages_of_a_telephone_are_at_the_bottom(page)


def the_header_covers_nothing(page: Page) -> None:
    for width in (360, 768, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        for colours in ("light", "dark"):
            page.emulate_media(color_scheme=colours)
            header = page.locator(".st-key-top_bar").bounding_box()
            box = page.get_by_test_id("stTextInputRootElement").first.bounding_box()
            assert header is not None
            assert box is not None
            assert box["y"] >= header["y"] + header["height"]
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            assert box["height"] >= 44
            assert page.evaluate("document.documentElement.scrollWidth") == width


def slash_goes_to_the_question_and_keys_are_shown(page: Page) -> None:
    # The script that listens fills these.
    page.locator("select option").first.wait_for(state="attached")
    box = page.get_by_role("textbox").first
    expect(box).to_have_value("green")  # until then Streamlit may draw the box again
    page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.type("red/green")
    expect(box).to_have_value("red/green")
    page.locator("a.open").first.focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)


def the_name_of_the_product_leads_to_the_first_page(page: Page) -> None:
    page.get_by_role("link", name="Seekpoint").click()
    expect(page.get_by_role("heading", name="Which moment are you looking for?")).to_be_visible()
    page.wait_for_url(lambda url: "q=" not in url)
    expect(page.get_by_role("textbox").first).to_have_value("")


def pages_of_a_telephone_are_at_the_bottom(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    box = page.get_by_role("link", name="Library").bounding_box()
    assert box is not None
    assert box["y"] > 650
    assert min(box["width"], box["height"]) >= 44
    page.get_by_role("link", name="Library").click()
    page.wait_for_url("**/library")
    page.get_by_text("Add videos").click()
    expect(page.get_by_placeholder("/media/videos")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("enter", [False, True])
def test_the_box_is_large_and_what_is_typed_before_the_page_is_drawn_is_not_lost(page, enter):
    is_held, held = True, []

    def hold(route: Route) -> None:
        if is_held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/_stcore/host-config", hold)
    page.goto("/", wait_until="commit")
    expect(page.locator("#first-screen img").first).to_be_visible()
    box = page.get_by_role("textbox").first
    expect(box).to_be_focused()
    first = page.locator("#first-screen")
    the_question_is_large_in_the_middle(first.locator("form"), first.locator("label"))
    page.keyboard.type("green")
    if enter:
        page.keyboard.press("Enter")
    is_held = False
    for route in held:
        route.continue_()
    expect(first).to_have_count(0)
    expect(box).to_be_focused()
    expect(box).to_have_value("green")
    if not enter:
        bar, shape = page.locator(".st-key-ask_bar"), page.get_by_test_id("stTextInputRootElement")
        the_question_is_large_in_the_middle(bar, shape.first)
        page.keyboard.press("Enter")
    page.wait_for_url("**q=green")
    expect(card(page, "traffic light")).to_be_visible()


def test_answers_stand_there_before_the_page_is_drawn_and_are_asked_for_once(page, url):
    is_held, held = True, []

    def hold(route: Route) -> None:
        if is_held:
            held.append(route)
        else:
            route.continue_()

    before = count_searches(page, url)
    page.route("**/_stcore/host-config", hold)
    page.goto("/?q=green", wait_until="commit")
    first = page.locator("#first-screen")
    early = first.locator("li a", has_text="traffic light").first
    expect(early.locator("img").last).to_be_visible()
    address = early.get_attribute("href")
    is_held = False
    for route in held:
        route.continue_()
    expect(first).to_have_count(0)
    expect(card(page, "traffic light")).to_have_attribute("href", address)
    drawn(page)
    assert count_searches(page, url) == before + 1


def count_searches(page: Page, url: str) -> float:
    text = page.request.get(f"{url}/metrics").text()
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("seekpoint_search_seconds_count")
    )


def the_question_is_large_in_the_middle(bar: Locator, box: Locator) -> None:
    around, inside = bar.bounding_box(), box.bounding_box()
    assert around is not None
    assert inside is not None
    assert abs(around["x"] + around["width"] / 2 - 640) < 8
    assert inside["height"] >= 56


def test_who_goes_back_before_a_page_is_drawn_gets_there(page):
    """Whatever the browser forgets of the pages before when it hears that this one was drawn."""
    is_held, held = False, []

    def between(web_socket) -> None:
        server = web_socket.connect_to_server()
        web_socket.on_message(server.send)
        server.on_message(lambda m: held.append((web_socket, m)) if is_held else web_socket.send(m))

    page.route_web_socket("**/_stcore/stream", between)
    page.goto("/library")
    page.locator(".shelf a.open").first.click()
    page.locator(PLAYER).wait_for()
    drawn(page)
    is_held = True
    page.locator(".player .keep").click()
    page.wait_for_timeout(1000)
    page.go_back()
    page.wait_for_timeout(200)
    is_held = False
    for web_socket, message in held:
        web_socket.send(message)
    expect(page.locator(".shelf a.open").first).to_be_visible()
    page.goto("/moments")
    page.get_by_role("button", name="Take out").click()
    expect(page.get_by_role("button", name="Take out")).to_have_count(0)


def test_a_question_on_its_way_is_seen_though_the_server_says_nothing(page):
    hears = True

    def between(web_socket) -> None:
        server = web_socket.connect_to_server()
        web_socket.on_message(lambda message: server.send(message) if hears else None)

    page.route_web_socket("**/_stcore/stream", between)
    page.goto("/?q=green")
    page.locator("a.open").first.wait_for()
    drawn(page)
    page.locator("select option").first.wait_for(state="attached")
    hears = False
    box = page.get_by_role("textbox").first
    box.fill("red")
    box.press("Enter")
    body = page.locator(".st-key-body_answers")
    expect(body).to_have_css("opacity", "0.45")
    # Of a server that hangs it is said.
    expect(page.get_by_text("The server takes long to answer")).to_be_visible()
    expect(body).to_have_css("opacity", "0.45")


@pytest.mark.parametrize(("path", "shown"), [("/", "a.open"), ("/library", ".shelf .title")])
def test_the_first_load_is_small(browser, url, path, shown):
    """At most 1.5 MB over the wire; Streamlit's scripts alone would be twice that."""
    with window(browser, url) as page:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        sizes: list[float] = []
        session.on(
            "Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"])
        )
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path)
        page.locator(shown).first.wait_for()
        drawn(page)
        pictures_are_there(page)
        assert not [one for one in asked if "/shelf" in one], "it came with the document"
        assert 200_000 < sum(sizes) <= 1_500_000


def test_nothing_moves_while_a_narrow_page_is_drawn(browser, url):
    context = browser.new_context(base_url=url, viewport={"width": 360, "height": 740})
    context.add_init_script(
        "window.moved = []; new PerformanceObserver((list) => window.moved.push("
        "...list.getEntries().map((entry) => entry.value)))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page = context.new_page()
    for text in (
        "a red picture with nothing else in it",
        "something that is blue and then is not any more",
    ):
        page.goto(f"/?q={text}")
        expect(page.locator("a.open").first).to_be_visible()
    page.goto("/")
    lately = page.get_by_role("button", name="a red picture with")
    expect(lately).to_be_visible()
    drawn(page)
    assert sum(page.evaluate("window.moved")) < 0.02  # up to .1 is called good
    context.close()
