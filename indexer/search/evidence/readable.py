"""Which lines on screen can be an answer: a scrap of two letters, or texture taken for writing,
says nothing.
"""

from __future__ import annotations

import re
import unicodedata

from indexer.catalog.database.text_normalize import UNSPACED, normalize

MIN_LETTERS = 3  # letters and digits; of a script whose characters are words, one fewer
MIN_UNSPACED = 2
LETTER_SHARE = 0.6  # of the characters that are not spaces
MIN_CONFIDENCE = 0.5
# From here on a line without a vowel is an abbreviation and no texture.
ABBREVIATION_CONFIDENCE = 0.9
_LATIN_WORD = re.compile(r"[a-z]+")
_VOWEL = re.compile("[aeiouyæœøı]")


def is_readable(text: str, confidence: float | None) -> bool:
    """Whether a line of screen text is worth an answer. `confidence` in [0, 1] of the text
    recognition, None where unknown.

    >>> [is_readable(line, 0.8) for line in ("EXIT", "4711", "出口", "dg", "||/-x-1a", "wkrtz")]
    [True, True, True, False, False, False]
    """
    known = 1.0 if confidence is None else confidence
    if known < MIN_CONFIDENCE:
        return False
    dense = "".join(text.split())
    letters = [letter for letter in dense if letter.isalnum()]
    unspaced = len(UNSPACED.findall(text))
    enough = unspaced >= MIN_UNSPACED or len(letters) >= MIN_LETTERS
    if not enough or len(letters) < LETTER_SHARE * len(_without_marks(dense)):
        return False
    return known >= ABBREVIATION_CONFIDENCE or _can_be_spoken(letters, text)


def _can_be_spoken(letters: list[str], text: str) -> bool:
    """Whether a word of it has a vowel, where nothing but Latin letters could be words."""
    plain = normalize("NFD", text.casefold())
    words = _LATIN_WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))
    latin = sum(map(len, words))
    if 2 * latin < len(letters):  # another script, or a number
        return True
    return any(len(word) > 1 and _VOWEL.search(word) for word in words)


def _without_marks(text: str) -> str:
    """Without vowel signs and the like, which are part of the letter before them."""
    return "".join(c for c in text if not unicodedata.category(c).startswith("M"))
