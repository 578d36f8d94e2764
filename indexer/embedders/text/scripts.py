"""Which writing systems a text is in, so that a question that no model reads is told so."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection

READ_BY_USE = frozenset(
    {"LATIN", "CYRILLIC", "ARABIC", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI"}
)
"""Scripts of the 16 languages of the Universal Sentence Encoder multilingual (Yang et al. 2019)."""


def script_of(letter: str) -> str:
    """First word of the letter's Unicode name: LATIN, CYRILLIC, CJK, DEVANAGARI...; "FULLWIDTH A"
    is LATIN.
    """
    words = unicodedata.name(unicodedata.normalize("NFKC", letter)[0], "UNKNOWN").split()
    return words[0]


def mostly_in(text: str, scripts: Collection[str]) -> bool:
    """Whether at least half of the letters belong to the scripts; a text without letters belongs to
    all.
    """
    letters = {letter: count for letter, count in Counter(text).items() if letter.isalpha()}
    inside = sum(count for letter, count in letters.items() if script_of(letter) in scripts)
    return 2 * inside >= sum(letters.values())


def unread_words(text: str, reads: Callable[[str], bool]) -> list[str]:
    """Words that a model does not read by themselves, in a text that it may read on the whole.

    >>> unread_words("a dog and कुत्ता", lambda word: word.isascii())
    ['कुत्ता']
    """
    return [
        word
        for word in text.split()
        if any(letter.isalpha() for letter in word) and not reads(word)
    ]
