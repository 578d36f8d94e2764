"""python -m grounding.data: sets | convert SET SOURCE... -o FILE | check FILE..."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from grounding.data.errors import DataError, Tally

T = TypeVar("T")


def progress(what: str, rows: Iterable[T], total: int | None = None) -> Iterator[T]:
    """A line on stderr; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn(what), MofNCompleteColumn(), TextColumn("rows"), TimeElapsedColumn())
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
    options = Options(given.media, given.root, given.seed, given.split, tuple(given.task), given.limit)
    bank = QuestionBank.load(given.questions) if given.questions else None
    report = run(SETS[given.set], given.source, given.output, options, bank=bank, iter_wrapper=partial(progress, given.set))
    print("\n".join(report.lines()))
    _show_samples(report.skipped)
    if not report.written:
        print(f"nothing was converted; are these the files that {given.set} comes in?", file=sys.stderr)
    return 0 if report.written else 1


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
    parser = argparse.ArgumentParser(prog="python -m grounding.data", description="Data that LEGO learns from (docs/data.md).")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    add = verbs.add_parser("sets", help="the public sets, and the files that each comes in")
    add.set_defaults(run=sets)

    add = verbs.add_parser("convert", help="a public set in its own format -> records")
    add.add_argument("set", metavar="SET", help="its name; `sets` lists them")
    add.add_argument("source", nargs="+", type=Path, help="its files, in the order that `sets` shows")
    add.add_argument("-o", "--output", type=Path, required=True, help="JSON lines; a run that was stopped goes on")
    add.add_argument("--media", type=Path, help="folder of its images, videos, sounds; without it files are not looked for")
    add.add_argument("--root", type=Path, help="paths in the records are relative to this folder (default: --media)")
    add.add_argument("--questions", type=Path, help="another bank of questions than the one that comes with the project")
    add.add_argument("--task", action="append", default=[], help="only this task of those that the set offers; may be repeated")
    add.add_argument("--split", help="RefCOCO: train (default), val, testA, testB, test")
    add.add_argument("--seed", type=int, default=0, help="which wording and task a row gets (default 0)")
    add.add_argument("--limit", type=int, help="end after that many records")
    add.set_defaults(run=convert)

    add = verbs.add_parser("check", help="reads records as training does; exit status 1 if any is bad or lacks its file")
    add.add_argument("file", nargs="+", type=Path)
    add.add_argument("--root", type=Path, help="folder of the media; without it files are not looked for")
    add.set_defaults(run=check)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    given = build_parser().parse_args(arguments)
    try:
        return given.run(given)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
