"""WavCaps: one JSON file for each source (`as_final.json`, `bbc_final.json`, `fsd_final.json`, `sb_final.json`):

{"num_captions_per_audio": 1, "data": [{"id": "2219", "caption": "An airplane is landing.", "duration": 14.14, ...}]}

Sounds are `ID.flac` in a folder for each source; ids of AudioSet end in `.wav`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grounding.data.annotations import Annotation, Caption
from grounding.data.errors import SkipRow
from grounding.data.records import OnSkip
from grounding.data.sets.dataset import DataSet
from grounding.data.sources import json_items, parsed

FOLDERS = ("AudioSet_SL", "BBC_Sound_Effects", "FreeSound", "SoundBible")


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    for source in sources:

        def parse(name: str, row: dict[str, Any], source: Path = source) -> Iterable[Annotation]:
            stem = str(row["id"]).removesuffix(".wav")
            if float(row.get("duration", 1)) <= 0:
                raise SkipRow("zero length", f"{row['duration']} s")
            own = [folder for folder in FOLDERS if folder.lower()[:3] == source.stem.lower()[:3] or folder.lower() in str(source).lower()]
            places = [f"{folder}/{stem}.flac" for folder in (*own, *FOLDERS)]
            yield Annotation(f"{source.stem}/{stem}", {"sound": tuple(dict.fromkeys([*places, f"{stem}.flac"]))}, Caption(row["caption"]))

        yield from parsed(json_items(source, "data.item"), parse, on_skip)


WAVCAPS = DataSet(
    name="wavcaps",
    stage="1, 3",
    sources=("as_final.json and others",),
    tasks=("describe_sound",),
    read=_read,
    media="AudioSet_SL, BBC_Sound_Effects, FreeSound, SoundBible",
    several=True,
)
