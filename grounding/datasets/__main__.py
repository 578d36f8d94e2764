"""python -m grounding.datasets: sets | convert SET SOURCE... -o FILE | check FILE..."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from grounding.command_line import positive, print_samples, progress, run_command
from grounding.datasets.check import check_records
from grounding.datasets.convert import Options, convert
from grounding.datasets.questions import QuestionBank
from grounding.datasets.registry import SETS
from grounding.errors import DataError


def _sets(_: argparse.Namespace) -> int:
    for data_set in SETS.values():
        print(f"{data_set.name:15} stage {data_set.stage:5} {' '.join(data_set.sources)}")
        print(f"{'':15} becomes {', '.join(data_set.tasks)}; media: {data_set.media}")
    return 0


def _convert(options: argparse.Namespace) -> int:
    if options.set not in SETS:
        raise DataError(f"{options.set} is not a known set; `sets` lists them: {', '.join(SETS)}")
    choices = Options(
        options.media, options.root, options.seed, options.split, tuple(options.task), options.limit
    )
    bank = QuestionBank.load(options.questions) if options.questions else None
    report = convert(
        SETS[options.set],
        options.source,
        options.output,
        choices,
        bank=bank,
        iter_wrapper=partial(progress, options.set),
    )
    print("\n".join(report.lines()))
    print_samples(report.skipped)
    if not report.written:
        print(
            f"nothing was converted; are these the files that {options.set} comes in?",
            file=sys.stderr,
        )
    return 0 if report.written else 1


def _check(options: argparse.Namespace) -> int:
    """Reads records as training would, and looks for their files."""
    failed = False
    for path in options.file:
        report = check_records(path, options.root, iter_wrapper=partial(progress, path.name))
        print("\n".join(report.lines()))
        print_samples(report.skipped)
        failed |= bool(report.skipped.total())
    return int(failed)


def build_parser() -> argparse.ArgumentParser:
    """The command line of this package."""
    parser = argparse.ArgumentParser(
        prog="python -m grounding.datasets",
        description="Public data sets to records for LEGO (docs/guides/training-data.md).",
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    add = verbs.add_parser("sets", help="the public sets, and the files that each comes in")
    add.set_defaults(run=_sets)

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
    add.set_defaults(run=_convert)

    add = verbs.add_parser(
        "check",
        help="reads records as training does; exit status 1 if any is bad or lacks its file",
    )
    add.add_argument("file", nargs="+", type=Path)
    add.add_argument(
        "--root", type=Path, help="folder of the media; without it files are not looked for"
    )
    add.set_defaults(run=_check)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; its exit status."""
    return run_command(build_parser(), arguments)


if __name__ == "__main__":
    sys.exit(main())
