"""Around every page: colours, menu, language, and nothing that moves."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from indexer.catalog.people.saved_searches import list_searches
from tests.search_ui.browser import (
    PLAYER,
    SLOW_MS,
    WORDS,
    card,
    drawn,
    pictures_are_there,
    window,
)
from tests.support import demo_library


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


def test_pages_of_a_telephone_are_at_the_bottom(page):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/?q=green")
    page.locator("a.open").first.wait_for()
    drawn(page)
    box = page.get_by_role("link", name="Library").bounding_box()
    assert box["y"] > 650
    assert min(box["width"], box["height"]) >= 44
    page.get_by_role("link", name="Library").click()
    page.wait_for_url("**/library")
    page.get_by_text("Add videos").click()
    expect(page.get_by_placeholder("/media/videos")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_name_of_the_product_leads_to_the_first_page(page):
    page.goto("/?q=green")
    page.locator("a.open").first.wait_for()
    page.get_by_role("link", name="Seekpoint").click()
    expect(page.get_by_role("heading", name="Which moment are you looking for?")).to_be_visible()
    page.wait_for_url(lambda url: "q=" not in url)
    expect(page.get_by_role("textbox").first).to_have_value("")


# Of things, programs, settings and units: they are the same in every language.
NAMES = re.compile(
    r"^/.*\.mp4$|^/\S*$|traffic light|numbers|colours|purple|green|yellow|blue|<img.*?> \*bold\*"
    r"|/media/videos|\S+/\S+|[a-z]+-[0-9a-f]{8,}|SEEKPOINT_\w+(=\S+)?|`[^`]*`|pip install \S+"
    r"|LEGO|CSV|EDL|M3U|Enter|Esc|Shift|Seekpoint|SQLite|recall@10|CPU|cpu|MB|GB|Charades-\w+|IoU"
    r"|YAMNet|espeak-ng|seekpoint|siglip2|clip|lite|demo|whisper\S*|CTranslate2|rapidocr|R@1"
    r"|GroundingGPT-7B|qwen3-vl-embedding|sentence-transformers|TimeLens(-8B)?|Qwen3-VL|ffmpeg|HNSW"
)


def test_nothing_is_left_in_english(chinese_page, home):
    """Every page in a Chinese browser; names of things stay as they are."""
    with demo_library(home).catalog.read() as session:
        recent = {search.title for search in list_searches(session, None, saved=False)}
    page = chinese_page

    def shows(text: str) -> None:
        expect(page.get_by_text(text).first).to_be_visible()
        # Streamlit's own words are changed once they are there.
        deadline = time.monotonic() + SLOW_MS / 1000
        while left := in_english(page, recent):
            assert time.monotonic() < deadline, left
            page.wait_for_timeout(50)

    page.goto("/")
    page.locator("a.open").first.wait_for()
    shows("最新视频")
    page.get_by_role("button", name="筛选").click()
    page.get_by_role("button", name="选择日期").first.click()
    shows("一月" if time.localtime().tm_mon == 1 else "年")
    page.keyboard.press("Escape")
    page.goto("/?q=green")
    page.locator("a.open").first.wait_for()
    shows("结果")
    page.goto("/?q=猫在哪里")
    shows("已安装的文本模型都不认识")
    page.goto("/?q=green&v=1&t=1&e=2")
    page.locator(PLAYER).wait_for()
    drawn(page)
    page.keyboard.press("?")
    shows("快捷键")
    page.keyboard.press("Escape")
    page.goto("/library")
    page.locator(".shelf .choose input").first.check(force=True)
    page.get_by_role("button", name="移除", exact=True).click()
    shows("确认移除")
    page.get_by_test_id("stDialog").get_by_test_id("stBaseButton-secondary").click()
    expect(page.get_by_test_id("stDialog")).to_have_count(0)
    drawn(page)
    page.get_by_text("添加视频").click()
    page.get_by_placeholder("/media/videos").fill("/nowhere")
    page.get_by_role("button", name="添加文件夹").click()
    shows("服务器上没有该文件夹")
    page.goto("/system")
    expect(page.get_by_text("剩余").first).to_be_visible()
    shows("页面后台的工作")


def in_english(page: Page, recent: set[str]) -> list[str]:
    """Words on the page that look English; what was asked lately is shown as it was typed."""
    return [
        text
        for text in page.evaluate(WORDS)
        if text not in recent and re.search("[A-Za-z]{3}", NAMES.sub("", text))
    ]


def test_the_header_covers_nothing(page):
    page.goto("/?q=green")
    page.locator("a.open").first.wait_for()
    drawn(page)
    for width in (360, 768, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        for colours in ("light", "dark"):
            page.emulate_media(color_scheme=colours)
            header = page.locator(".st-key-top_bar").bounding_box()
            box = page.get_by_test_id("stTextInputRootElement").first.bounding_box()
            assert box["y"] >= header["y"] + header["height"]
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            assert box["height"] >= 44
            assert page.evaluate("document.documentElement.scrollWidth") == width


def test_on_the_first_page_the_question_is_large_in_the_middle_and_has_the_focus(page):
    page.goto("/")
    box = page.get_by_role("textbox").first
    expect(box).to_be_focused()
    bar = page.locator(".st-key-ask_bar")
    bar.wait_for()
    place = bar.bounding_box()
    assert abs(place["x"] + place["width"] / 2 - 640) < 8
    assert page.get_by_test_id("stTextInputRootElement").first.bounding_box()["height"] >= 56


@pytest.mark.parametrize("enter", [False, True])
def test_what_is_typed_before_the_page_is_drawn_is_not_lost(page, enter):
    held = []
    page.route("**/_stcore/host-config", lambda route: held.append(route))
    page.goto("/", wait_until="commit")
    expect(page.locator("#first-screen img").first).to_be_visible()
    box = page.get_by_role("textbox").first
    expect(box).to_be_focused()
    page.keyboard.type("green")
    if enter:
        page.keyboard.press("Enter")
    page.unroute("**/_stcore/host-config")
    for route in held:
        route.continue_()
    expect(page.locator("#first-screen")).to_have_count(0)
    expect(box).to_be_focused()
    expect(box).to_have_value("green")
    if not enter:
        page.keyboard.press("Enter")
    page.wait_for_url("**q=green")
    expect(card(page, "traffic light")).to_be_visible()


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


def test_slash_goes_to_the_question_and_keys_are_shown(page):
    page.goto("/?q=green")
    page.locator("a.open").first.wait_for()
    drawn(page)
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
