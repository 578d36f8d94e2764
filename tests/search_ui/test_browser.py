"""The page as people use it, in a real browser: what is clicked, what the player shows, what the
address says.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from grounding.spans import Span
from indexer.admin.accounts import add_user
from indexer.catalog.finalize import finalize_video
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.leasing.chunk_tasks import claim_task
from indexer.catalog.passages import NewPassage, commit_passages
from indexer.catalog.saved_searches import list_searches
from indexer.embedders.demo import COLOURS
from indexer.library import Library
from indexer.media.output.encode import write_video
from tests.indexer.media.golden import SOUND, draw, ffmpeg, read_number
from tests.search_ui.browser import (
    FIRST_CARD,
    PICTURE,
    STATE,
    TO_THE_MIDDLE,
    WORDS,
    chromium,
    serving,
)
from tests.support import colour_video, demo_library, demo_settings

PASSWORD = "correct horse"
LEGO = Path(__file__).parents[1] / "grounding" / "lego" / "fixtures" / "tiny" / "checkpoint"
SECONDS = 1000
# Green twice inside one second, so that two answers start in the same second.
TWICE = [("blue", 3.2), ("green", 0.3), ("blue", 0.2), ("red", 5), ("green", 4)]
SLOW = 30 * SECONDS  # the machine that tests may have other things to do

expect.set_options(timeout=SLOW)


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    colour_video(
        folder / "videos" / "traffic light.mp4", [("red", 4), ("green", 6), ("blue", 5)], (180, 320)
    )
    colour_video(
        folder / "videos" / "<img src=x onerror=alert(1)> *bold*.mp4",
        [("purple", 4), ("yellow", 4)],
        (180, 320),
    )
    write_video(folder / "videos" / "numbers.mp4", (draw(number) for number in range(500)), 25)
    library = demo_library(folder / "home")
    library.ingest([folder / "videos"], "colours")
    add_user(library.catalog, "vera", PASSWORD, "viewer")
    return folder / "home"


@pytest.fixture(scope="module")
def url(home):
    with serving(home) as url:
        yield url


@pytest.fixture
def page(browser, url):
    """A window of its own; an error in the browser's console or in a script fails the test."""
    context = browser.new_context(
        base_url=url, viewport={"width": 1280, "height": 900}, locale="en-US"
    )
    context.set_default_timeout(SLOW)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
    page.on(
        "request",
        lambda request: (
            problems.append(request.url)
            if not request.url.startswith((url, "data:", "blob:"))
            else None
        ),
    )
    yield page
    context.close()
    assert not problems


def ask(page: Page, question: str) -> None:
    box = page.get_by_role("textbox").first
    box.fill(question)
    box.press("Enter")
    page.wait_for_url(f"**q={question.split()[0]}*")


def card(page: Page, title: str):
    """Of the answer to the question in the address, if there is one: those that stood there before
    may still be seen.
    """
    asked = re.search(r"[?&](q=\w*)", page.url)
    found = page.locator(f"a.open[href*='{asked[1]}']" if asked else "a.open", has_text=title).first
    found.wait_for()
    return found


def first_card(page: Page, other: str = "") -> tuple[str, float, float]:
    """The link of the first card, and where it can be pressed: as soon as there is one whose link
    is not `other`.
    """
    return page.evaluate(FIRST_CARD, other)


def at(page: Page, time_s: float, within_s: float = 0.1) -> dict:
    """Waits until the player shows a picture of that time or shortly after (it may be playing); its
    state then.
    """
    deadline = time.monotonic() + SLOW / SECONDS
    while True:
        state = page.locator("video").evaluate(STATE)
        if (
            state["ready"] >= 2
            and not state["seeking"]
            and time_s - within_s <= state["time_s"] <= time_s + 1.5
        ):
            return state
        assert time.monotonic() < deadline, f"{state} instead of {time_s}"
        page.wait_for_timeout(30)


