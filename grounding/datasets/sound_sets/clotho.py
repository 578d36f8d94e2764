"""Clotho (`clotho_captions_development.csv`): the columns `file_name`, `caption_1` to `caption_5`;
each caption is a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from grounding.datasets.annotations import Annotation, Caption
from grounding.datasets.dataset import DataSet
from grounding.datasets.sources import csv_rows, parse_rows
from grounding.records.record import OnSkip

FOLDERS = ("development", "validation", "evaluation")


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    for source in sources:
        yield from parse_rows(
            parse_rows(csv_rows(source), _captions, on_skip), _annotation, on_skip
        )


def _captions(name: str, row: dict[str, str]) -> Iterable[tuple[str, tuple[str, str]]]:
    for number in range(1, 6):
        yield f"{row['file_name']}/{number}", (row["file_name"], row[f"caption_{number}"])


def _annotation(key: str, found: tuple[str, str]) -> Iterable[Annotation]:
    file, caption = found
    yield Annotation(
        key, {"sound": (*(f"{folder}/{file}" for folder in FOLDERS), file)}, Caption(caption)
    )


CLOTHO = DataSet(
    name="clotho",
    stage="3",
    sources=("clotho_captions_development.csv",),
    tasks=("describe_sound",),
    read=_read,
    media="development, validation or evaluation",
    several=True,
)
