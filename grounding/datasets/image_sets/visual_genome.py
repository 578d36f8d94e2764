"""Visual Genome: `region_descriptions.json` or `objects.json`, and `image_data.json` for the sizes
of the images.

[{"id": 1, "regions": [{"region_id": 1382, "image_id": 1, "phrase": "the clock is green", "x": 421,
"y": 57, "width": 82, "height": 139}]}] [{"image_id": 1, "objects": [{"object_id": 1058498, "names":
["clock"], "x": 421, "y": 91, "w": 79, "h": 339}]}] [{"image_id": 1, "width": 800, "height": 600,
...}]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grounding.datasets.annotations import Annotation, Region
from grounding.datasets.dataset import DataSet
from grounding.datasets.sources import ODD, json_items, parse_rows
from grounding.records.coordinates import PixelBox, Size
from grounding.records.record import OnSkip
from grounding.records.skips import Skip, SkipRow

MAX_ALIKE = 5
"""More things of one name in an image are seldom all annotated."""


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    sizes = dict(parse_rows(json_items(sources[1]), _size, on_skip))

    def parse(
        name: str, row: dict[str, Any]
    ) -> Iterable[tuple[str, tuple[str, dict[str, Any], Size]]]:
        image = row["image_id"] if "objects" in row else row["id"]
        if image not in sizes:
            raise SkipRow("image without size", f"image {image} is not in {sources[1].name}")
        things = row["objects"] if "objects" in row else row["regions"]
        for i, thing in enumerate(
            _group_alike(things, name, on_skip) if "objects" in row else things
        ):
            yield f"{name}/{i}", (image, thing, sizes[image])

    yield from parse_rows(parse_rows(json_items(sources[0]), parse, on_skip), _thing, on_skip)


def _size(name: str, row: dict[str, Any]) -> Iterable[tuple[int, Size]]:
    yield row["image_id"], Size(row["width"], row["height"])


def _group_alike(
    objects: Sequence[dict[str, Any]], image: str, on_skip: OnSkip
) -> Iterator[dict[str, Any]]:
    """Objects of the same name belong to one question; one without a name to none."""
    alike: dict[str, list[dict[str, Any]]] = {}
    for i, thing in enumerate(objects):
        try:
            alike.setdefault(thing["names"][0].strip().lower(), []).append(thing)
        except ODD:
            on_skip(Skip("object without a name", f"{image}/objects/{i}"))
    for name, things in alike.items():
        yield {"name": name, "things": things}


def _thing(name: str, found: tuple[str, dict[str, Any], Size]) -> Iterable[Annotation]:
    image, thing, size = found
    media = {"image": (f"VG_100K/{image}.jpg", f"VG_100K_2/{image}.jpg", f"{image}.jpg")}
    if "things" not in thing:
        box = PixelBox.from_size(thing["x"], thing["y"], thing["width"], thing["height"])
        yield Annotation(
            f"{image}/region/{thing['region_id']}", media, Region(thing["phrase"], (box,), size)
        )
        return
    things = thing["things"]
    if len(things) > MAX_ALIKE:
        raise SkipRow("too many alike", f"{len(things)} times {thing['name']!r}")
    boxes = tuple(PixelBox.from_size(one["x"], one["y"], one["w"], one["h"]) for one in things)
    yield Annotation(
        f"{image}/object/{things[0]['object_id']}", media, Region(thing["name"], boxes, size)
    )


VISUAL_GENOME = DataSet(
    name="visual_genome",
    stage="2, 3",
    sources=("region_descriptions.json or objects.json", "image_data.json"),
    tasks=("locate", "region_caption"),
    read=_read,
    media="VG_100K and VG_100K_2",
)