def number_shown(page: Page) -> tuple[int, float]:
    """The number burnt into the picture, and the player's time."""
    video = page.locator("video")
    # A video stopped while it plays may show a neighbouring frame: seeking to the middle of the one
    # where it stands settles that.
    video.evaluate(TO_THE_MIDDLE)
    state = video.evaluate(STATE)
    pixels = np.array(video.evaluate(PICTURE), np.uint8).reshape(-1, state["width"], 4)
    return read_number(pixels[..., :3]), state["time_s"]


def drawn(page: Page) -> None:
    """Waits until Streamlit has drawn the page: what is pressed before may be lost."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def test_ask_click_and_click_again(page):
    page.goto("/")
    ask(page, "green")
    card(page, "traffic light").click()
    at(page, 4.0)
    assert re.search(r"v=\d+&t=4&e=10", page.url)
    video = page.locator("video")
    video.evaluate("v => { v.pause(); v.currentTime = 9 }")
    page.locator("[aria-current=true] a.open").click()
    at(page, 4.0)  # the same moment again starts it again
    assert not video.evaluate("v => v.paused")


def test_a_click_as_soon_as_a_card_is_there_plays(page):
    """Ten times in a row, each in a new question's answer, while Streamlit is still at work on the
    page.
    """
    page.goto("/?q=red")
    page.locator("a.open").first.wait_for()
    for number in range(10):
        before, *_ = first_card(page)
        box = page.get_by_role("textbox").first
        box.fill(f"{('green', 'blue')[number % 2]} {number}")
        box.press("Enter")
        link, x, y = first_card(page, before)
        page.mouse.click(x, y)
        page.wait_for_url(f"**{link}")
        at(page, float(re.findall(r"[?&]t=([\d.]+)", link)[0]))
        page.go_back()
        page.locator("video").wait_for(state="detached")
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
    page.locator("video").wait_for()
    page.go_back()
    expect(page.locator("video")).to_have_count(0)
    expect(page.get_by_role("textbox").first).to_have_value("green")
    page.go_back()
    expect(page.get_by_role("textbox").first).to_have_value("red")
    page.go_forward()
    page.go_forward()
    at(page, 4.0)


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
    page.keyboard.press("o")
    expect(page.get_by_role("button", name="Loop")).to_have_attribute("aria-pressed", "true")
    at(page, 4.0)
    box = page.get_by_role("textbox").first
    box.fill("")
    box.press_sequentially("jump mk")
    assert video.evaluate("v => v.muted"), "what is written into a box is no command"


def test_span_stops_and_loops(page):
    page.goto("/?q=green")
    card(page, "traffic light").click()
    at(page, 4.0)
    stopped_s = page.locator("video").evaluate(
        "v => new Promise(ok => { v.onpause = () => ok(v.currentTime); v.play(); v.currentTime = 9.7 })"
    )
    assert stopped_s == pytest.approx(10, abs=0.5)
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


def test_no_match_says_so(page):
    page.goto("/?q=zebra")
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
    page.locator("canvas").first.wait_for()
    page.goto("/")
    expect(
        page.get_by_role("button", name="<img src=x onerror=alert(2)> [a](javascript:alert(3))")
    ).to_be_visible()
    expect(page.locator("img[src=x]")).to_have_count(0)


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


def test_menu_of_a_telephone_closes_behind_the_choice(page):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/")
    page.get_by_role("button", name="Expand sidebar").click()
    page.get_by_role("link", name="Library").click()
    page.wait_for_url("**/library")
    expect(page.get_by_role("button", name="Expand sidebar")).to_be_visible()
    page.get_by_text("Add videos").click()
    expect(page.get_by_placeholder("/media/videos")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_nothing_is_left_in_english(browser, url, home):
    """Every page in a Chinese browser; names of things stay as they are."""
    context = browser.new_context(
        base_url=url, viewport={"width": 1280, "height": 900}, locale="zh-CN"
    )
    context.set_default_timeout(SLOW)
    page = context.new_page()
    names = re.compile(
        r"^/.*\.mp4$|traffic light|numbers|colours|purple|green|yellow|blue|<img.*?> \*bold\*|/media/videos|LEGO|CSV|EDL|M3U|Enter|"
        r"Esc|Shift|Seekpoint|\S+/\S+|SQLite|[a-z]+-[0-9a-f]{8,}|SEEKPOINT_\w+(=\S+)?|`[^`]*`|pip install \S+|recall@10|CPU|cpu|MB|GB|"
        r"Charades-STA|IoU|siglip2|clip|lite|demo|whisper\S*|CTranslate2|rapidocr|GroundingGPT-7B|ffmpeg|HNSW"
    )

    with Library(demo_settings(home)).catalog.read() as session:
        asked = {
            kept.title for kept in list_searches(session, None, saved=False)
        }  # by other tests: as they were typed

    def in_english() -> list[str]:
        return [
            text
            for text in page.evaluate(WORDS)
            if text not in asked and re.search("[A-Za-z]{3}", names.sub("", text))
        ]

    def shows(text: str) -> None:
        expect(page.get_by_text(text).first).to_be_visible()
        deadline = (
            time.monotonic() + SLOW / SECONDS
        )  # Streamlit's own words are changed once they are there
        while left := in_english():
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
    page.locator("video").wait_for()
    shows("快捷键")
    page.goto("/library")
    page.locator("canvas").first.wait_for()
    page.get_by_test_id("stDataFrame").click(position={"x": 18, "y": 52})
    page.get_by_role("button", name="移除", exact=True).click()
    shows("确认移除")
    page.get_by_test_id("stDialog").get_by_test_id("stBaseButton-secondary").click()
    page.get_by_text("添加视频").click()
    page.get_by_placeholder("/media/videos").fill("/nowhere")
    shows("按 Enter 键提交")
    page.get_by_role("button", name="添加文件夹").click()
    shows("服务器上没有该文件夹")
    page.goto("/system")
    shows("剩余")
    context.close()


def test_filters(page):
    page.goto("/?q=green&name=numbers")
    expect(page.locator("a.open").first).to_be_visible()
    assert {text.split("\n")[0] for text in page.locator(".title").all_inner_texts()} == {"numbers"}
    page.get_by_role("button", name="Filters (1)").click()
    page.get_by_role("button", name="Clear filters").click()
    page.wait_for_url(lambda url: "name=" not in url)
    expect(card(page, "traffic light")).to_be_visible()


def test_more_like_this_and_chosen_export(page):
    page.goto("/?q=green")
    card(page, "traffic light").wait_for()
    page.get_by_role("checkbox", name="Choose").first.check()
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_text("1 chosen moments")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table (CSV)").click()
    assert len(Path(download.value.path()).read_text("utf-8-sig").splitlines()) == 2
    page.keyboard.press("Escape")
    page.get_by_role("button", name="More like this").first.click()
    page.wait_for_url("**like=*")
    expect(page.get_by_role("heading", name="Moments like this one")).to_be_visible()


# As it is: constant to mirrored. By a proxy: the others.
GOLDEN = [
    "constant",
    "variable",
    "ntsc",
    "edit_list",
    "rotated_90",
    "mirrored",
    "vp9",
    "av1",
    "ten_bit",
    "mpeg4_avi",
    "start_offset",
]
SHOW = """async ([src, times]) => { const v = document.createElement('video'); v.muted = true; v.preload = 'auto'; v.src = src;
  await new Promise((ok, no) => { v.onloadeddata = ok; v.onerror = () => no(new Error(v.error.message)) });
  const c = document.createElement('canvas'); c.width = 96; c.height = Math.round(96 * v.videoHeight / v.videoWidth);
  const pen = c.getContext('2d'); const out = [];
  for (const t of times) { await new Promise(ok => { v.onseeked = ok; v.currentTime = t });
    await new Promise(ok => setTimeout(ok, 30)); pen.drawImage(v, 0, 0, c.width, c.height);
    out.push(Array.from(pen.getImageData(0, 0, c.width, c.height).data)) }
  return out }"""


def test_a_browser_shows_what_the_library_means(browser, tmp_path):
    """Every kind of file: the picture that Chromium shows at a time is the picture that the index
    calls by that time.
    """
    goldens = {}
    for name in GOLDEN:
        (tmp_path / "v" / name).mkdir(parents=True)
        made = SOUND[name](tmp_path / "v" / name)
        goldens[made.path] = made
    library = demo_library(tmp_path / "home")
    library.ingest(list(goldens), "golden")
    videos = {Path(video.paths[0].path): video.video_id for video in library.videos()}
    for video_id in videos.values():
        if library.playback(video_id).state == "wait":
            library.make_proxy(video_id, lambda share: None)
    with serving(tmp_path / "home") as url:
        page = browser.new_page(base_url=url)
        page.goto("/sign-in")  # any page of ours
        wrong = []
        for path, golden in goldens.items():
            middles = ((golden.times_s[:-1] + golden.times_s[1:]) / 2)[[0, 3, 11, 17, -1]].tolist()
            pictures = page.evaluate(SHOW, [f"/stream/{videos[path]}", middles])
            shown = [
                read_number(np.array(it, np.uint8).reshape(-1, 96, 4)[..., :3]) for it in pictures
            ]
            wanted = [golden.number_at(time_s) for time_s in middles]
            if shown != wanted:
                wrong.append(f"{path.name}: {shown} instead of {wanted}")
        page.close()
    assert wrong == []


def test_search_by_picture(page, tmp_path):
    Image.new("RGB", (64, 48), COLOURS["yellow"]).save(tmp_path / "yellow.png")
    page.goto("/")
    page.get_by_role("button", name="By picture").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "yellow.png")
    page.wait_for_url("**picture=*")
    expect(page.get_by_role("heading", name="Moments like your picture")).to_be_visible()
    expect(page.locator(".title").first).to_contain_text("*bold*")


def test_first_visit_upload_two_moments_remove(browser, tmp_path):
    """An empty library: a file is uploaded, asked, two moments in one second are told apart, and it
    is removed again.
    """
    video = colour_video(tmp_path / "twice.mp4", TWICE, (180, 320))
    with serving(tmp_path / "home") as url:
        page = browser.new_page(base_url=url, locale="en-US")
        page.set_default_timeout(SLOW)
        dialogs: list[str] = []
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        page.goto("/")
        expect(page.get_by_text("Your library is empty")).to_be_visible()
        page.get_by_role("link", name="Add videos").click()
        page.get_by_test_id("stSelectbox").get_by_role("combobox").first.fill(
            "mine <img src=x onerror=alert(1)> **b**"
        )
        page.keyboard.press("Enter")
        page.get_by_role("tab", name="Upload").click()
        page.locator("input[type=file]").first.set_input_files(video)
        expect(page.get_by_text("received")).to_be_visible()
        expect(page.get_by_text("1 videos, 0:12")).to_be_visible()
        page.goto("/?v=1&t=3.2&e=3.5")
        first = at(page, 3.2)
        page.goto("/?v=1&t=3.7&e=8.7")
        assert at(page, 3.7)["time_s"] > first["time_s"]
        page.goto("/library")
        grid = page.get_by_test_id("stDataFrame")
        grid.wait_for()
        grid.click(position={"x": 18, "y": 52})
        page.get_by_role("button", name="Remove", exact=True).click()
        page.get_by_role("button", name="Yes, remove").click()
        expect(page.get_by_text("0 videos, 0:00")).to_be_visible()
        expect(page.get_by_text("mine <img src=x onerror=alert(1)> **b**").first).to_be_attached()
        assert dialogs == []
        page.close()


def test_a_failed_video_is_tried_again(browser, tmp_path):
    colour_video(tmp_path / "videos" / "meadow.mp4", [("green", 3)], (180, 320))
    Library(demo_settings(tmp_path / "home", chunk_timeout_s=0.001)).ingest(
        [tmp_path / "videos"], "mine"
    )
    with serving(tmp_path / "home") as url:
        page = browser.new_page(base_url=url, locale="en-US")
        page.set_default_timeout(SLOW)
        page.goto("/library")
        grid = page.get_by_test_id("stDataFrame")
        grid.wait_for()
        expect(cell(page, "failed")).to_be_attached()
        grid.click(position={"x": 18, "y": 52})
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_text("Trying meadow again · done")).to_be_visible()
        expect(cell(page, "ready")).to_be_attached()
        page.goto("/?q=green")
        card(page, "meadow").click()
        at(page, 0.0)
        page.close()


def cell(page: Page, text: str):
    """Of the table, which is drawn on a canvas and told to screen readers inside it."""
    return page.get_by_test_id("stDataFrame").locator("[role=gridcell]", has_text=text).first


def test_demo_library_where_and_proxy(browser, tmp_path):
    """One click fills an empty library; LEGO is asked where something is; what browsers cannot play
    is converted while one waits.
    """
    settings = {"lego_path": str(LEGO), "lego_dtype": "float32"}
    with serving(tmp_path / "home", **settings) as url:
        page = browser.new_page(base_url=url, locale="en-US")
        page.set_default_timeout(3 * SLOW)
        page.goto("/")
        page.get_by_role("button", name="Add the demo library").click()
        expect(page.get_by_text("Making the demo library")).to_be_visible()
        expect(page.get_by_role("heading", name="Newest videos")).to_be_visible(timeout=6 * SLOW)
        card(page, "at-home").click()
        at(page, 0.0)
        page.keyboard.press("k")
        page.get_by_placeholder("Pause, then say what to find in the picture").fill("the cup")
        page.get_by_role("button", name="Where?").click()
        expect(page.locator(".status")).to_contain_text("the cup: ")
        found = int(re.findall(r"the cup: (\d+)", page.locator(".status").inner_text())[0])
        expect(page.locator(".boxes rect")).to_have_count(found)
        page.goto("/?q=When is there a close-up of a cat?")
        page.get_by_role("button", name="Filters").click()
        page.get_by_text("Check with LEGO").click()
        page.wait_for_url("**ground=1*")
        expect(page.locator(".why b", has_text="LEGO").first).to_be_visible()
        page.get_by_text("Check with LEGO").click()
        page.wait_for_url(lambda url: "ground" not in url)
        expect(page.locator(".why b", has_text="LEGO")).to_have_count(0)
        ffmpeg(
            "-i",
            colour_video(tmp_path / "a.mp4", [("red", 3)], (180, 320)),
            "-c:v",
            "mpeg4",
            tmp_path / "old.avi",
        )
        page.goto("/library")
        page.get_by_text("Add videos").click()
        page.get_by_text("Choose videos in the list").wait_for()
        drawn(page)
        page.get_by_placeholder("/media/videos").fill(str(tmp_path / "old.avi"))
        page.get_by_role("button", name="Add folder").click()
        expect(page.get_by_text("6 videos")).to_be_visible()
        page.goto("/?v=6&t=1&e=2")
        at(page, 1.0)
        page.close()


def test_transcript_runs_with_the_video(page, home):
    library = demo_library(home)
    video_id = next(
        video.video_id
        for video in library.videos()
        if video.paths[0].path.endswith("traffic light.mp4")
    )
    said = [
        NewPassage("speech", Span(1, 3), "stop <b>now</b>"),
        NewPassage("speech", Span(4, 9), "you may go"),
    ]
    with library.catalog.begin() as session:
        plan_tasks(session, video_id, [Span(0, 15)], {"speech": "test"})
        work = claim_task(session, "me", 60, ("speech",), video_id=video_id)
        assert work is not None
        assert commit_passages(session, work.task_id, "me", said, 0.1)
    with library.catalog.begin() as session:
        finalize_video(session, video_id)
    page.goto(f"/?v={video_id}&t=5&e=6")
    at(page, 5.0)
    expect(page.locator(".transcript [aria-current=true]")).to_contain_text("you may go")
    page.get_by_role("button", name="stop <b>now</b>").click()
    at(page, 1.0)
    page.goto("/?q=go")
    expect(page.locator(".why mark").first).to_have_text("go")


def test_sign_in_refused_and_accepted(browser, home):
    with serving(home, "--sign-in") as url:
        context = browser.new_context(base_url=url, locale="en-US")
        context.set_default_timeout(SLOW)
        page = context.new_page()
        page.goto("/?q=green")
        expect(page).to_have_url(re.compile("/sign-in"))
        enter(page, "vera", "wrong")
        expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
        enter(page, "vera", PASSWORD)
        expect(page).to_have_url(re.compile(r"/\?q=green"))
        card(page, "traffic light").click()
        at(page, 4.0)
        page.goto("/library")
        expect(page.get_by_text("3 videos")).to_be_visible()
        expect(page.get_by_text("Add videos")).to_have_count(0)
        page.goto("/system")
        page.get_by_role("link", name="Sign out").click()
        page.get_by_role("button", name="Sign out").click()
        page.goto("/")
        expect(page).to_have_url(re.compile("/sign-in"))
        context.close()


def sign_in(page: Page, name: str) -> None:
    page.goto("/sign-in")
    enter(page, name, PASSWORD)
    page.wait_for_url(lambda address: "sign-in" not in address)


def enter(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_an_editor_who_is_none_any_more(browser, tmp_path):
    """Between the question whether to remove and the answer."""
    colour_video(tmp_path / "videos" / "meadow.mp4", [("green", 3)], (180, 320))
    library = demo_library(tmp_path / "home")
    library.ingest([tmp_path / "videos"], "mine")
    add_user(library.catalog, "eve", PASSWORD, "editor")
    with serving(tmp_path / "home", "--sign-in") as url:
        page = browser.new_page(base_url=url, locale="en-US")
        page.set_default_timeout(SLOW)
        sign_in(page, "eve")
        page.goto("/library")
        expect(page.get_by_text("Add videos")).to_be_visible()
        page.get_by_test_id("stDataFrame").click(position={"x": 18, "y": 52})
        page.get_by_role("button", name="Remove", exact=True).click()
        expect(page.get_by_role("button", name="Yes, remove")).to_be_visible()
        add_user(library.catalog, "eve", PASSWORD, "viewer")
        page.get_by_role("button", name="Yes, remove").click()
        expect(page.get_by_role("link", name="Sign in")).to_be_visible()
        sign_in(page, "eve")
        page.goto("/library")
        expect(page.get_by_text("1 videos, 0:03")).to_be_visible()
        expect(page.get_by_text("Add videos")).to_have_count(0)
        assert [video.state for video in library.videos()] == ["ready"]
        page.close()


def test_sound_alone_plays_at_its_moment(browser, tmp_path):
    (tmp_path / "talks").mkdir()
    ffmpeg("-f", "lavfi", "-i", "sine=frequency=300:duration=8", tmp_path / "talks" / "hum.mp3")
    (tmp_path / "talks" / "hum.srt").write_text(
        "1\n00:00:05,000 --> 00:00:07,000\nThe kettle is humming.\n"
    )
    library = demo_library(tmp_path / "home", speech=True)
    library.ingest([tmp_path / "talks" / "hum.mp3"], "talks")
    with serving(tmp_path / "home") as url:
        page = browser.new_page(base_url=url, locale="en-US")
        page.set_default_timeout(SLOW)
        page.goto("/?q=kettle+humming")
        card(page, "hum").click()
        at(page, 5.0)
        page.close()


def test_nothing_moves_while_a_narrow_page_is_drawn(browser, url):
    context = browser.new_context(base_url=url, viewport={"width": 360, "height": 740})
    context.add_init_script(
        "window.moved = []; new PerformanceObserver((list) => window.moved.push(...list.getEntries().map((entry) => entry.value)))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page = context.new_page()
    for text in (
        "a red picture with nothing else in it",
        "something that is blue and then is not any more",
    ):
        page.goto(f"/?q={text}")
        expect(page.get_by_role("link").filter(has_text="0:0").first).to_be_visible()
    page.goto("/")
    expect(
        page.get_by_role("button", name="a red picture with")
    ).to_be_visible()  # what was asked lately
    drawn(page)
    assert sum(page.evaluate("window.moved")) < 0.05  # up to .1 is called good
    context.close()
