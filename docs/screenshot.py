"""Takes the picture of the search page that the README shows, from the demo library.

python -m docs.screenshot          # needs Chromium; writes docs/images/search-page.png
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from tests.search_ui.browser import chromium, serving

QUESTION = "When does an orange flower bloom?"
SIZE = {"width": 1280, "height": 820}
MAX_BYTES = 300_000
READY = "video => video.readyState >= 2 && !video.seeking"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--home", type=Path, help="a home that holds the demo library already")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path(__file__).parent / "images" / "search-page.png",
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = arguments.home or demo_library(Path(folder) / "home")
        picture = _picture(home)
    arguments.output.parent.mkdir(exist_ok=True)
    size_bytes = _write(picture, arguments.output)
    print(f"{arguments.output}: {size_bytes / 1000:.0f} kB")


def demo_library(home: Path) -> Path:
    """Ingests the demo's videos into a new home, and returns it."""
    environment = {**os.environ, "SEEKPOINT_HOME": str(home)}
    subprocess.run([sys.executable, "-m", "indexer", "demo"], env=environment, check=True)
    return home


def _picture(home: Path) -> Image.Image:
    """The first answer to the question in the player, beside the other answers."""
    settings = {"embedder": "lite", "speech": "1", "screen_text": "1"}
    with serving(home, **settings) as url, chromium() as browser:
        page = browser.new_page(viewport=SIZE, color_scheme="light", locale="en-US")
        page.goto(f"{url}/?q={quote(QUESTION)}")
        page.locator("a.open").first.click(timeout=60_000)
        video = page.locator("video")
        video.wait_for()
        while not video.evaluate(READY):
            page.wait_for_timeout(100)
        video.evaluate("video => video.pause()")
        # Where the library happens to lie is nobody's business.
        page.locator(".about .path").evaluate("path => path.remove()")
        page.wait_for_timeout(1000)  # the page settles: curve, thumbnails
        return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def _write(picture: Image.Image, path: Path) -> int:
    """Writes a PNG with as many colours as its size allows; returns the size in bytes."""
    for colours in (256, 192, 128, 96, 64):
        palette = picture.quantize(colours, kmeans=3)
        picture.quantize(palette=palette).save(path, optimize=True)  # with dithering
        if path.stat().st_size <= MAX_BYTES:
            break
    return path.stat().st_size


if __name__ == "__main__":
    main()
