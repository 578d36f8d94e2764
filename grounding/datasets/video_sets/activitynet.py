"""ActivityNet Captions (`train.json`, `val_1.json`, `val_2.json`):

{"v_QOlSCBRmfWY": {"duration": 82.73, "timestamps": [[0.83, 19.86], [17.37, 60.81]], "sentences": ["
A woman walks.", " She turns."]}}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grounding.datasets.annotations import Annotation, Events, Moment
from grounding.datasets.dataset import DataSet
from grounding.datasets.sources import json_pairs, parse_rows
from grounding.records.coordinates import to_span
from grounding.records.record import OnSkip
from grounding.records.skips import SkipRow


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    for source in sources:
        # val_1 and val_2 are about the same videos
        videos = ((f"{source.stem}/{video}", row) for video, row in json_pairs(source))
        yield from parse_rows(parse_rows(videos, _moments, on_skip), _annotation, on_skip)


def _moments(name: str, row: dict[str, Any]) -> Iterable[tuple[str, tuple[str, float, list]]]:
    if len(row["timestamps"]) != len(row["sentences"]):
        raise SkipRow(
            "row of another form",
            f"{len(row['timestamps'])} times, {len(row['sentences'])} sentences",
        )
    events = list(zip(row["timestamps"], row["sentences"]))
    video = name.partition("/")[2]
    yield f"{name}/all", (video, row["duration"], events)
    for i, pair in enumerate(events):
        yield f"{name}/{i}", (video, row["duration"], [pair])


def _annotation(key: str, found: tuple[str, float, list]) -> Iterable[Annotation]:
    video, duration_s, pairs = found
    events = tuple((to_span(start, end), text) for (start, end), text in pairs)
    fact = (
        Events(events, duration_s)
        if key.endswith("/all")
        else Moment(events[0][1], (events[0][0],), duration_s)
    )
    yield Annotation(key, {"video": (f"{video}.mp4",)}, fact)


ACTIVITYNET = DataSet(
    name="activitynet",
    stage="3",
    sources=("train.json",),
    tasks=("events", "moment", "moment_caption"),
    read=_read,
    media="the videos, named v_ID",
    several=True,
)
