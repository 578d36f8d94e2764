"""axe-core finds nothing serious on any page, in both languages and both themes."""

from importlib.resources import files

import pytest
from playwright.sync_api import Page

from tests.search_ui.browser import drawn, window

AXE = files("axe_playwright_python") / "axe.min.js"
SERIOUS = ("serious", "critical")
PAGES = {
    "/": "a.open",
    "/?q=green": "a.open",
    "/?q=zebra": "a.open",
    "/?q=green&v=1&t=1&e=2": "video",
    "/library": ".shelf a.open",
    "/moments": "h2",
    "/system": ".checks",
}


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_nothing_serious(browser, url, language):
    found = {}
    with window(browser, url, locale=language) as page:
        for path, shown in PAGES.items():
            page.goto(path)
            page.locator(shown).first.wait_for()
            drawn(page)
            for colours in ("light", "dark"):
                page.emulate_media(color_scheme=colours)
                page.evaluate(REPAINTED)
                if problems := violations(page):
                    found[path, colours] = problems
    assert not found


# Colours that change slowly have changed.
# Bars and pulses that go on for ever, and what stands still, are not waited for.
REPAINTED = """() => Promise.all(document.getAnimations()
  .filter(one => one.playState === 'running' && isFinite(one.effect.getComputedTiming().endTime))
  .map(one => one.finished.catch(() => 0)))"""


def violations(page: Page) -> list[str]:
    """What is serious, each with the first elements that have it."""
    page.evaluate(AXE.read_text())
    answer = page.evaluate("axe.run()")
    return [
        f"{one['id']}: {one['help']}: "
        + " | ".join(f"{node['target']} {node['html'][:160]}" for node in one["nodes"][:4])
        for one in answer["violations"]
        if one["impact"] in SERIOUS
    ]
