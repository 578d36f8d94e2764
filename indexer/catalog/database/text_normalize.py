"""Text in the form that the word index reads: compatibility forms unified, accents taken off,
scripts without spaces cut into characters.

A question is brought into the same form, where such a run becomes a phrase: a word of any length is
found in a sentence that marks none.
"""

from __future__ import annotations

import re
import unicodedata

# Scripts that do not put spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
)
UNSPACED = re.compile(f"[{_UNSPACED}]")
_ACCENT = re.compile("[\u0300-\u036f]")


def separate_unspaced(text: str) -> str:
    """Without accents, each character of an unspaced script alone.

    `Zürich 看狗` -> `Zurich  看  狗 `
    """
    plain = _ACCENT.sub("", unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text)))
    return UNSPACED.sub(lambda match: f" {match[0]} ", unicodedata.normalize("NFC", plain))


def index_form(text: str) -> str | None:
    """What the index reads instead of `text`; None where it is `text` itself."""
    form = separate_unspaced(text)
    return None if form == text else form
