"""Flickr30K Entities: the folders `Sentences` (ID.txt: five lines) and `Annotations` (ID.xml).

[/EN#283585/people Two people] are photographed against [/EN#0/notvisual a backdrop] .
<annotation><size><width>500</width><height>375</height></size>
<object><name>283585</name><bndbox><xmin>1</xmin>...</bndbox></object>

A phrase may have several boxes, or none where the thing is not to be seen; an object may have
several names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from grounding.datasets.annotations import Annotation, Exchange, Mention, Region
from grounding.datasets.dataset import DataSet
from grounding.datasets.sources import parse_rows, read_xml, text_lines
from grounding.records.coordinates import PixelBox, Size
from grounding.records.record import OnSkip
from grounding.records.skips import SkipRow

_PHRASE = re.compile(r"\[/EN#(\d+)/\S+ ([^\]]+)\]")


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    sentences, annotations = sources

    def parse(name: str, file: Path) -> Iterable[Annotation]:
        root = read_xml(annotations / f"{file.stem}.xml")
        size = Size(_number(root, "size/width"), _number(root, "size/height"))
        boxes = boxes_of(root)
        for i, (_, line) in enumerate(text_lines(file)):
            yield from _sentence(f"{file.stem}/{i}", file.stem, line, boxes, size)

    yield from parse_rows(
        ((file.name, file) for file in sorted(sentences.glob("*.txt"))), parse, on_skip
    )


def boxes_of(root: Element) -> dict[str, tuple[PixelBox, ...]]:
    """Name of an entity -> its boxes."""
    boxes: dict[str, tuple[PixelBox, ...]] = {}
    for thing in root.findall("object"):
        if thing.find("bndbox") is not None:
            box = PixelBox(
                *(_number(thing, f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax"))
            )
            for name in thing.findall("name"):
                boxes[name.text or ""] = (*boxes.get(name.text or "", ()), box)
    return boxes


def _sentence(
    key: str, image: str, line: str, boxes: Mapping[str, tuple[PixelBox, ...]], size: Size
) -> Iterator[Annotation]:
    media = {
        "image": (f"flickr30k_images/{image}.jpg", f"flickr30k-images/{image}.jpg", f"{image}.jpg")
    }
    pieces = _PHRASE.split(line)  # text, entity, phrase, text, entity, phrase, ..., text
    words: list[str | Mention] = [pieces[0]]
    for i in range(1, len(pieces), 3):
        entity, phrase, after = pieces[i : i + 3]
        words += [Mention(phrase, boxes[entity]) if entity in boxes else phrase, after]
        if entity in boxes:
            yield Annotation(f"{key}/{i // 3}", media, Region(phrase, boxes[entity], size))
    yield Annotation(
        key,
        media,
        Exchange(
            (), tuple(word for word in words if isinstance(word, Mention) or word.strip()), size
        ),
    )


def _number(element: Element, path: str) -> int:
    text = element.findtext(path)
    if text is None:
        raise SkipRow("row of another form", f"no <{path}>")
    return int(text)


FLICKR30K = DataSet(
    name="flickr30k",
    stage="3",
    sources=("Sentences", "Annotations"),
    tasks=("grounded_caption", "locate"),
    read=_read,
    media="the images of Flickr30K",
)
