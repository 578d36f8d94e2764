"""WavCaps: one JSON file for each source (`as_final.json`, `bbc_final.json`, `fsd_final.json`,
`sb_final.json`):

{"num_captions_per_audio": 1, "data": [{"id": "2219", "caption": "An airplane is landing.",
"duration": 14.14, ...}]}

Sounds are `ID.flac` in a folder for each source; ids of AudioSet end in `.wav`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grounding.datasets.annotations import Annotation, Caption
from grounding.datasets.dataset import DataSet
from grounding.datasets.sources import json_items, parse_rows
from grounding.records.record import OnSkip
from grounding.records.skips import SkipRow

FOLDERS = {"as": "AudioSet_SL", "bbc": "BBC_Sound_Effects", "fsd": "FreeSound", "sb": "SoundBible"}
"""First part of a file's name -> folder of its sounds. Ids are numbers that several sources use, so
no other folder may be tried.
"""


def folder_of(source: Path) -> str | None:
    """None: neither the file's name nor its folder says which source it is."""
    words = re.split(r"[^a-z]+", source.stem.lower())
    return next(
        (
            folder
            for mark, folder in FOLDERS.items()
            if mark in words or folder in (source.stem, source.parent.name)
        ),
        None,
    )


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    for source in sources:
        folder = folder_of(source)

        def parse(
            name: str, row: dict[str, Any], folder: str | None = folder, stem: str = source.stem
        ) -> Iterable[Annotation]:
            sound = str(row["id"]).removesuffix(".wav")
            duration_s = float(row.get("duration", 1))
            if not math.isfinite(duration_s):
                raise SkipRow("not a number", f"{row['duration']} s")
            if duration_s <= 0:
                raise SkipRow("zero length", f"{row['duration']} s")
            places = (f"{folder}/{sound}.flac", f"{sound}.flac") if folder else (f"{sound}.flac",)
            yield Annotation(f"{stem}/{sound}", {"sound": places}, Caption(row["caption"]))

        yield from parse_rows(json_items(source, "data.item"), parse, on_skip)


WAVCAPS = DataSet(
    name="wavcaps",
    stage="1, 3",
    sources=("as_final.json and others",),
    tasks=("describe_sound",),
    read=_read,
    media="AudioSet_SL, BBC_Sound_Effects, FreeSound, SoundBible",
    several=True,
)
