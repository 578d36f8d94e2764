"""LLaVA-Pretrain-595K (`chat.json`) and the LLaVA mix (`llava_v1_5_mix665k.json`): arrays of

{"id": "GCC_train_002582585", "image": "GCC_train_002582585.jpg", "conversations": [
    {"from": "human", "value": "Write a terse summary.\\n<image>"}, {"from": "gpt", "value": "a cat
    on a mat"}]}

Of the first the caption is taken, and asked for in words of our own. The mix keeps its turns; rows
without an image are words only; its boxes are fractions of the padded square already (LLaVA, issue
606), as LEGO writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grounding.datasets.annotations import Annotation, Caption, Dialogue
from grounding.datasets.dataset import DataSet
from grounding.datasets.sources import json_items, parse_rows
from grounding.records.record import ROLES, OnSkip
from grounding.records.skips import SkipRow


def turns(row: dict[str, Any]) -> tuple[str, ...]:
    """The words of a conversation that begins with a person and alternates."""
    conversation = row["conversations"]
    for i, turn in enumerate(conversation):
        if turn["from"] != ROLES[i % 2]:
            raise SkipRow("turns do not alternate", f"turn {i + 1} is from {turn['from']}")
    return tuple(turn["value"] for turn in conversation)


def read_captions(kind: str, sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    """The first answer of each row as the caption of its `kind` of medium."""

    def parse(name: str, row: dict[str, Any]) -> Iterable[Annotation]:
        yield Annotation(
            str(row.get("id", row[kind])), {kind: (row[kind],)}, Caption(turns(row)[1])
        )

    for source in sources:
        yield from parse_rows(json_items(source), parse, on_skip)


def _read_pretrain(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    return read_captions("image", sources, on_skip)


def _read_mix(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    for source in sources:
        yield from parse_rows(json_items(source), _mix_row, on_skip)


def _mix_row(name: str, row: dict[str, Any]) -> Iterable[Annotation]:
    media = {"image": (row["image"],)} if row.get("image") else {}
    # One image has several rows with the same id.
    yield Annotation(
        f"{row['id']}/{name.rpartition('[')[2].rstrip(']')}", media, Dialogue(turns(row))
    )


PRETRAIN = DataSet(
    name="llava_pretrain",
    stage="1",
    sources=("chat.json",),
    tasks=("describe_image",),
    read=_read_pretrain,
    media="the images of CC3M-595K (images.zip)",
)
MIX = DataSet(
    name="llava_mix",
    stage="3",
    sources=("llava_v1_5_mix665k.json",),
    tasks=("dialogue",),
    read=_read_mix,
    media=(
        "coco/train2017, gqa/images, ocr_vqa/images, textvqa/train_images, vg/VG_100K, vg/VG_100K_2"
    ),
)
