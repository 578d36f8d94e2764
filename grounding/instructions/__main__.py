"""python -m grounding.instructions: generate RECORDS... -o FILE | questions -o FILE"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from grounding.command_line import positive, print_samples, progress, run_command, share
from grounding.datasets.questions import DEFAULT_BANK, QuestionBank
from grounding.instructions.bank_writer import BankReport, write_bank
from grounding.instructions.dialogues import load_examples
from grounding.instructions.generate import GenerationReport, Plan, generate
from grounding.language_model.answer_store import Answers
from grounding.language_model.endpoint import Endpoint
from grounding.language_model.endpoint_options import (
    add_endpoint_options,
    endpoint_settings,
    store_path,
)
from grounding.records.writer import replace_text

T = TypeVar("T")


def _generate(options: argparse.Namespace) -> int:
    plan = Plan(options.turns, options.single, options.tries, options.seed, options.limit)
    examples = load_examples(options.examples) if options.examples else None

    async def work(endpoint: Endpoint) -> GenerationReport:
        return await generate(
            options.records,
            options.output,
            endpoint,
            plan,
            examples=examples,
            iter_wrapper=partial(progress, "dialogues"),
        )

    report = _ask(options, work, temperature=0.7)
    replace_text(
        options.output.with_name(options.output.name + ".report.json"),
        json.dumps(report.to_json(), indent=1),
    )
    print("\n".join(report.lines()))
    print_samples(report.rejected)
    if not report.rows and not report.stopped:
        print("no record has a truth to write dialogues from; `convert` keeps it", file=sys.stderr)
    return int(bool(report.stopped) or not report.kept)


def _questions(options: argparse.Namespace) -> int:
    start = QuestionBank.load(
        options.start or (options.output if options.output.exists() else DEFAULT_BANK)
    )

    async def work(endpoint: Endpoint) -> tuple[QuestionBank, BankReport]:
        return await write_bank(
            endpoint, start, options.task or list(start.questions), options.wanted
        )

    bank, report = _ask(options, work, temperature=1.0)
    replace_text(options.output, json.dumps(bank.to_json(), indent=1, ensure_ascii=False) + "\n")
    print("\n".join(report.lines()))
    print_samples(report.rejected)
    return int(bool(report.stopped))


def _ask(
    options: argparse.Namespace, work: Callable[[Endpoint], Awaitable[T]], temperature: float
) -> T:
    options.output.parent.mkdir(parents=True, exist_ok=True)
    answers = Answers(store_path(options, options.output))

    async def run() -> T:
        async with Endpoint(endpoint_settings(options, temperature), answers) as endpoint:
            return await work(endpoint)

    try:
        return asyncio.run(run())
    finally:
        answers.close()


def build_parser() -> argparse.ArgumentParser:
    """The command line of this package."""
    parser = argparse.ArgumentParser(
        prog="python -m grounding.instructions",
        description="Dialogues and questions by a language model (docs/guides/training-data.md).",
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
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
    add.set_defaults(run=_generate)

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
    add.set_defaults(run=_questions)

    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; its exit status."""
    return run_command(build_parser(), arguments)


if __name__ == "__main__":
    sys.exit(main())
