"""A tour of every page: axe-core finds nothing serious in both languages and both themes, the title
says what is shown, no request fails, and nothing is left in English.
"""

import re
import time
from collections.abc import Callable
from importlib.resources import files
from typing import Literal

from playwright.sync_api import Page, expect

from indexer.catalog.people.saved_searches import list_searches
from tests.search_ui.browser import SLOW_MS, WORDS, drawn, pictures_are_there
from tests.support import demo_library

AXE = files("axe_playwright_python") / "axe.min.js"
SERIOUS = ("serious", "critical")
# What is there when a page is, and its title.
PAGES = {
    "/": ("a.open", "^Seekpoint$"),
    "/?q=green": ("a.open", "^green · Seekpoint$"),
    "/search?q=zebra": ("a.open", "^zebra · Seekpoint$"),
    "/?q=green&v=1&t=1&e=2": ("video", "^.+ · green · Seekpoint$"),
    "/library": (".shelf a.open", "^Library · Seekpoint$"),
    "/moments": ("h2", "^Moments · Seekpoint$"),
    "/system": (".checks", "^System · Seekpoint$"),
}
# The other theme changes nothing but colours.
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
Theme = Literal["light", "dark"]
ABORTED = "net::ERR_ABORTED"


def test_nothing_serious_and_no_request_fails(page):
    failed = []
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    # Going on to the next page breaks off what is fetched for later.
    page.on("requestfailed", lambda one: one.failure == ABORTED or failed.append(one.url))
    found = {}
    for path, (shown, title) in PAGES.items():
        found |= look_at(page, path, shown)
        expect(page).to_have_title(re.compile(title))
        pictures_are_there(page)
    assert failed == []
    assert found == {}


def test_nothing_serious_and_nothing_english_in_chinese(chinese_page, home):
    """Names of things stay as they are."""
    page = chinese_page
    with demo_library(home).catalog.read() as session:
        recent = {search.title for search in list_searches(session, None, saved=False)}

    def shows(text: str) -> None:
        expect(page.get_by_text(text).first).to_be_visible()
        # Streamlit's own words are changed once they are there.
        deadline = time.monotonic() + SLOW_MS / 1000
        while left := in_english(page, recent):
            assert time.monotonic() < deadline, left
            page.wait_for_timeout(50)

    found = {}
    for path, (shown, _) in PAGES.items():
        found |= look_at(page, path, shown)
        if path in IN_CHINESE:
            IN_CHINESE[path](page, shows)
    page.goto("/?q=猫在哪里")
    shows("已安装的文本模型都不认识")
    assert found == {}


Shows = Callable[[str], None]


def first_page(page: Page, shows: Shows) -> None:
    shows("最新视频")
    page.get_by_role("button", name="筛选").click()
    page.get_by_role("button", name="选择日期").first.click()
    shows("一月" if time.localtime().tm_mon == 1 else "年")


def keys(page: Page, shows: Shows) -> None:
    page.keyboard.press("?")
    shows("快捷键")


def removing_and_adding(page: Page, shows: Shows) -> None:
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


def check_up(page: Page, shows: Shows) -> None:
    expect(page.get_by_text("剩余").first).to_be_visible()
    shows("页面后台的工作")


# What is looked at of a page beside what is there at once.
IN_CHINESE: dict[str, Callable[[Page, Shows], None]] = {
    "/": first_page,
    "/?q=green": lambda page, shows: shows("结果"),
    "/?q=green&v=1&t=1&e=2": keys,
    "/library": removing_and_adding,
    "/system": check_up,
}
# Of things, programs, settings and units: they are the same in every language.
NAMES = re.compile(
    r"^/.*\.mp4$|^/\S*$|traffic light|numbers|colours|purple|green|yellow|blue|<img.*?> \*bold\*"
    r"|/media/videos|\S+/\S+|[a-z]+-[0-9a-f]{8,}|SEEKPOINT_\w+(=\S+)?|`[^`]*`|pip install \S+"
    r"|LEGO|CSV|EDL|M3U|Enter|Esc|Shift|Seekpoint|SQLite|recall@10|CPU|cpu|MB|GB|Charades-\w+|IoU"
    r"|YAMNet|espeak-ng|seekpoint|siglip2|clip|lite|demo|whisper\S*|CTranslate2|rapidocr|R@1"
    r"|GroundingGPT-7B|qwen3-vl-embedding|sentence-transformers|TimeLens(-8B)?|Qwen3-VL|ffmpeg|HNSW"
)


def in_english(page: Page, recent: set[str]) -> list[str]:
    """Words on the page that look English; what was asked lately is shown as it was typed."""
    return [
        text
        for text in page.evaluate(WORDS)
        if text not in recent and re.search("[A-Za-z]{3}", NAMES.sub("", text))
    ]


def look_at(page: Page, path: str, shown: str) -> dict[tuple[str, str], list[str]]:
    """What is serious on a page, by its address and colours."""
    page.goto(path)
    page.locator(shown).first.wait_for(timeout=3 * SLOW_MS)  # a check-up loads models first
    drawn(page)
    page.evaluate(AXE.read_text())
    found = {}
    themes: tuple[tuple[Theme, dict], ...] = (("light", {}), ("dark", CONTRAST))
    for colours, rules in themes:
        page.emulate_media(color_scheme=colours)
        page.evaluate(REPAINTED)
        if problems := violations(page, rules):
            found[path, colours] = problems
    return found


# Colours that change slowly have changed.
# Bars and pulses that go on for ever, and what stands still, are not waited for; what is not drawn
# has neither a next frame nor an end.
REPAINTED = """async () => {
  const within = (ms, done) => Promise.race([done, new Promise(ok => setTimeout(ok, ms))]);
  for (let frame = 0; frame < 2; frame++) await within(1000, new Promise(requestAnimationFrame));
  const moving = document.getAnimations().filter(one =>
    one.playState === 'running' && isFinite(one.effect.getComputedTiming().endTime));
  await within(5000, Promise.all(moving.map(one => one.finished.catch(() => 0))));
}"""


def violations(page: Page, rules: dict) -> list[str]:
    """What is serious, each with the first elements that have it."""
    options = {**rules, "resultTypes": ["violations"]}
    answer = page.evaluate("options => axe.run(options)", options)
    return [
        f"{one['id']}: {one['help']}: "
        + " | ".join(f"{node['target']} {node['html'][:160]}" for node in one["nodes"][:4])
        for one in answer["violations"]
        if one["impact"] in SERIOUS
    ]
