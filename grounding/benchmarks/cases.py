"""Answers beside the records that they answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grounding.errors import DataError, EvaluationError
from grounding.records.record import OnSkip, Record, read_records, read_rows
from grounding.records.skips import Tally

SCORED: Mapping[str, tuple[str, ...]] = {
    "rec": ("locate",),
    "temporal": ("moment",),
    "events": ("events",),
    "sound": ("locate_sound",),
    "caption": ("describe_image", "describe_video", "describe_sound"),
}
"""Protocol -> the tasks of the records that it scores (`grounding.datasets.tasks`)."""


@dataclass(frozen=True, slots=True)
class Case:
    """A record and what was answered."""

    record: Record
    answer: str | None
    """None: there is not one; it counts as wrong wherever a protocol can say so."""


def read_answers(path: Path, on_skip: OnSkip) -> Iterator[tuple[str, str]]:
    """(id, answer) of every line `{"id": ..., "answer": ...}`; lines without an answer (`"skipped":
    why`) are left out.
    """
    for where, row in read_rows(path, on_skip):
        if (
            not isinstance(row, dict)
            or "id" not in row
            or not isinstance(row.get("answer", ""), str)
        ):
            raise EvaluationError(
                f'{where} is not an answer; expected {{"id": "...", "answer": "..."}}'
            )
        if "answer" in row:
            yield str(row["id"]), row["answer"]


def pair_up(answers: Path, truth: Path) -> tuple[list[Case], Tally]:
    """A case for every record of the truth; bad lines of either file are counted. The last answer
    to a record counts.
    """
    tally = Tally()
    try:
        answer_of = dict(read_answers(answers, tally))
        records = list(read_records(truth, tally))
    except DataError as error:
        raise EvaluationError(str(error)) from error
    if not records:
        raise EvaluationError(
            f"{truth} holds no record; it is what `python -m grounding.datasets convert` writes"
        )
    names = {record.id for record in records}
    if len(names) < len(records):
        raise EvaluationError(
            f"{truth} has {len(records) - len(names)} records whose id another one has"
        )
    if answer_of and not names & set(answer_of):
        raise EvaluationError(
            f"no answer of {answers} is to a record of {truth}, for example "
            f"{next(iter(answer_of))!r}"
        )
    return [Case(record, answer_of.get(record.id)) for record in records], tally


def with_truth(cases: Iterable[Case], field: str, task: str) -> tuple[list[Case], dict[str, int]]:
    """The cases that `task` scores, and how many others there are by the reason: `left out: ...`.

    A row that says its task must be of the right one: a caption of a moment has a span in its
    truth, but also in its question. Raises EvaluationError where no case is left.
    """
    kept, others = [], Counter[str]()
    for case in cases:
        reason = _other(case.record, field, task)
        if reason:
            others[f"left out: {reason}"] += 1
        else:
            kept.append(case)
    if not kept:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in others.items())
        why = f" ({reasons})" if reasons else ""
        raise EvaluationError(
            f"no record has a truth with {field}, which {task} compares with{why}; was it "
            "converted for another task?"
        )
    return kept, dict(others)


def _other(record: Record, field: str, task: str) -> str:
    """Why the task does not score this record; empty where it does."""
    own = record.truth.get("task")
    if own is not None and own not in SCORED[task]:
        return f"of the task {own}"
    return "" if record.truth.get(field) else f"without {field}"
