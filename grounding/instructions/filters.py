"""What a written dialogue must pass before a model learns from it. Each test that fails is a
SkipRow with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grounding.instructions.dialogues import Exchange
from grounding.instructions.facts import Facts
from grounding.records.coordinates import format_square
from grounding.records.skips import SkipRow

MAX_QUESTION_WORDS = 60
MAX_ANSWER_WORDS = 200
TIME_SLACK = 0.0051
BOX_SLACK = 0.0015
"""A number that differs by rounding only is the source's; it is written as the source has it."""
_BRACKETS = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]")
_LOOSE = re.compile(r"[{}\[\]]")
_APOSTROPHES = str.maketrans("\u2018\u2019\u02bc\u02b9\uff07`\u00b4", "'" * 7)
_NUMBERS = re.compile(r"[+-]?\d*\.?\d+")
_BARE = re.compile(r"(?<![\d.,])0?\.\d{2,3}(?!\d)")
"""A number as coordinates are written, where none belongs."""
_REFUSAL = re.compile(
    r"\b(?:as an ai|as a language model|i(?:'m| am) (?:sorry|unable|not able)|i apologi[sz]e|"
    r"i (?:cannot|can't|can not) (?:see|view|hear|watch|assist|help|access|provide))\b",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    r"\b(?:(?:the|these|this|your|according to|provided|given) "
    r"(?:annotations?|captions?|notes?|metadata)|"
    r"(?:provided|given) (?:information|descriptions?|data|coordinates|timestamps?))\b",
    re.IGNORECASE,
)


def check_dialogue(dialogue: Sequence[Exchange], facts: Facts, turns: int) -> list[Exchange]:
    """The dialogue with its coordinates as the source has them. Raises SkipRow with the first test
    that it fails.

    `turns` is what was asked for: 1, or from two to so many.
    """
    if not min(turns, 2) <= len(dialogue) <= turns:
        raise SkipRow(
            "number of turns",
            f"{len(dialogue)} instead of {f'2 to {turns}' if turns > 1 else 'one'}",
        )
    checked = [
        Exchange(
            _check_text(one.question, facts, MAX_QUESTION_WORDS),
            _check_text(one.answer, facts, MAX_ANSWER_WORDS),
        )
        for one in dialogue
    ]
    if len({_bare(one.question) for one in checked}) < len(checked):
        raise SkipRow("asks twice")
    if facts.has_coordinates and not any(_BRACKETS.search(one.answer) for one in checked):
        raise SkipRow("no coordinates in the answers")
    return checked


def _check_text(text: str, facts: Facts, max_words: int) -> str:
    if not re.search(r"\w", text):
        raise SkipRow("empty turn")
    prose = _BRACKETS.sub("", text)
    words = len(prose.split())
    if words > max_words:
        raise SkipRow("turn too long", f"{words} words")
    plain = text.translate(_APOSTROPHES)
    refused = _REFUSAL.search(plain)
    if refused:
        raise SkipRow("refusal", refused.group())
    leaked = _SOURCE.search(text)
    if leaked:
        raise SkipRow("talks about its source", leaked.group())
    written = _BRACKETS.sub(lambda match: _coordinates(match.group(), facts), text)
    if _LOOSE.search(prose):  # opened and not closed, or one inside another
        raise SkipRow("malformed coordinates", text[-60:])
    bare = _BARE.findall(prose) if facts.has_coordinates else []
    if len(bare) > 1:  # a single one may be a price or a share
        raise SkipRow("coordinates without brackets", ", ".join(bare))
    return written


def _coordinates(text: str, facts: Facts) -> str:
    values = [float(number) for number in _NUMBERS.findall(text)]
    if not values and not re.search(r"[{}]", text):
        return text  # [sic]
    if len(values) != (2 if text[0] == "{" else 4):
        raise SkipRow("malformed coordinates", text)
    if text[0] == "{":
        span = _nearest(values, facts.spans, TIME_SLACK)
        if span is None:
            raise SkipRow("coordinates that the source does not have", text)
        return f"{{{span[0]:.2f},{span[1]:.2f}}}"
    box = _nearest(values, facts.boxes, BOX_SLACK)
    if box is None:
        raise SkipRow("coordinates that the source does not have", text)
    return format_square(box)


def _nearest(values: Sequence[float], known: frozenset, slack: float) -> tuple[float, ...] | None:
    """The known coordinates that differ least, if none of their numbers differs by more than
    `slack`.
    """

    def distance(other: Sequence[float]) -> float:
        return max(abs(value - one) for value, one in zip(values, other))

    best = min(sorted(known), key=distance, default=None)
    return best if best is not None and distance(best) <= slack else None


def fingerprint(dialogue: Sequence[Exchange]) -> tuple[tuple[str, str], ...]:
    """Equal for dialogues that say the same in other marks and cases."""
    return tuple((_bare(one.question), _bare(one.answer)) for one in dialogue)


def _bare(text: str) -> str:
    return " ".join(re.findall(r"[\w.]+", text.lower()))
