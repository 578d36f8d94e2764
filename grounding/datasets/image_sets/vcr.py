"""VCR: `train.jsonl` and the folder `vcr1images` with each image's metadata.

{"annot_id": "train-0", "img_fn": "lsmdc_1054/x.jpg", "metadata_fn": "lsmdc_1054/x.json", "objects":
["person", "person"],
 "question": ["Why", "is", [0], "pointing", "at", [1], "?"], "answer_choices": [[...], ...],
 "answer_label": 0,
 "rationale_choices": [[...], ...], "rationale_label": 2}
{"boxes": [[x1, y1, x2, y2, score], ...], "names": ["person", ...], "width": 1920, "height": 1080}

A list of numbers in a sentence stands for objects, which become their names with their boxes. The
answer goes with its reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from grounding.datasets.annotations import Annotation, Exchange, Mention, Words
from grounding.datasets.dataset import DataSet
from grounding.datasets.sources import parse_rows
from grounding.records.coordinates import PixelBox, Size
from grounding.records.media_files import safe_name
from grounding.records.record import OnSkip, read_rows
from grounding.records.skips import SkipRow


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    lines, folder = sources

    def parse(name: str, row: dict[str, Any]) -> Iterable[Annotation]:
        boxes, size = _metadata(folder / safe_name(row["metadata_fn"]))
        if row.get("answer_label") is None or row.get("rationale_label") is None:
            raise SkipRow("no label")
        sentences = [
            row["question"],
            row["answer_choices"][row["answer_label"]],
            row["rationale_choices"][row["rationale_label"]],
        ]
        question, answer, reason = (_words(tokens, row["objects"], boxes) for tokens in sentences)
        yield Annotation(
            row["annot_id"],
            {"image": (row["img_fn"],)},
            Exchange(question, (*answer, *reason), size),
        )

    yield from parse_rows(read_rows(lines, on_skip), parse, on_skip)


@lru_cache(maxsize=64)  # several questions in a row are about one image
def _metadata(path: Path) -> tuple[tuple[PixelBox, ...], Size]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SkipRow("metadata cannot be read", f"{path}: {error}") from error
    return tuple(PixelBox(*box[:4]) for box in raw["boxes"]), Size(raw["width"], raw["height"])


def _words(tokens: Sequence[Any], names: Sequence[str], boxes: Sequence[PixelBox]) -> Words:
    words: list[str | Mention] = []
    for token in tokens:
        if isinstance(token, str):
            words.append(token)
            continue
        for place, thing in enumerate(token):
            if place:
                words.append("and")
            words.append(Mention(str(names[thing]), (boxes[thing],)))
    return tuple(words)


VCR = DataSet(
    name="vcr",
    stage="3",
    sources=("train.jsonl", "vcr1images"),
    tasks=("exchange",),
    read=_read,
    media="vcr1images, the same folder as named",
)
