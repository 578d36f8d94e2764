"""A bank of questions written by a language model, which gets the description of a task and some
wordings; what does not fit is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from grounding.datasets.questions import FIELDS, QuestionBank, wording_problem
from grounding.errors import DataError
from grounding.language_model.endpoint import BudgetSpent, Endpoint, Message, NoAnswer
from grounding.language_model.json_text import arrays
from grounding.records.record import MARKERS
from grounding.records.skips import Skip, Tally

ABOUT = {
    "describe_image": "asks for a short description of an image",
    "describe_video": "asks for a short description of a video clip",
    "describe_sound": "asks for a short description of a sound",
    "moment": (
        "asks when, in a video, something happens. $query stands for what happens, a statement or "
        "a "
        "few words (the dog jumps)"
    ),
    "moment_caption": (
        "asks what happens during one part of a video. $spans stands for the part, written "
        "{start,end}"
    ),
    "events": (
        "asks for all events of a video in order, each with its time span in {start,end} format"
    ),
    "locate": (
        "asks where in an image something is, in [x0, y0, x1, y1] format. $phrase stands for the "
        "thing (the man in blue)"
    ),
    "region_caption": (
        "asks what one part of an image shows. $boxes stands for the part, written [x0, y0, x1, y1]"
    ),
    "locate_sound": ("asks where in an image the source of a sound is, in [x0, y0, x1, y1] format"),
    "grounded_caption": (
        "asks for a description of an image in which each thing has its position in "
        "[x0, y0, x1, y1] format"
    ),
    "exchange": (
        "puts a question about an image. $question stands for the question, which ends with a "
        "question mark"
    ),
}
"""Task -> what its questions do, in words for the language model."""
SHOWN = 5
"""Wordings in a request."""
MAX_CHARS = 200
MAX_EMPTY_ROUNDS = 3


@dataclass(slots=True)
class BankReport:
    """What became of the wordings that were written."""

    added: dict[str, int] = field(default_factory=dict)
    rejected: Tally = field(default_factory=Tally)
    stopped: str = ""

    def lines(self) -> list[str]:
        """For the terminal."""
        counts = [f"{count:8,} questions added to {task}" for task, count in self.added.items()]
        counts += [
            f"{count:8,} rejected: {reason}" for reason, count in self.rejected.counts.most_common()
        ]
        return [*counts, *([f"stopped: {self.stopped}"] if self.stopped else [])]


async def write_bank(
    endpoint: Endpoint, start: QuestionBank, tasks: Sequence[str], wanted: int
) -> tuple[QuestionBank, BankReport]:
    """The bank with up to `wanted` questions for each of the tasks; answers stay as they are."""
    unknown = set(tasks) - set(start.questions)
    if unknown:
        raise DataError(
            f"the bank has no task {', '.join(sorted(unknown))}; it has "
            f"{', '.join(start.questions)}"
        )
    report = BankReport()
    questions = dict(start.questions)
    for task in tasks:
        try:
            questions[task] = await _extend(endpoint, task, questions[task], wanted, report)
        except BudgetSpent as error:
            report.stopped = str(error)
            break
        report.added[task] = len(questions[task]) - len(start.questions[task])
    return QuestionBank(questions, start.answers), report


async def _extend(
    endpoint: Endpoint, task: str, known: Sequence[str], wanted: int, report: BankReport
) -> tuple[str, ...]:
    found = list(known)
    empty = round_number = 0
    while len(found) < wanted and empty < MAX_EMPTY_ROUNDS:
        try:
            answer = await endpoint.ask(bank_request(task, known[:SHOWN]), round_number)
            fresh = _fresh(task, parse_wordings(answer.text), found, report.rejected)
        except NoAnswer as error:
            report.rejected(Skip("no answer", task, str(error)))
            fresh = []
        found += fresh[: wanted - len(found)]
        empty = 0 if fresh else empty + 1
        round_number += 1
    return tuple(found)


def bank_request(task: str, shown: Sequence[str]) -> list[Message]:
    """The messages that ask for wordings of a task, with `shown` as examples."""
    fields = ", ".join(f"${name}" for name in sorted(FIELDS[task][0]))
    rule = (
        f"Each contains {fields} exactly once, as it stands here. "
        if fields
        else "None contains a $ sign. "
    )
    text = (
        f"Write 20 different wordings of a request to an assistant that {ABOUT[task]}. {rule}Vary "
        "the sentence, its length and its tone: questions, orders, wishes. Answer with a JSON "
        "array "
        f"of strings and nothing else. Some examples: {json.dumps(list(shown))}"
    )
    return [{"role": "user", "content": text}]


def parse_wordings(text: str) -> list[str]:
    """The strings of the first JSON array in the text that holds any."""
    found = (
        [" ".join(one.split()) for one in value if isinstance(one, str)] for value in arrays(text)
    )
    return next((wordings for wordings in found if wordings), [])


def _fresh(task: str, wordings: Iterable[str], known: Sequence[str], rejected: Tally) -> list[str]:
    seen = {wording.lower() for wording in known}
    fresh = []
    for wording in wordings:
        problem = problem_of(task, wording) or (
            "is known already" if wording.lower() in seen else ""
        )
        if problem:
            rejected(Skip(problem, task, wording[:80]))
        else:
            seen.add(wording.lower())
            fresh.append(wording)
    return fresh


def problem_of(task: str, wording: str) -> str:
    """What is wrong with a wording; empty if nothing is."""
    problem = wording_problem(task, wording, 0)
    if problem:
        return problem
    if len(wording) > MAX_CHARS:
        return "is too long"
    if any(wording.count(f"${name}") != 1 for name in FIELDS[task][0]):
        return "has a field twice"
    return (
        "has reserved words" if any(mark in wording for mark in ("###", *MARKERS.values())) else ""
    )
