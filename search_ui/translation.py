"""What the library says, in another language.

Its errors, notes and findings are English sentences with values in them, and stay so wherever they
are raised, logged or kept in the catalog; a page knows the sentence again by its fixed words and
says it in its own language. What it does not know stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter

LONGEST = 2000
"""Characters of a text that is looked at: a reason may carry a page of another program's output."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """`pattern` matches the whole of an English sentence; its groups go into `other`, which names
    them by number.
    """

    pattern: re.Pattern[str]
    other: str


class Translation:
    """Sentences by their English templates: `{}` stands for a value, and `{0}`, `{1}` in the other
    language for the same in any order.
    """

    def __init__(self, sentences: Mapping[str, str]) -> None:
        self._fixed = {
            english.format(): other.format()
            for english, other in sentences.items()
            if not _has_values(english)
        }
        # The one with the most fixed words first: it says most about what is meant.
        templates = sorted(filter(_has_values, sentences), key=lambda english: -len(english))
        self._sentences = [Sentence(_pattern(english), sentences[english]) for english in templates]
        self.of = lru_cache(500)(self._of)

    def _of(self, text: str) -> str:
        """Of a sentence, of two (what went wrong, what to do), and of one with a name and a colon
        before it.
        """
        if len(text) > LONGEST:
            return text
        whole = self._sentence(text)
        return whole or self._two(text) or self._named(text) or text

    def _sentence(self, text: str) -> str:
        if text in self._fixed:
            return self._fixed[text]
        for sentence in self._sentences:
            if match := sentence.pattern.fullmatch(text):
                return sentence.other.format(*map(self._value, match.groups()))
        return ""

    def _two(self, text: str) -> str:
        half_known = ""
        for dot in re.finditer(r"\. ", text):
            first, second = text[: dot.start()], text[dot.end() :]
            known = self._sentence(first) or self._named(first), self._sentence(second)
            said = f"{known[0] or first}。{known[1] or second}"
            if all(known):
                return said
            half_known = half_known or (said if any(known) else "")
        return half_known

    def _named(self, text: str) -> str:
        """`/videos/a.mp4: it changed while it was read`."""
        for colon in re.finditer(": ", text):
            if said := self._sentence(text[colon.end() :]):
                return f"{text[: colon.start()]}：{said}"
        return ""

    def _value(self, text: str) -> str:
        # A single word is a name: only a sentence inside a sentence is said in the other language
        # too.
        return self._of(text) if " " in text else text


def _has_values(template: str) -> bool:
    return any(field is not None for _, field, _, _ in Formatter().parse(template))


def _pattern(template: str) -> re.Pattern[str]:
    parts = "".join(
        re.escape(fixed) + ("" if field is None else "(.+?)")
        for fixed, field, _, _ in Formatter().parse(template)
    )
    return re.compile(parts, re.DOTALL)
