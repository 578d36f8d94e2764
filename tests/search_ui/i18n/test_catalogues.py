"""Every text of the page and every message of the library is translated, and keeps its values."""

import re
import tomllib
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import search_ui
from search_ui.i18n.translator import LOCALES

ROOT = Path(search_ui.__file__).parents[1]
LANGUAGES = sorted(folder.name for folder in LOCALES.iterdir())


@cache
def extracted() -> dict[str, str]:
    """The texts that `make messages` would find, with where they are."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods = [(pattern, entry["method"]) for entry in settings for pattern in entry["pattern"]]
    texts = {}
    for folder in sorted({pattern.partition("/")[0] for pattern, _ in methods}):
        here = [
            (pattern.partition("/")[2], method)
            for pattern, method in methods
            if pattern.startswith(f"{folder}/")
        ]
        for name, line, text, _, _ in extract_from_dir(ROOT / folder, here):
            texts[text] = f"{folder}/{name}:{line}"
    return texts


@cache
def translated(language: str) -> dict[str, str]:
    with (LOCALES / language / "LC_MESSAGES" / "seekpoint.po").open("rb") as file:
        return {entry.id: entry.string for entry in read_po(file, locale=language) if entry.id}


def fields(template: str) -> list[tuple[str, str, str]]:
    return sorted(
        (name, spec or "", conversion or "")
        for _, name, spec, conversion in Formatter().parse(template)
        if name is not None
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language):
    there = translated(language)
    assert {text: place for text, place in extracted().items() if not there.get(text)} == {}, (
        "run `make messages` and fill in what is empty"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_of_a_text_that_is_gone(language):
    assert sorted(set(translated(language)) - set(extracted())) == [], "run `make messages`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_the_values(language):
    for text, translation in translated(language).items():
        assert fields(translation) == fields(text), text


def test_chinese_is_chinese():
    names = r"Enter|SEEKPOINT_\w+|CSV|EDL|M3U|LEGO"
    english = {
        text
        for text, translation in translated("zh").items()
        if not re.search("[一-鿿]", translation)
        and re.search("[a-z]{4} [a-z]{4}", re.sub(names, "", translation))
    }
    assert english == set()


def test_messages_of_the_library_have_one_style():
    """A sentence without a full stop in lower case; names and commands keep theirs."""
    library = [text for text, place in extracted().items() if not place.startswith("search_ui/")]
    assert [text for text in library if text.endswith(".") and not text.endswith("...")] == []
    names = r"[A-Z]{2}|SEEKPOINT_|PostgreSQL|SQLite|START"
    assert [text for text in library if text[:1].isupper() and not re.match(names, text)] == []
