"""Marks the words of a question in a text that matched it."""

from __future__ import annotations

import re

from indexer.catalog.database.text_normalize import UNSPACED
from indexer.catalog.fulltext import parse_terms

LONGEST = 240


def highlight(text: str, question: str) -> list[tuple[str, bool]]:
    """Pieces of the text, cut to what is read on a card, with whether each is a word that was asked
    for.
    """
    terms = sorted(
        {word for term in parse_terms(question) for word in _words(term.text)},
        key=len,
        reverse=True,
    )
    if not terms:
        return [(text[:LONGEST], False)]
    # English endings do not matter to the word index, so what is highlight may end differently too.
    stems = "|".join(re.escape(_stem(term)) for term in terms)
    pattern = re.compile(rf"(?<![a-zA-Z])(?:{stems})[a-zA-Z]{{0,4}}(?![a-zA-Z])", re.IGNORECASE)
    text = _around(text, pattern)
    pieces: list[tuple[str, bool]] = []
    last = 0
    for match in pattern.finditer(text):
        pieces += [(text[last : match.start()], False), (match[0], True)]
        last = match.end()
    pieces.append((text[last:], False))
    return [piece for piece in pieces if piece[0]]


def _words(term: str) -> list[str]:
    """A run of a script without spaces is one word; the index has put spaces between its
    characters.
    """
    return [term.replace(" ", "")] if UNSPACED.search(term) else term.split()


def _stem(word: str) -> str:
    shorter = re.sub(r"(?:ing|ed|es|s)$", "", word)
    return shorter if len(shorter) >= 3 else word


def _around(text: str, pattern: re.Pattern[str]) -> str:
    """A stretch of a long text that holds the first match."""
    if len(text) <= LONGEST:
        return text
    match = pattern.search(text)
    start = max(0, (match.start() if match else 0) - LONGEST // 3)
    return (
        ("… " if start else "")
        + text[start : start + LONGEST]
        + (" …" if start + LONGEST < len(text) else "")
    )
