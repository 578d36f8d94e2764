"""Every page at three widths, in light and dark, in English and Chinese, to be looked at.

python -m docs.contact_sheets --home HOME     # needs Chromium; writes build/screens/*.png
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Browser, Page
from playwright.sync_api import TimeoutError as TooLate

from docs.screenshot import demo_library
from tests.search_ui.browser import chromium, drawn, pictures_are_there, serving

SIZES = ((360, 780), (1280, 900), (1920, 1080))
COLOURS = ("light", "dark")
LANGUAGES = {"en": "en-US", "zh": "zh-CN"}
QUESTION = "a close-up of a cat"
# Name, address, and what is there when the page is.
PAGES = (
    ("home", "/", "a.open"),
    ("answers", f"/?q={quote(QUESTION)}", "a.open"),
    ("nothing", f"/?q={quote('submarine volcano')}", "a.open"),
    ("watch", "", "video"),
    ("library", "/library", ".shelf .title"),
    ("moments", "/moments", "h2"),
    ("system", "/system", ".checks"),
    ("sign-in", "/sign-in", "input"),
    ("missing", "/nowhere", "h2"),
)
PLAIN = ("/sign-in", "/nowhere")  # not Streamlit's
SETTLED_MS = 1500
WAIT_MS = 60_000
GAP = 16
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{folder}</dir></fontconfig>"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--home", type=Path, help="a home with videos; default: the demo library")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/screens"))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        _add_chinese_fonts(Path(folder))
        home = arguments.home or demo_library(Path(folder) / "home")
        with (
            serving(home, embedder="lite", speech="1", screen_text="1") as url,
            chromium() as browser,
        ):
            for language, locale in LANGUAGES.items():
                for colours in COLOURS:
                    sheets(browser, url, locale, colours, arguments.output, language)


def sheets(
    browser: Browser, url: str, locale: str, colours: str, output: Path, language: str
) -> None:
    """One sheet for each page: its widths side by side."""
    shots: dict[str, list[Image.Image]] = {name: [] for name, *_ in PAGES}
    for width, height in SIZES:
        page = browser.new_page(
            base_url=url,
            viewport={"width": width, "height": height},
            locale=locale,
            color_scheme="dark" if colours == "dark" else "light",
            has_touch=width < 500,
            is_mobile=width < 500,
        )
        watched = ""
        for name, address, shown in PAGES:
            shots[name].append(_shot(page, address or watched, shown))
            if name == "answers":
                watched = page.locator("a.open").first.get_attribute("href") or "/"
        page.close()
    for name, images in shots.items():
        path = output / f"{name}-{language}-{colours}.png"
        joined(images).save(path)
        print(path)


def joined(images: list[Image.Image]) -> Image.Image:
    """The pictures side by side."""
    width = sum(image.width for image in images) + GAP * (len(images) - 1)
    sheet = Image.new("RGB", (width, max(image.height for image in images)), "#808080")
    left = 0
    for image in images:
        sheet.paste(image, (left, 0))
        left += image.width + GAP
    return sheet


def _shot(page: Page, address: str, shown: str) -> Image.Image:
    page.goto(address, timeout=WAIT_MS)
    try:
        page.locator(shown).first.wait_for(timeout=WAIT_MS)
        if address not in PLAIN:
            drawn(page)
            pictures_are_there(page)
    except TooLate:
        print(f"{address}: {shown} did not come")
    page.wait_for_timeout(SETTLED_MS)  # the curve
    return Image.open(io.BytesIO(page.screenshot(timeout=WAIT_MS))).convert("RGB")


def _add_chinese_fonts(folder: Path) -> None:
    """Where the system has none, Chromium would draw boxes."""
    settings = folder / "fonts.conf"
    settings.write_text(FONTS.format(folder=files("pylopdf_fonts_zh_cn")))
    os.environ["FONTCONFIG_FILE"] = str(settings)


if __name__ == "__main__":
    main()
