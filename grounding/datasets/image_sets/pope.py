"""POPE (`coco_pope_random.json`, JSON lines): {"question_id": 1, "image":
"COCO_val2014_000000310196.jpg", "text": "Is there a snowboard in the image?", "label": "yes"}. For
evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grounding.datasets.annotations import Annotation, Dialogue
from grounding.datasets.dataset import DataSet
from grounding.datasets.sources import parse_rows
from grounding.records.record import OnSkip, read_rows
from grounding.records.skips import SkipRow


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    for source in sources:
        yield from parse_rows(
            read_rows(source, on_skip), lambda name, row, stem=source.stem: _row(stem, row), on_skip
        )


def _row(part: str, row: dict[str, Any]) -> Iterable[Annotation]:
    if row["label"] not in ("yes", "no"):
        raise SkipRow("no label", repr(row["label"]))
    media = {"image": (f"val2014/{row['image']}", row["image"])}
    yield Annotation(
        f"{part}/{row['question_id']}",
        media,
        Dialogue((f"{row['text']} Please answer yes or no.", row["label"])),
    )


POPE = DataSet(
    name="pope",
    stage="test",
    sources=("coco_pope_random.json",),
    tasks=("dialogue",),
    read=_read,
    media="val2014 of COCO",
    several=True,
)
