"""VGG-SS (`vggss.json`): [{"file": "-0jeONf82dE_000021", "class": "horse clip-clop", "bbox":
[[0.31, 0.22, 0.74, 0.95]]}].

`file` is a clip of VGG-Sound; its boxes are fractions of the middle frame, which lies beside the
sound as a picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grounding.datasets.annotations import Annotation, SoundSource
from grounding.datasets.dataset import DataSet
from grounding.datasets.sources import json_items, parse_rows
from grounding.records.coordinates import PixelBox
from grounding.records.record import OnSkip


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    rows_of: Counter[str] = Counter()

    def parse(name: str, row: dict[str, Any]) -> Iterable[Annotation]:
        rows_of[row["file"]] += 1
        yield _annotation(row, rows_of[row["file"]])

    for source in sources:
        yield from parse_rows(json_items(source), parse, on_skip)


def _annotation(row: dict[str, Any], number: int) -> Annotation:
    """The first row of a file has its name, the others their number behind it."""
    file, label = row["file"], row["class"]
    key = file if number == 1 else f"{file}/{number}"
    boxes = tuple(PixelBox(*map(float, box)) for box in row["bbox"])
    media = {
        "image": (f"frames/{file}.jpg", f"{file}.jpg"),
        "sound": (f"audio/{file}.wav", f"{file}.wav"),
    }
    return Annotation(
        key,
        media,
        SoundSource(label if isinstance(label, str) else ", ".join(label), boxes, fractions=True),
    )


VGGSS = DataSet(
    name="vggss",
    stage="2",
    sources=("vggss.json",),
    tasks=("locate_sound",),
    read=_read,
    media="frames/NAME.jpg and audio/NAME.wav, or side by side",
)
