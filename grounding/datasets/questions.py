"""Banks of questions and answers, many wordings a task; which one a row gets depends on the row and
the seed alone.

A wording holds `$fields` that the task fills (docs/guides/training-data.md lists them).
`questions.json` is the bank that comes with the project.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TypeVar

from grounding.errors import DataError

DEFAULT_BANK = Path(__file__).with_name("questions.json")
FIELDS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "describe_image": (frozenset(), frozenset({"caption"})),
    "describe_video": (frozenset(), frozenset({"caption"})),
    "describe_sound": (frozenset(), frozenset({"caption"})),
    "moment": (frozenset({"query"}), frozenset({"Query", "spans"})),
    "moment_caption": (frozenset({"spans"}), frozenset({"caption"})),
    "events": (frozenset(), frozenset({"events"})),
    "locate": (frozenset({"phrase"}), frozenset({"Phrase", "boxes"})),
    "region_caption": (frozenset({"boxes"}), frozenset({"caption"})),
    "locate_sound": (frozenset(), frozenset({"label", "boxes"})),
    "grounded_caption": (frozenset(), frozenset({"caption"})),
    "exchange": (frozenset({"question"}), frozenset({"answer"})),
}
"""Task -> fields of its questions, fields of its answers."""
NEEDED: Mapping[str, tuple[str, str]] = {
    "moment": ("query", "spans"),
    "moment_caption": ("spans", "caption"),
    "events": ("", "events"),
    "locate": ("phrase", "boxes"),
    "region_caption": ("boxes", "caption"),
    "locate_sound": ("", "boxes"),
    "exchange": ("question", "answer"),
}
"""Fields without which a wording of the task would say nothing; others need the caption."""
T = TypeVar("T")
_FIELD = re.compile(r"\$(\w+)")


def stable_hash(seed: int, *names: object) -> int:
    """A number that depends on nothing but the seed and the names, the same on every machine."""
    text = "\x1f".join(map(str, (seed, *names)))
    return int.from_bytes(
        hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big"
    )


def pick(options: Sequence[T], seed: int, *names: object) -> T:
    """One of the options, which the seed and the names decide alone."""
    return options[stable_hash(seed, *names) % len(options)]


@dataclass(frozen=True, slots=True)
class QuestionBank:
    """Task -> wordings of its questions, and of their answers."""

    questions: Mapping[str, tuple[str, ...]]
    answers: Mapping[str, tuple[str, ...]]

    @classmethod
    def load(cls, path: str | Path = DEFAULT_BANK) -> QuestionBank:
        """Raises DataError with the wording that is wrong."""
        try:
            raw = json.loads(Path(path).read_text(encoding="utf-8"))
            bank = cls(
                *(
                    {task: tuple(raw[task][part]) for task in raw}
                    for part in ("questions", "answers")
                )
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} is not a bank of questions: {error!r}") from error
        for task in bank.questions:
            bank._check(task, str(path))
        return bank

    def ask(self, task: str, fields: Mapping[str, str], seed: int, key: str) -> tuple[str, str]:
        """Question and answer of a row. Raises DataError for a task that the bank lacks."""
        if task not in self.questions:
            raise DataError(f"the bank has no task {task}; it has {', '.join(self.questions)}")
        question = pick(self.questions[task], seed, key, task, "question")
        answer = pick(self.answers[task], seed, key, task, "answer")
        return Template(question).substitute(fields), Template(answer).substitute(fields)

    def to_json(self) -> dict[str, dict[str, list[str]]]:
        """As in a file."""
        return {
            task: {"questions": list(self.questions[task]), "answers": list(self.answers[task])}
            for task in self.questions
        }

    def digest(self) -> str:
        """Equal for banks of the same wordings."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]

    def _check(self, task: str, where: str) -> None:
        if task not in FIELDS:
            raise DataError(f"{where}: task {task!r} is unknown; known are {', '.join(FIELDS)}")
        for part, wordings, place in (
            ("question", self.questions[task], 0),
            ("answer", self.answers[task], 1),
        ):
            if not wordings:
                raise DataError(f"{where}: {task} has no {part}")
            for wording in wordings:
                problem = wording_problem(task, wording, place)
                if problem:
                    raise DataError(f"{where}: the {part} {wording!r} of {task} {problem}")


def wording_problem(task: str, wording: object, place: int) -> str:
    """What is wrong with a question (place 0) or an answer (place 1); empty if nothing is."""
    if not isinstance(wording, str) or not wording.strip():
        return "is not a text"
    known, needed = FIELDS[task][place], NEEDED.get(task, ("", "caption"))[place]
    found = set(_FIELD.findall(wording))
    if not Template(wording).is_valid() or found - known:
        return f"has fields that are unknown: {', '.join(sorted(found - known)) or 'a lone $'}"
    return f"lacks the field ${needed}" if needed and needed not in found else ""
