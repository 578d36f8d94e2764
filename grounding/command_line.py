"""What the command lines share: types of options, a line of progress, how a command ends."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from grounding.errors import GroundingError
from grounding.records.skips import Tally

T = TypeVar("T")


def positive(text: str) -> int:
    """A whole number from 1, as argparse takes a type."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return value


def _number(text: str, least: float, most: float = sys.float_info.max) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number from {least:g}"
            + (f" to {most:g}" if most < sys.float_info.max else "")
        )
    return value


def not_negative(text: str) -> float:
    """A number from 0, as argparse takes a type."""
    return _number(text, 0)


def seconds(text: str) -> float:
    """A time to wait, as argparse takes a type."""
    return _number(text, 0.001)


def share(text: str) -> float:
    """A number from 0 to 1, as argparse takes a type."""
    return _number(text, 0, 1)


def progress(what: str, rows: Iterable[T], total: int | None = None) -> Iterator[T]:
    """Yields the rows, with a line on stderr that counts them; silent where stderr is not a
    terminal.
    """
    columns = (
        SpinnerColumn(),
        TextColumn(what),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield from bar.track(rows, total=total)


def print_samples(tally: Tally) -> None:
    """The first skips of each reason, on stderr."""
    for lines in tally.samples.values():
        for line in lines:
            print(f"  {line}", file=sys.stderr)


def run_command(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> int:
    """The exit status of what the parser says to run: its `run` takes the options. An error of
    ours, a full disk or a folder that cannot be written is one line on stderr.
    """
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except (GroundingError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
