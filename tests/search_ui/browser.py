"""A real server and a real Chromium, and what people do with them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    expect,
    sync_playwright,
)

from tests.indexer.media.golden import read_number
from tests.support import free_port

PASSWORD = "correct horse"
SLOW_MS = 60_000  # the machine that tests may have other things to do
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
]
# The player lives in a shadow root, which a selector of playwright looks into and
# document.querySelector does not.
STATE = """video => ({
  time_s: video.currentTime, duration_s: video.duration, paused: video.paused,
  ready: video.readyState, seeking: video.seeking, width: video.videoWidth })"""
# Cards have videos too, which play under the pointer.
PLAYER = ".screen video"
# A seek that is still on its way would be taken for the one that is waited for.
TO_THE_MIDDLE = """async video => {
  const drawn = () => new Promise(requestAnimationFrame);
  const late = performance.now() + SLOW_MS;
  const until = async (isSo, what) => {
    while (!isSo()) {
      if (performance.now() > late) throw new Error(`${what} at ${video.currentTime} s`);
      await drawn();
    }
  };
  video.pause();
  await until(() => !video.seeking && video.readyState >= 2, 'no picture');
  let there = false;
  video.onseeked = () => (there = true);
  video.currentTime = (Math.floor(video.currentTime * 25 + 1e-6) + 0.5) / 25;
  await until(() => there, 'the seek did not end');
  await drawn();
  await drawn();
}""".replace("SLOW_MS", str(SLOW_MS))
PICTURE = """video => {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const pen = canvas.getContext('2d');
  pen.drawImage(video, 0, 0);
  return Array.from(pen.getImageData(0, 0, canvas.width, canvas.height).data);
}"""
# The first card whose link is not the given one, as soon as it is laid out: its link and where it
# can be pressed.
FIRST_CARD = """other => {
  const find = root => {
    for (const element of root.querySelectorAll('*')) {
      if (element.matches('a.open')) return element;
      const inner = element.shadowRoot && find(element.shadowRoot);
      if (inner) return inner;
    }
  };
  const card = find(document), box = card?.getBoundingClientRect();
  if (!box?.width || card.getAttribute('href') === other) return null;
  return [card.getAttribute('href'), box.x + box.width / 2, box.y + box.height / 3];
}"""
PENDING = """() => {
  const look = root => [...root.querySelectorAll('*')].some(e =>
    e.shadowRoot ? look(e.shadowRoot) : e.tagName === 'IMG' && e.loading !== 'lazy' && !e.complete);
  return !look(document);
}"""
# All words on the page, also those that are only read out; names of videos are not words of ours.
WORDS = """() => {
  const found = new Set();
  const look = root => {
    for (const element of root.querySelectorAll('*')) {
      const skipped = 'script, style, noscript, title, [data-testid*=Icon], .title, .meta, .names';
      if (element.matches(skipped)) continue;
      if (element.shadowRoot) look(element.shadowRoot);
      for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
        if (element.getAttribute(name)) found.add(element.getAttribute(name));
      for (const part of element.childNodes)
        if (part.nodeType === 3 && part.nodeValue.trim()) found.add(part.nodeValue.trim());
    }
  };
  look(document);
  return [...found];
}"""


@contextmanager
def serving(
    home: Path, *args: str, port: int = 0, before: Sequence[str] = (), **settings: str
) -> Iterator[str]:
    """`seekpoint ui` on a free port; its address. `before`: a program that starts it."""
    port = port or free_port()
    own = {f"SEEKPOINT_{name.upper()}": value for name, value in settings.items()}
    env = {
        **os.environ,
        "SEEKPOINT_HOME": str(home),
        "SEEKPOINT_EMBEDDER": "demo",
        "SEEKPOINT_SPEECH": "0",
        "SEEKPOINT_SCREEN_TEXT": "0",
        "SEEKPOINT_SOUND": "0",
        "OMP_NUM_THREADS": "1",
        **own,
    }
    with (home.parent / f"server-{port}.log").open("wb") as log:
        ui = [sys.executable, "-m", "indexer", "ui", "--port", str(port), *args]
        server = subprocess.Popen([*before, *ui], env=env, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    (home.parent / "server.pid").write_text(str(server.pid))
    try:
        _await(url, server, Path(log.name))
        yield url
    finally:
        server.terminate()
        server.wait(20)


def _await(url: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=5).close()
        except OSError:  # not yet there, or too busy to answer
            time.sleep(0.2)
        else:
            return
    raise AssertionError(log.read_text())


@contextmanager
def chromium() -> Iterator[Browser]:
    """Skips where there is no Chromium. Its shell without windows takes half of the computing."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def window(browser: Browser, url: str, **options) -> Iterator[Page]:
    """A window that knows nothing yet, 1280 x 900 in English unless told otherwise. Fails as
    `opened` does.
    """
    with fresh_context(browser, url, **options) as context, opened(context, url) as page:
        yield page


