"""Which words of a passage a question's words are: for the share that was found, and for when they
were said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from indexer.catalog.database.text_normalize import UNSPACED, separate_unspaced
from indexer.catalog.fulltext import Term

_ENDINGS = frozenset(
    [
        "",
        "s",
        "es",
        "ed",
        "d",
        "ing",
        "er",
        "ers",
        "ly",
        "y",
        "ies",
        "ied",
        "e",
        "ion",
        "ions",
        "al",
    ]
)
# letters that two forms of a word share at least; shorter words have to be equal but for an s
_STEM = 4


def matching_words(
    terms: Sequence[Term], words: Sequence[str], weights: Sequence[float] | None = None
) -> tuple[list[int], float]:
    """Numbers of the words that some term matches, rising, and the share of the terms that match,
    by `weights` where they are not alike.

    >>> matching_words([Term("skating dog")], ["The", "skating", "dogs", "win."])
    ([1, 2], 1.0)
    """
    plain = [_plain(word) for word in words]
    found = [
        _run_of(term, plain) if UNSPACED.search(term.text) else _words_of(term, plain)
        for term in terms
    ]
    numbers = sorted({number for places in found for number in places})
    if weights is None:
        weights = [1.0] * len(terms)
    held = sum(weight for weight, places in zip(weights, found, strict=True) if places)
    return numbers, held / sum(weights) if terms else 0.0


def pairs_of(terms: Sequence[Term]) -> list[Term]:
    """Terms of scripts without spaces as pairs of characters, so that a sentence that says it
    otherwise shares some of them.
    """
    parts: list[Term] = []
    for term in terms:
        letters = term.text.split()
        if UNSPACED.search(term.text) and len(letters) > 2:
            parts += [Term(" ".join(letters[at : at + 2])) for at in range(len(letters) - 1)]
        else:
            parts.append(term)
    return parts


def _words_of(term: Term, words: Sequence[str]) -> list[int]:
    wanted = [_plain(word) for word in term.text.split()]
    wanted = [word for word in wanted if word]
    places: list[int] = []
    for start in range(len(words) - len(wanted) + 1):
        pairs = list(zip(wanted, words[start : start + len(wanted)]))
        last = len(pairs) - 1
        if pairs and all(
            _same(a, b) or (term.prefix and n == last and b.startswith(a))
            for n, (a, b) in enumerate(pairs)
        ):
            places += range(start, start + len(wanted))
    return places


def _run_of(term: Term, words: Sequence[str]) -> list[int]:
    """A run of characters may begin and end inside words, as there are no spaces to tell them
    apart.
    """
    run = term.text.casefold().replace(" ", "")
    text = "".join(words)
    owner = [number for number, word in enumerate(words) for _ in word]
    return [owner[at] for match in re.finditer(re.escape(run), text) for at in range(*match.span())]


def _plain(word: str) -> str:
    """Letters and digits in the form of the word index."""
    return "".join(letter for letter in separate_unspaced(word).casefold() if letter.isalnum())


def _same(a: str, b: str) -> bool:
    """One word in two forms: equal but for English endings."""
    if a == b:
        return True
    a, b = sorted((a, b), key=len)
    shared = next((n for n, (x, y) in enumerate(zip(a, b)) if x != y), len(a))
    if shared == len(a) >= _STEM - 1 and b[shared : shared + 1] == a[-1]:
        return b[shared + 1 :] in _ENDINGS  # run, running
    if shared < _STEM:
        return len(a) > 1 and b == a + "s"
    return a[shared:] in _ENDINGS and b[shared:] in _ENDINGS
