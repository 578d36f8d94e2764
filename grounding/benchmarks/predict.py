"""A checkpoint answers the questions of a benchmark's records: one line of JSON each, written as it
comes.

A run that was stopped goes on behind the last whole line. A row whose media cannot be read gets
`"skipped"` instead of an answer, and is tried again by the next run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grounding.errors import DataError, EvaluationError, LegoError, MediaError
from grounding.lego.preprocess import questions
from grounding.records.media_files import existing_file, read_frames, read_image, read_sound
from grounding.records.record import Record, read_records
from grounding.records.skips import SkipRow, Tally
from grounding.records.writer import check_output

if TYPE_CHECKING:
    from grounding.lego.grounder import Grounder
    from grounding.lego.model.lego_model import Encoded

Questions = Callable[[Record], str]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What became of the questions of a run."""

    answered: int
    known: int
    """Answered by an earlier run."""
    skipped: Tally

    def lines(self) -> list[str]:
        """For the terminal."""
        counts = [f"{self.answered:,} answered, {self.known:,} were answered before"]
        return counts + [
            f"{count:8,} skipped: {reason}" for reason, count in self.skipped.counts.most_common()
        ]


def predict(
    grounder: Grounder,
    records: Sequence[Path],
    output: Path,
    root: Path,
    *,
    question: Questions | None = None,
    batch: int = 8,
    limit: int | None = None,
    iter_wrapper: Callable[[Iterable[Record]], Iterable[Record]] = lambda rows: rows,
) -> RunReport:
    """Asks the questions of `records` and appends the answers to `output`, JSON lines. Media lie
    below `root`; records about the same media that stand together are asked about in one batch, and
    the media are encoded once. Raises EvaluationError for records without ids of their own.
    """
    check_output(output, records)
    _check_ids(_take(_read(records, Tally()), limit))
    question = question or standard_question
    done = ids_answered(output)
    tally = Tally()
    answered = 0
    output.parent.mkdir(parents=True, exist_ok=True)
    # a record's JSON may name half a character
    with output.open("a", encoding="utf-8", errors="replace") as file:
        for group in _groups(iter_wrapper(_take(_read(records, tally), limit)), done, batch):
            for row in answer_group(grounder, group, root, question, tally):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                answered += "answer" in row
            file.flush()
        os.fsync(file.fileno())
    return RunReport(answered, len(done), tally)


def answer_group(
    grounder: Grounder, group: Sequence[Record], root: Path, question: Questions, tally: Tally
) -> list[dict[str, Any]]:
    """Rows for records that have their media in common. Whatever goes wrong with one of them is a
    row, too.
    """
    try:
        media = encode_media(grounder, group[0].media, root)
    except SkipRow as skip:
        return [_skip_row(record, skip, tally) for record in group]
    try:
        return _answers(grounder, group, media, question)
    except SkipRow:
        return [row for record in group for row in _alone(grounder, record, media, question, tally)]


def _answers(
    grounder: Grounder, group: Sequence[Record], media: Mapping[str, Encoded], question: Questions
) -> list[dict[str, Any]]:
    try:
        with _skip_out_of_memory(f"{len(group)} questions at once"):
            replies = grounder.ask_all([(question(record), media) for record in group])
    except LegoError as error:
        raise SkipRow("the model refuses the question", str(error)) from error
    return [
        {"id": record.id, "answer": reply.text, "ended": reply.ended}
        for record, reply in zip(group, replies)
    ]


def _alone(
    grounder: Grounder,
    record: Record,
    media: Mapping[str, Encoded],
    question: Questions,
    tally: Tally,
) -> Iterator[dict[str, Any]]:
    try:
        yield from _answers(grounder, [record], media, question)
    except SkipRow as skip:
        yield _skip_row(record, skip, tally)


def _skip_row(record: Record, skip: SkipRow, tally: Tally) -> dict[str, Any]:
    tally(skip.at(record.id))
    return {"id": record.id, "skipped": str(skip)}