@contextmanager
def fresh_context(browser: Browser, url: str, **options) -> Iterator[BrowserContext]:
    """What windows share: cookies, what is stored, and the scripts that were loaded already."""
    options = {"viewport": {"width": 1280, "height": 900}, "locale": "en-US", **options}
    context = browser.new_context(base_url=url, **options)
    context.set_default_timeout(SLOW_MS)
    try:
        yield context
    finally:
        context.close()


@contextmanager
def opened(context: BrowserContext, url: str) -> Iterator[Page]:
    """A window; what it stored is gone afterwards.

    An error in the browser's console, an error in a script, a dialog, or a request to another place
    fails the test.
    """
    page = context.new_page()
    problems: list[str] = []

    def check(request) -> None:
        if not request.url.startswith((url, "data:", "blob:")):
            problems.append(request.url)

    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
    page.on("request", check)
    try:
        yield page
    finally:
        if page.url.startswith(url):
            page.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")
        for one in context.pages:  # one that stays open would keep the focus
            one.close()
        context.clear_cookies()
        context.clear_permissions()
    assert not problems


def ask(page: Page, question: str) -> None:
    box = page.get_by_role("textbox").first
    box.fill(question)
    box.press("Enter")
    page.wait_for_url(f"**q={question.split()[0]}*")


def card(page: Page, title: str) -> Locator:
    """Of the answer to the question in the address, if there is one: those that stood there before
    may still be seen.
    """
    question = re.search(r"[?&](q=\w*)", page.url)
    links = f"a.open[href*='{question[1]}']" if question else "a.open"
    found = page.locator(links, has_text=title).first
    found.wait_for()
    return found


def first_card(page: Page, other: str = "") -> tuple[str, float, float]:
    """The link of the first card, and where it can be pressed: as soon as there is one whose link
    is not `other`.
    """
    return page.wait_for_function(FIRST_CARD, arg=other, timeout=SLOW_MS).json_value()


def at(page: Page, time_s: float, within_s: float = 0.1) -> None:
    """Waits until the player has a picture of that time.

    It may be playing, and a busy machine may look late: then it is further on, at most at the end
    of the moment in the address, or of the video. So what is waited for stays true.
    """
    deadline = time.monotonic() + SLOW_MS / 1000
    while True:
        state = page.locator(PLAYER).evaluate(STATE)
        last_s = _stops_at(page.url, time_s, state["duration_s"] or 0.0)
        shown = state["ready"] >= 2 and not state["seeking"]
        if shown and time_s - within_s <= state["time_s"] <= last_s:
            return
        assert time.monotonic() < deadline, f"{state} instead of {time_s}"
        page.wait_for_timeout(30)


def _stops_at(url: str, time_s: float, duration_s: float) -> float:
    """Where playing from a time stops by itself; a busy machine stops a little later."""
    end = re.search(r"[?&]e=([\d.]+)", url)
    return float(end[1]) + 1.5 if end and time_s < float(end[1]) else max(duration_s, time_s + 1.5)


def number_shown(page: Page) -> tuple[int, float]:
    """The number burnt into the picture, and the player's time."""
    video = page.locator(PLAYER)
    # A video stopped while it plays may show a neighbouring frame: seeking to the middle of the one
    # where it stands settles that.
    video.evaluate(TO_THE_MIDDLE)
    state = video.evaluate(STATE)
    pixels = np.array(video.evaluate(PICTURE), np.uint8).reshape(-1, state["width"], 4)
    return read_number(pixels[..., :3]), state["time_s"]


def drawn(page: Page) -> None:
    """Waits until Streamlit has drawn the page: what is pressed before may be lost."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def pictures_are_there(page: Page) -> None:
    """Waits for all that are in view."""
    page.wait_for_function(PENDING)


def sign_in(page: Page, name: str) -> None:
    page.goto("/sign-in")
    enter(page, name, PASSWORD)
    page.wait_for_url(lambda address: "sign-in" not in address)


def enter(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


expect.set_options(timeout=SLOW_MS)
