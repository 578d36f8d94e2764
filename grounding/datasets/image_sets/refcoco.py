"""RefCOCO, RefCOCO+, RefCOCOg: `refs(unc).p`, `refs(google).p` or `refs(umd).p`, and
`instances.json`.

The first is a pickle of [{"ref_id", "ann_id", "image_id", "split": "train", "sentences": [{"sent":
"lady in blue", "sent_id", ...}]}], the second COCO's {"images": [{"id", "file_name", "width",
"height"}], "annotations": [{"id", "image_id", "bbox": [x, y, w, h]}]}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grounding.datasets.annotations import Annotation, Region
from grounding.datasets.dataset import DataSet
from grounding.datasets.sources import json_items, parse_rows, read_pickle
from grounding.errors import DataError
from grounding.records.coordinates import PixelBox, Size
from grounding.records.record import OnSkip
from grounding.records.skips import SkipRow


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    refs = read_pickle(sources[0])
    if not isinstance(refs, list):
        raise DataError(
            f"{sources[0]} holds a {type(refs).__name__}; expected a list of references"
        )
    images = dict(parse_rows(json_items(sources[1], "images.item"), _image, on_skip))
    boxes = dict(parse_rows(json_items(sources[1], "annotations.item"), _box, on_skip))

    def parse(name: str, ref: dict[str, Any]) -> Iterable[Annotation]:
        if ref["image_id"] not in images or ref["ann_id"] not in boxes:
            raise SkipRow(
                "image or box unknown", f"image {ref['image_id']}, annotation {ref['ann_id']}"
            )
        file, size = images[ref["image_id"]]
        media = {"image": (f"train2014/{file}", file)}
        for sentence in ref["sentences"]:
            region = Region(sentence["sent"], (boxes[ref["ann_id"]],), size)
            yield Annotation(f"{ref['ref_id']}/{sentence['sent_id']}", media, region, ref["split"])

    yield from parse_rows(
        ((f"{sources[0].name}[{i}]", ref) for i, ref in enumerate(refs)), parse, on_skip
    )


def _image(name: str, row: dict[str, Any]) -> Iterable[tuple[int, tuple[str, Size]]]:
    yield row["id"], (row["file_name"], Size(row["width"], row["height"]))


def _box(name: str, row: dict[str, Any]) -> Iterable[tuple[int, PixelBox]]:
    yield row["id"], PixelBox.from_size(*row["bbox"])


def _variant(name: str, refs: str) -> DataSet:
    return DataSet(
        name=name,
        stage="2",
        sources=(refs, "instances.json"),
        tasks=("locate",),
        read=_read,
        media="train2014 of COCO",
        split="train",
    )


REFCOCO = (
    _variant("refcoco", "refs(unc).p"),
    _variant("refcoco+", "refs(unc).p"),
    _variant("refcocog", "refs(umd).p"),
)
