"""python -m grounding.data: sets | convert SET SOURCE... -o FILE | generate RECORDS... -o FILE |
questions -o FILE | check FILE...
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from grounding.data.errors import DataError, Tally
from grounding.data.options import (
    add_endpoint_options,
    endpoint_settings,
    positive,
    run_command,
    share,
    store_path,
)
from grounding.data.writer import replace_text

if TYPE_CHECKING:
    from grounding.data.bank_writer import BankReport
    from grounding.data.endpoint import Endpoint
    from grounding.data.instructions import GenerationReport
    from grounding.data.questions import QuestionBank

T = TypeVar("T")


def progress(what: str, rows: Iterable[T], total: int | None = None) -> Iterator[T]:
    """A line on stderr; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import (
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn(what),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield from bar.track(rows, total=total)


def sets(given: argparse.Namespace) -> int:
    from grounding.data.sets.registry import SETS

    for data_set in SETS.values():
        print(f"{data_set.name:15} stage {data_set.stage:5} {' '.join(data_set.sources)}")
        print(f"{'':15} becomes {', '.join(data_set.tasks)}; media: {data_set.media}")
    return 0


def convert(given: argparse.Namespace) -> int:
    from grounding.data.convert import Options
    from grounding.data.convert import convert as run
    from grounding.data.questions import QuestionBank
    from grounding.data.sets.registry import SETS

    if given.set not in SETS:
        raise DataError(f"{given.set} is no known set; `sets` lists them: {', '.join(SETS)}")
    options = Options(
        given.media, given.root, given.seed, given.split, tuple(given.task), given.limit
    )
    bank = QuestionBank.load(given.questions) if given.questions else None
    report = run(
        SETS[given.set],
        given.source,
        given.output,
        options,
        bank=bank,
        iter_wrapper=partial(progress, given.set),
    )
    print("\n".join(report.lines()))
    _show_samples(report.skipped)
    if not report.written:
        print(
            f"nothing was converted; are these the files that {given.set} comes in?",
            file=sys.stderr,
        )
    return 0 if report.written else 1


def generate(given: argparse.Namespace) -> int:
    from grounding.data.dialogues import load_examples
    from grounding.data.instructions import Plan
    from grounding.data.instructions import generate as run

    plan = Plan(given.turns, given.single, given.tries, given.seed, given.limit)
    examples = load_examples(given.examples) if given.examples else None

    async def work(endpoint: Endpoint) -> GenerationReport:
        return await run(
            given.records,
            given.output,
            endpoint,
            plan,
            examples=examples,
            iter_wrapper=partial(progress, "dialogues"),
        )

    report = _ask(given, work, temperature=0.7)
    replace_text(
        given.output.with_name(given.output.name + ".report.json"),
        json.dumps(report.to_json(), indent=1),
    )
    print("\n".join(report.lines()))
    _show_samples(report.rejected)
    if not report.rows and not report.stopped:
        print("no record has a truth to write dialogues from; `convert` keeps it", file=sys.stderr)
    return int(bool(report.stopped) or not report.kept)


def questions(given: argparse.Namespace) -> int:
    from grounding.data.bank_writer import write_bank
    from grounding.data.questions import DEFAULT_BANK, QuestionBank

    start = QuestionBank.load(
        given.start or (given.output if given.output.exists() else DEFAULT_BANK)
    )

    async def work(endpoint: Endpoint) -> tuple[QuestionBank, BankReport]:
        return await write_bank(endpoint, start, given.task or list(start.questions), given.wanted)

    bank, report = _ask(given, work, temperature=1.0)
    replace_text(given.output, json.dumps(bank.to_json(), indent=1, ensure_ascii=False) + "\n")
    print("\n".join(report.lines()))
    _show_samples(report.rejected)
    return int(bool(report.stopped))


def _ask(
    given: argparse.Namespace, work: Callable[[Endpoint], Awaitable[T]], temperature: float
) -> T:
    from grounding.data.answer_store import Answers
    from grounding.data.endpoint import Endpoint

    given.output.parent.mkdir(parents=True, exist_ok=True)
    answers = Answers(store_path(given, given.output))

    async def run() -> T:
        async with Endpoint(endpoint_settings(given, temperature), answers) as endpoint:
            return await work(endpoint)

    try:
        return asyncio.run(run())
    finally:
        answers.close()


def check(given: argparse.Namespace) -> int:
    """Reads records as training would, and looks for their files."""
    from grounding.data.check import check_records

    failed = False
    for path in given.file:
        report = check_records(path, given.root, iter_wrapper=partial(progress, path.name))
        print("\n".join(report.lines()))
        _show_samples(report.skipped)
        failed |= bool(report.skipped.total())
    return int(failed)


def _show_samples(tally: Tally) -> None:
    for kept in tally.samples.values():
        for line in kept:
            print(f"  {line}", file=sys.stderr)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m grounding.data",
        description="Data that LEGO learns from (docs/guides/training-data.md).",
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    add = verbs.add_parser("sets", help="the public sets, and the files that each comes in")
    add.set_defaults(run=sets)

    add = verbs.add_parser("convert", help="a public set in its own format -> records")
    add.add_argument("set", metavar="SET", help="its name; `sets` lists them")
    add.add_argument(
        "source", nargs="+", type=Path, help="its files, in the order that `sets` shows"
    )
    add.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        help="JSON lines; a run that was stopped goes on",
    )
    add.add_argument(
        "--media",
        type=Path,
        help="folder of its images, videos, sounds; without it files are not looked for",
    )
    add.add_argument(
        "--root",
        type=Path,
        help="paths in the records are relative to this folder (default: --media)",
    )
    add.add_argument(
        "--questions",
        type=Path,
        help="another bank of questions than the one that comes with the project",
    )
    add.add_argument(
        "--task",
        action="append",
        default=[],
        help="only this task of those that the set offers; may be repeated",
    )
    add.add_argument("--split", help="RefCOCO: train (default), val, testA, testB, test")
    add.add_argument(
        "--seed", type=int, default=0, help="which wording and task a row gets (default 0)"
    )
    add.add_argument("--limit", type=positive, help="end after that many records")
    add.set_defaults(run=convert)

    add = verbs.add_parser(
        "generate", help="dialogues about annotated media, written by a language model and filtered"
    )
    add.add_argument(
        "records",
        nargs="+",
        type=Path,
        help="what `convert` wrote; records of the same media stand together",
    )
    add.add_argument("-o", "--output", type=Path, required=True)
    add.add_argument(
        "--turns",
        type=positive,
        default=4,
        help="at most so many questions in a dialogue (default 4)",
    )
    add.add_argument(
        "--single",
        type=share,
        default=0.3,
        help="part of the rows that become a single question (default .3)",
    )
    add.add_argument(
        "--tries",
        type=positive,
        default=2,
        help="how often a row is asked about until a dialogue passes (default 2)",
    )
    add.add_argument(
        "--examples",
        type=Path,
        help="other hand-made examples than those that come with the project",
    )
    add.add_argument("--seed", type=int, default=0)
    add.add_argument("--limit", type=positive, help="ask about that many rows only")
    add_endpoint_options(add)
    add.set_defaults(run=generate)

    add = verbs.add_parser(
        "questions", help="more wordings for a bank of questions, written by a language model"
    )
    add.add_argument(
        "-o", "--output", type=Path, required=True, help="the bank; one that exists is extended"
    )
    add.add_argument(
        "--start",
        type=Path,
        help="bank to begin with (default: the output, or the one that comes with the project)",
    )
    add.add_argument(
        "--task", action="append", default=[], help="only for this task; may be repeated"
    )
    add.add_argument(
        "--wanted", type=positive, default=100, help="questions for each task (default 100)"
    )
    add_endpoint_options(add)
    add.set_defaults(run=questions)

    add = verbs.add_parser(
        "check",
        help="reads records as training does; exit status 1 if any is bad or lacks its file",
    )
    add.add_argument("file", nargs="+", type=Path)
    add.add_argument(
        "--root", type=Path, help="folder of the media; without it files are not looked for"
    )
    add.set_defaults(run=check)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    return run_command(build_parser(), arguments, DataError)


if __name__ == "__main__":
    sys.exit(main())
