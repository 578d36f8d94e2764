"""A real server and a real Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import free_port

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
STATE = """video => ({ time_s: video.currentTime, paused: video.paused, ready: video.readyState, seeking: video.seeking,
  width: video.videoWidth })"""
# A seek that is still on its way would be taken for the one that is waited for.
TO_THE_MIDDLE = """async video => { const drawn = () => new Promise(requestAnimationFrame);
  video.pause(); while (video.seeking || video.readyState < 2) await drawn();
  await new Promise(ok => { video.onseeked = ok; video.currentTime = (Math.floor(video.currentTime * 25 + 1e-6) + 0.5) / 25 });
  await drawn(); await drawn() }"""
PICTURE = """video => { const c = document.createElement('canvas'); c.width = video.videoWidth; c.height = video.videoHeight;
  const pen = c.getContext('2d'); pen.drawImage(video, 0, 0); return Array.from(pen.getImageData(0, 0, c.width, c.height).data) }"""

# The first card whose link is not the given one, as soon as it is laid out: its link and where it
# can be pressed.
FIRST_CARD = """other => new Promise(done => { const find = root => { for (const e of root.querySelectorAll('*')) {
    if (e.matches('a.open')) return e; const inner = e.shadowRoot && find(e.shadowRoot); if (inner) return inner } };
  const look = () => { const card = find(document), box = card?.getBoundingClientRect();
    if (!box?.width || card.getAttribute('href') === other) requestAnimationFrame(look);
    else done([card.getAttribute('href'), box.x + box.width / 2, box.y + box.height / 3]) };
  look() })"""

# All words on the page, also those that are only read out, with the kind of element that says them;
# pictures' names are no words.
WORDS = """() => { const found = new Set(); const look = root => { for (const e of root.querySelectorAll('*')) {
    if (e.matches('script, style, noscript, title, [data-testid*=Icon], .title, .meta')) continue;
    if (e.shadowRoot) look(e.shadowRoot);
    for (const name of ['aria-label', 'title', 'placeholder', 'alt']) if (e.getAttribute(name)) found.add(e.getAttribute(name));
    for (const part of e.childNodes) if (part.nodeType === 3 && part.nodeValue.trim()) found.add(part.nodeValue.trim()) } };
  look(document); return [...found] }"""


@contextmanager
def serving(home: Path, *args: str, port: int = 0, **settings: str) -> Iterator[str]:
    """`seekpoint ui` on a free port; its address."""
    port = port or free_port()
    own = {f"SEEKPOINT_{name.upper()}": value for name, value in settings.items()}
    env = {
        **os.environ,
        "SEEKPOINT_HOME": str(home),
        "SEEKPOINT_EMBEDDER": "demo",
        "SEEKPOINT_SPEECH": "0",
        "SEEKPOINT_SCREEN_TEXT": "0",
        "OMP_NUM_THREADS": "1",
        **own,
    }
    with (home.parent / f"server-{port}.log").open("wb") as log:
        command = [sys.executable, "-m", "indexer", "ui", "--port", str(port), *args]
        server = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
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
def chromium() -> Iterator:
    """Skips where there is no Chromium."""
    program = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if program is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        yield browser
        browser.close()
