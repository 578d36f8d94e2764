"""A question becomes statements: embedders find a statement and miss a question (recall .26 against
.02), so "when does X happen?" is asked as "X", and two events are asked one by one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from indexer.catalog.database.text_normalize import normalize
from indexer.questions.english import counts as counts_in_english
from indexer.questions.english import english_statements
from indexer.questions.modality import Hint, modality
from indexer.questions.negation import Negation, chinese_negation, english_negation

LONGEST, MOST_STATEMENTS = 1000, 8
"""Characters that are read of a question, and events that are looked for: whoever sends a whole
document gets an answer to its beginning, at the price of a question.
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing to look for.

    `text`: what to embed. `words`: what to look for in speech and screen text: what is said or
    written, else the text. `phrases`: quoted, to be found word for word. `hint`: the kind of
    evidence that the wording asks for. `negation`: where it says that something is not there.
    """

    text: str
    words: str = ""
    phrases: tuple[str, ...] = ()
    hint: Hint = ""
    negation: Negation | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """`text` as asked; `statements`: one for each event that is asked for, at least one;
    `counting`: a number is asked for, which moments do not give.
    """

    text: str
    statements: tuple[Statement, ...]
    counting: bool = False

    @property
    def statement(self) -> str:
        """All that is looked for, in words."""
        return "; ".join(statement.text for statement in self.statements)


def read_question(text: str) -> Question:
    """Statements of a question in English or Chinese; other languages lose their "when" and
    question marks only.
    """
    plain = _beginning(_normal(text[: 2 * LONGEST]))
    masked, quotes = _mask(plain)
    if _HAN.search(masked):
        # Here, because its patterns take a tenth of a search in a fresh process to compile.
        from indexer.questions.chinese import chinese_statements
        from indexer.questions.chinese import counts as counts_in_chinese

        texts, counting = chinese_statements(masked), counts_in_chinese(masked)
    else:
        bare = _OTHER_WHEN.sub("", masked).strip(" ?!.¿¡")
        texts, counting = english_statements(bare), counts_in_english(bare)
    read = [_unmask(one, quotes) or plain.rstrip(_END) for one in texts]
    events = list(dict.fromkeys(read))[:MOST_STATEMENTS]
    return Question(text, tuple(_statement(one) for one in events), counting)


def _statement(text: str) -> Statement:
    phrases = _find_quotes(text)
    hint, content = modality(text)
    if hint == "sound":  # no sound is called "you hear the thunder"
        text = content
    head = text[: text.find(content)] if hint and content else text
    chinese = _HAN.search(text)
    negation = (chinese_negation if chinese else english_negation)(text)
    if negation and hint and content and not _denies(head, bool(chinese)):
        negation = None  # what is said or written may be negated
    return Statement(text, " ".join(phrases) or content or text, phrases, hint, negation)


def _denies(head: str, chinese: bool) -> bool:
    pattern = r"[不没沒]" if chinese else r"\b(?:not|never|nobody|no one|no)\b|n['’]t\b"
    return bool(re.search(pattern, head, re.IGNORECASE))


_END = "?!.？！。 "
_HAN = re.compile(r"[\u3400-\u9fff]")
_QUOTES = re.compile(
    r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|「([^」]+)」|『([^』]+)』|«([^»]+)»|"
    r"(?<![\w'])'([^']{2,}?)'(?!\w)|‘([^’]{2,})’(?!\w)"
)
_MASK = 0xE000  # private use: no rule knows these characters
_OTHER_WHEN = re.compile(
    r"^¿?(?:cuándo|cuando(?=.*\?)|en qué momento|quand est-ce qu(?:e |')|quand(?=.*\?)|"
    r"à quel moment|wann|um welche zeit|quando(?=.*\?)|em que momento|in quale momento|wanneer|"
    r"когда|kiedy|ne zaman)\s+",
    re.IGNORECASE,
)


def _normal(text: str) -> str:
    return re.sub(r"\s+", " ", normalize("NFC", text)).strip()


def _beginning(text: str) -> str:
    """Up to `LONGEST` characters, whole words where there are any."""
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST].rpartition(" ")[0] or text[:LONGEST]


def _mask(text: str) -> tuple[str, list[str]]:
    """Quotations as single characters, so that no rule reads into them."""
    quotes: list[str] = []

    def mask(match: re.Match[str]) -> str:
        quotes.append(match[0])
        return chr(_MASK + len(quotes) - 1)

    return _QUOTES.sub(mask, text), quotes


def _unmask(text: str, quotes: list[str]) -> str:
    for number, quote in enumerate(quotes):
        text = text.replace(chr(_MASK + number), quote)
    return text


def _find_quotes(text: str) -> tuple[str, ...]:
    found = (
        "".join(group or "" for group in match.groups()).strip() for match in _QUOTES.finditer(text)
    )
    return tuple(phrase for phrase in found if phrase)
