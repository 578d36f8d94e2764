"""How the command line speaks: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, SupportsFloat, cast

import typer
from rich.console import Console
from rich.markup import escape as escape_markup
from rich.table import Table

from grounding.spans import Span
from indexer.errors import SeekpointError
from indexer.messages import Message

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")
]
CollectionOption = Annotated[str, typer.Option("--collection", help="Name of the collection.")]
CollectionsOption = Annotated[
    list[str] | None, typer.Option("--collection", help="Only this collection (repeatable).")
]

stdout = Console(
    highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 160
)  # a pipe has no width of its own
stderr = Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Writes one JSON document to stdout."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """JSON's own types from ours: a span becomes start_s and end_s, a path a string, a number that
    is none null.
    """
    if isinstance(value, Message):
        return str(value)
    if isinstance(value, Span):
        return [round(value.start_s, 3), round(value.end_s, 3)]
    if is_dataclass(value) and not isinstance(value, type):
        return {
            key: val
            for field in fields(value)
            for key, val in _member(field.name, getattr(value, field.name))
        }
    if isinstance(value, Mapping):
        return {str(key): plain(val) for key, val in value.items()}
    if isinstance(value, str | bool | int | None):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return (
        str(value) if isinstance(value, Path) else float(cast(SupportsFloat, value))
    )  # numpy's numbers


def _member(name: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Span):
        prefix = "" if name == "span" else f"{name}_"
        return [
            (f"{prefix}start_s", round(value.start_s, 3)),
            (f"{prefix}end_s", round(value.end_s, 3)),
        ]
    return [(name, plain(value))]


def print_error(error: SeekpointError) -> None:
    """Writes an error and its hint to stderr."""
    stderr.print(f"[bold red]error:[/] {escape(error.message)}", soft_wrap=True)
    if error.hint:
        stderr.print(f"[dim]→ {escape(error.hint)}[/]", soft_wrap=True)


def note(text: str) -> None:
    """Writes a line to stderr."""
    stderr.print(escape(text), soft_wrap=True)


def escape(text: str) -> str:
    """Text of users and files as it is: no markup of ours, no control characters of a terminal."""
    return escape_markup("".join(c if c.isprintable() or c == "\n" else "�" for c in text))


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """A table without borders; `right`: columns that are aligned to the right."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made
