"""Texts in the language of whoever reads the page.

The English text is the key, as usual with gettext; other languages are in
`search_ui/locales/LANGUAGE/LC_MESSAGES/seekpoint.po`. `make messages` collects the texts.
"""

from __future__ import annotations

import gettext
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.requests import HTTPConnection

from indexer.messages import Message

ENGLISH = "en"
LOCALES = Path(__file__).parents[1] / "locales"
LANGUAGES = (ENGLISH, *sorted(folder.name for folder in LOCALES.iterdir() if folder.is_dir()))


@dataclass(frozen=True, slots=True)
class Translator:
    """`tr("{n} moments in {ms} ms", n=3, ms=20)`."""

    language: str

    def __call__(self, text: str | Message, /, **values: Any) -> str:
        """The text, or a message of the library, in this language with its values filled in.

        A text that the catalogue lacks stays English.
        """
        if isinstance(text, Message):
            return text.text(self.gettext)
        return Message(text, values).text(self.gettext)

    def gettext(self, template: str) -> str:
        """The template in the language of the reader."""
        return catalogue(self.language).gettext(template) if template else ""

    @classmethod
    def of(cls, accepted: str) -> Translator:
        """In the language that an Accept-Language header, or a locale, asks for."""
        return cls(language_of(accepted))


def translator_of(request: HTTPConnection) -> Translator:
    """The translator for the language that the browser prefers."""
    return Translator.of(request.headers.get("accept-language", ""))


def language_of(accepted: str) -> str:
    """The first language of an Accept-Language header (or a locale) that we have, else English."""
    for entry in accepted.split(","):
        code = entry.partition(";")[0].strip().lower().replace("_", "-").partition("-")[0]
        if code in LANGUAGES:
            return code
    return ENGLISH


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Compiled in memory at first use, so no compiled file can be older than its source."""
    if language == ENGLISH:
        return gettext.NullTranslations()
    with (LOCALES / language / "LC_MESSAGES" / "seekpoint.po").open("rb") as file:
        source = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, source)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