def encode_media(grounder: Grounder, media: Mapping[str, str], root: Path) -> dict[str, Encoded]:
    """Modality name -> what the encoder made of the file below `root`. Raises SkipRow for media
    that cannot be read.
    """

    def path(kind: str) -> Path:
        return existing_file(media[kind], root)

    readers: dict[str, Callable[[], Encoded]] = {
        "image": lambda: grounder.read_image(read_image(path("image"))).encoded,
        "video": lambda: grounder.read_frames(
            read_frames(path("video"), grounder.model.config.max_frames)
        ),
        "sound": lambda: grounder.read_audio(read_sound(path("sound"))),
    }
    try:
        with _skip_out_of_memory("while the media were encoded"):
            return {kind: readers[kind]() for kind in media}
    except MediaError as error:
        raise SkipRow("media that the model cannot read", str(error)) from error


def _skip_out_of_memory(when: str) -> AbstractContextManager[None]:
    """Out of memory becomes a SkipRow."""
    from grounding.lego.model.memory import out_of_memory_as

    return out_of_memory_as(SkipRow("out of memory", when))


def standard_question(record: Record) -> str:
    """The one wording in which Seekpoint asks for a task; a record of another task is asked as it
    stands.
    """
    truth, task = record.truth, record.truth.get("task")
    query, phrase = truth.get("query"), truth.get("phrase")
    if task == "moment" and isinstance(query, str):
        return questions.when_question(query)
    if task == "locate" and isinstance(phrase, str):
        return questions.WHERE.format(phrase.strip().rstrip("."))
    fixed = {
        "events": questions.EVENTS,
        "locate_sound": questions.WHERE_SOUND,
        "grounded_caption": questions.DESCRIBE["image"],
        "describe_video": questions.DESCRIBE["video"],
        "describe_sound": questions.DESCRIBE["sound"],
    }
    return fixed.get(str(task), record.question)


def ids_answered(output: Path) -> set[str]:
    """Ids with an answer in the file; rows without one, without an id, or cut off are taken out of
    it.
    """
    if not output.exists():
        return set()
    kept = []
    # Lines end at "\n" alone: answers may hold other characters that `splitlines` takes for an end,
    # such as U+2028.
    for line in output.read_bytes().decode("utf-8", "replace").split("\n"):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and "id" in row and isinstance(row.get("answer"), str):
            kept.append((str(row["id"]), line))
    temporary = output.with_name(output.name + ".tmp")
    temporary.write_bytes("".join(f"{line}\n" for _, line in kept).encode())
    temporary.replace(output)
    return {name for name, _ in kept}


def _read(paths: Sequence[Path], tally: Tally) -> Iterator[Record]:
    try:
        for path in paths:
            yield from read_records(path, tally)
    except DataError as error:
        raise EvaluationError(str(error)) from error


def _take(records: Iterator[Record], limit: int | None) -> Iterator[Record]:
    for number, record in enumerate(records):
        if limit is not None and number >= limit:
            return
        yield record


def _check_ids(records: Iterable[Record]) -> None:
    """Answers belong to records by their ids. Raises EvaluationError before a model has worked for
    answers that nobody can score.
    """
    seen: set[str] = set()
    for record in records:
        if not record.id or record.id in seen:
            fault = f"the id {record.id!r}, which another one has" if record.id else "no id"
            raise EvaluationError(
                f"a record has {fault}: {record.question[:60]!r}; give each its own, by which its "
                "answer is found"
            )
        seen.add(record.id)


def _groups(records: Iterable[Record], done: set[str], batch: int) -> Iterator[list[Record]]:
    fresh = (record for record in records if record.id not in done)
    for _, group in groupby(fresh, key=lambda record: sorted(record.media.items())):
        rest = list(group)
        yield from (rest[i : i + batch] for i in range(0, len(rest), batch))
