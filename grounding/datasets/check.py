"""Are these records fit to train on? Each is parse_rows, its numbers are in range, its files are
there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from grounding.datasets.convert import Report, identity
from grounding.records.media_files import existing_file
from grounding.records.record import Record, read_records
from grounding.records.skips import SkipRow, Tally

_BRACKETS = re.compile(
    r"\{\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*\}"
    r"|\[\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*\]"
)


def check_records(
    path: Path,
    root: Path | None = None,
    *,
    iter_wrapper: Callable[[Iterable[Record]], Iterable[Record]] = identity,
) -> Report:
    """Reads a file of records and counts what is wrong with each. `root` None: the files that they
    name are not looked for.
    """
    tally = Tally()
    read = 0
    good = 0
    for read, record in enumerate(iter_wrapper(read_records(path, tally)), 1):
        try:
            check_numbers(record)
            if root is not None:
                check_files(record, root)
            good += 1
        except SkipRow as skip:
            tally(skip.at(record.id or f"record {read} of {path.name}"))
    return Report(read, good, tally)


def check_numbers(record: Record) -> None:
    """Raises SkipRow for a span or a box in any turn that is not made of fractions in order."""
    for message in record.messages:
        for match in _BRACKETS.finditer(message.text):
            if "." not in match.group():
                continue  # [1, 2, 3, 4] in a talk about something else
            values = _numbers(match)
            half = len(values) // 2
            if not all(0 <= value <= 1 for value in values):
                raise SkipRow("out of range", match.group())
            if any(low >= high for low, high in zip(values[:half], values[half:])):
                raise SkipRow("zero length" if half == 1 else "empty box", match.group())


def _numbers(match: re.Match[str]) -> list[float]:
    try:
        return [float(value) for value in match.groups() if value is not None]
    except ValueError as error:  # 0.1.2
        raise SkipRow("not a number", match.group()) from error


def check_files(record: Record, root: Path) -> None:
    """Raises SkipRow for a file that is not below `root`."""
    for name in record.media.values():
        existing_file(name, root)
