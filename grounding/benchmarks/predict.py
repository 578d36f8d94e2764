"""A checkpoint answers the questions of a benchmark's records: one line of JSON each, written as it
comes.

A run that was stopped goes on behind the last whole line. A row whose media cannot be read gets
`"skipped"` instead of an answer, and is tried again by the next run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from grounding.errors import DataError, EvaluationError
from grounding.records.media_files import named_file, read_frames, read_image, read_sound
from grounding.records.record import Record, read_records
from grounding.records.skips import SkipRow, Tally
from grounding.records.writer import check_output

if TYPE_CHECKING:
    from grounding.lego.grounder import Grounder
    from grounding.lego.model.lego_model import Encoded

T = TypeVar("T")
Questions = Callable[[Record], str]


@dataclass(frozen=True, slots=True)
class Ran:
    answered: int
    known: int
    """Answered by an earlier run."""
    skipped: Tally

    def lines(self) -> list[str]:
        told = [f"{self.answered:,} answered, {self.known:,} were answered before"]
        return told + [
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
) -> Ran:
    """Media lie below `root`. Records about the same media that stand together are asked about in
    one batch; the media are encoded once.
    """
    check_output(output, records)
    _check_ids(_limited(_read(records, Tally()), limit))
    question = question or fixed_question
    done = answered_before(output)
    tally = Tally()
    answered = 0
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open(
        "a", encoding="utf-8", errors="replace"
    ) as file:  # a record's JSON may name half a character
        for group in _groups(iter_wrapper(_limited(_read(records, tally), limit)), done, batch):
            for row in answer_group(grounder, group, root, question, tally):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                answered += "answer" in row
            file.flush()
        os.fsync(file.fileno())
    return Ran(answered, len(done), tally)


def answer_group(
    grounder: Grounder, group: Sequence[Record], root: Path, question: Questions, tally: Tally
) -> list[dict[str, Any]]:
    """Rows for records that have their media in common. Whatever goes wrong with one of them is a
    row, too.
    """
    try:
        media = encode_media(grounder, group[0].media, root)
    except SkipRow as skip:
        return [_skipped(record, skip, tally) for record in group]
    try:
        return _answers(grounder, group, media, question)
    except SkipRow:
        return [row for record in group for row in _alone(grounder, record, media, question, tally)]


def _answers(
    grounder: Grounder, group: Sequence[Record], media: Mapping[str, Encoded], question: Questions
) -> list[dict[str, Any]]:
    from grounding.errors import LegoError

    try:
        with memory_named(f"{len(group)} questions at once"):
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
        yield _skipped(record, skip, tally)


def _skipped(record: Record, skip: SkipRow, tally: Tally) -> dict[str, Any]:
    tally(skip.at(record.id))
    return {"id": record.id, "skipped": str(skip)}


def encode_media(grounder: Grounder, media: Mapping[str, str], root: Path) -> dict[str, Encoded]:
    """Raises SkipRow for media that cannot be read."""
    from grounding.errors import MediaError

    def path(kind: str) -> Path:
        return named_file(media[kind], root)

    readers: dict[str, Callable[[], Encoded]] = {
        "image": lambda: grounder.read_image(read_image(path("image"))).encoded,
        "video": lambda: grounder.read_frames(
            read_frames(path("video"), grounder.model.config.max_frames)
        ),
        "sound": lambda: grounder.read_audio(read_sound(path("sound"))),
    }
    try:
        with memory_named("while the media were encoded"):
            return {kind: readers[kind]() for kind in media}
    except MediaError as error:
        raise SkipRow("media that the model cannot read", str(error)) from error


@contextmanager
def memory_named(when: str) -> Iterator[None]:
    """Out of memory becomes a SkipRow; what the GPU kept is freed."""
    import torch

    from grounding.lego.model.memory import is_out_of_memory

    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        torch.cuda.empty_cache()
        raise SkipRow("out of memory", when) from error


def fixed_question(record: Record) -> str:
    """The one wording in which Seekpoint asks for this task; other records are asked as they stand."""
    from grounding.lego.preprocess import prompts

    truth, task = record.truth, record.truth.get("task")
    query, phrase = truth.get("query"), truth.get("phrase")
    if task == "moment" and isinstance(query, str):
        return prompts.when_question(query)
    if task == "locate" and isinstance(phrase, str):
        return prompts.WHERE.format(phrase.strip().rstrip("."))
    fixed = {
        "events": prompts.EVENTS,
        "locate_sound": prompts.WHERE_SOUND,
        "grounded_caption": prompts.DESCRIBE["image"],
        "describe_video": prompts.DESCRIBE["video"],
        "describe_sound": prompts.DESCRIBE["sound"],
    }
    return fixed.get(str(task), record.question)


def answered_before(output: Path) -> set[str]:
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


def _limited(records: Iterator[Record], limit: int | None) -> Iterator[Record]:
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
                f"a record has {fault}: {record.question[:60]!r}; give each its own, by which its answer is found"
            )
        seen.add(record.id)


def _groups(records: Iterable[Record], done: set[str], batch: int) -> Iterator[list[Record]]:
    fresh = (record for record in records if record.id not in done)
    for _, group in groupby(fresh, key=lambda record: sorted(record.media.items())):
        rest = list(group)
        yield from (rest[i : i + batch] for i in range(0, len(rest), batch))
