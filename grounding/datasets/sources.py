"""Reading other people's files: JSON of any size, CSV, XML, pickles. A file that is broken is a
DataError, a row that is odd a skip.
"""

from __future__ import annotations

import csv
import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from xml.etree import ElementTree

import ijson

from grounding.errors import DataError
from grounding.records.finite_json import FiniteJson
from grounding.records.record import OnSkip, json_fault
from grounding.records.skips import SkipRow

T = TypeVar("T")
ODD = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError)
"""What a row of another form makes a reader raise."""


def parse_rows(
    rows: Iterable[tuple[str, Any]], parse: Callable[[str, Any], Iterable[T]], on_skip: OnSkip
) -> Iterator[T]:
    """What `parse` makes of each (name, row); a row that it cannot read is skipped and named."""
    for name, row in rows:
        try:
            yield from list(parse(name, row))
        except SkipRow as skip:
            on_skip(skip.at(name))
        except ODD as error:
            on_skip(SkipRow("row of another form", f"{type(error).__name__}: {error}").at(name))


def json_items(path: Path, prefix: str = "item") -> Iterator[tuple[str, Any]]:
    """(place, value) of an array inside a JSON file; `prefix` as in ijson: `item` is the outermost
    array, `data.item` that under data.
    """
    yield from _stream_json(
        path,
        lambda file: (
            (f"{path.name}[{i}]", v)
            for i, v in enumerate(ijson.items(file, prefix, use_float=True))
        ),
    )


def json_pairs(path: Path) -> Iterator[tuple[str, Any]]:
    """(key, value) of the object that a JSON file is."""
    yield from _stream_json(path, lambda file: ijson.kvitems(file, "", use_float=True))


def _stream_json(
    path: Path, read: Callable[[Any], Iterable[tuple[str, Any]]]
) -> Iterator[tuple[str, Any]]:
    count = 0
    try:
        with path.open("rb") as file:
            for pair in read(FiniteJson(file)):
                yield pair
                count += 1
    except (OSError, ValueError, ijson.JSONError) as error:
        raise DataError(
            f"{path} cannot be read behind its first {count} rows: {json_fault(error)}"
        ) from error


def csv_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """(place, row) of a CSV file with a header; bytes that are not UTF-8 are replaced."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                yield f"{path.name}:{number}", row
    except (OSError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as CSV: {error}") from error


def text_lines(path: Path) -> Iterator[tuple[str, str]]:
    """(place, line) of every line that is not blank."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield f"{path.name}:{number}", line.strip()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def read_xml(path: Path) -> ElementTree.Element:
    """Raises SkipRow. Declarations of entities, which can blow up a parser, are refused."""
    try:
        text = path.read_bytes()
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise SkipRow("XML with declarations", str(path))
        return ElementTree.fromstring(text)
    except OSError as error:
        raise SkipRow("missing file", f"{path}: {error}") from error
    # LookupError: an encoding that Python does not know
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise SkipRow("broken XML", f"{path}: {error}") from error


class _PlainUnpickler(pickle.Unpickler):
    """Lists, dictionaries, texts and numbers only: a pickle from strangers may name any function to
    be called.
    """

    def find_class(self, module: str, name: str) -> Any:
        raise DataError(
            f"the pickle asks for {module}.{name}; only lists, dictionaries, texts and numbers are "
            "read"
        )


def read_pickle(path: Path) -> Any:
    """The lists, dictionaries, texts and numbers of a pickle of Python 2 or 3. Raises DataError for
    any other content.
    """
    try:
        with path.open("rb") as file:
            return _PlainUnpickler(file, encoding="utf-8", errors="replace").load()
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except (OSError, pickle.UnpicklingError, EOFError, *ODD) as error:
        raise DataError(f"{path} cannot be read as a pickle: {error!r}") from error
