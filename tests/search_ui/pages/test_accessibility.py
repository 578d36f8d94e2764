"""A tour of every page: axe-core finds nothing serious in both languages and both themes, the title
says what is shown, and no request fails.
"""

import re
from importlib.resources import files
from typing import Literal

from playwright.sync_api import Page, expect

from tests.search_ui.browser import SLOW_MS, drawn, pictures_are_there

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


def test_nothing_serious_in_chinese(chinese_page):
    found = {}
    for path, (shown, _) in PAGES.items():
        found |= look_at(chinese_page, path, shown)
    assert found == {}


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
