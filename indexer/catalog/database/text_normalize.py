"""Text in the form that the word index reads: compatibility forms unified, accents taken off,
scripts without spaces cut into characters.

A question is brought into the same form, where such a run becomes a phrase: a word of any length is
found in a sentence that marks none.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

# Scripts that do not put spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
)
UNSPACED = re.compile(f"[{_UNSPACED}]")
_ACCENT = re.compile("[\u0300-\u036f]")
_MAX_MARKS = 30  # one behind the other; no language has more than a few
# These become marks when compatibility forms are unified.
_LATE_MARKS = frozenset("\u0f73\u0f75\u0f81\uff9e\uff9f")


def normalize(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """As `unicodedata.normalize`, in time that grows with the length of the text: that sorts a run
    of marks in time that grows with its square. What is beyond 30 in a run is left out, as in the
    stream-safe format of https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format
    """
    if text.isascii():
        return text
    return unicodedata.normalize(form, _stream_safe(text) if len(text) > _MAX_MARKS else text)


def _stream_safe(text: str) -> str:
    marks = [c for c in set(text) if unicodedata.combining(c) or c in _LATE_MARKS]
    if sum(map(text.count, marks)) <= _MAX_MARKS:
        return text
    one = f"[{''.join(sorted(marks))}]"  # none of them means anything in a pattern
    return re.sub(f"({one}{{{_MAX_MARKS}}}){one}+", lambda run: run[1], text)


def separate_unspaced(text: str) -> str:
    """Without accents, each character of an unspaced script alone.

    `Zürich 看狗` -> `Zurich  看  狗 `
    """
    plain = _ACCENT.sub("", normalize("NFKD", text))
    return UNSPACED.sub(lambda match: f" {match[0]} ", normalize("NFC", plain))


def index_form(text: str) -> str | None:
    """What the index reads instead of `text`; None where it is `text` itself."""
    form = separate_unspaced(text)
    return None if form == text else form
