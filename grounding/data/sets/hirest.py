"""HiREST (`all_data_train.json`): {"Make an Egg Sandwich": {"CAB-4KfX8x0.mp4": {"relevant": true, "clip": true, "v_duration": 354.97,
"bounds": [43, 290], "steps": [{"index": 0, "heading": "Flip the egg", "absolute_bounds": [43, 60]}]}}}.

`clip` false: the whole video is relevant and nothing is to be localised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grounding.data.annotations import Annotation, Events, Moment
from grounding.data.coordinates import to_span
from grounding.data.errors import SkipRow
from grounding.data.records import OnSkip
from grounding.data.sets.dataset import DataSet
from grounding.data.sources import json_pairs, parsed


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    for source in sources:
        videos = parsed(json_pairs(source), _videos, on_skip)
        yield from parsed(parsed(videos, _moments, on_skip), _annotation, on_skip)


def _videos(query: str, videos: dict[str, Any]) -> Iterable[tuple[str, tuple[str, str, dict[str, Any]]]]:
    for video, row in videos.items():
        yield f"{query}/{video}", (query, video, row)


def _moments(name: str, found: tuple[str, str, dict[str, Any]]) -> Iterable[tuple[str, tuple]]:
    query, video, row = found
    if not row.get("relevant") or not row.get("clip"):
        raise SkipRow("nothing to localise")
    yield f"{name}/all", (video, row["v_duration"], [(row["bounds"], query)])
    for i, step in enumerate(row["steps"]):
        yield f"{name}/{i}", (video, row["v_duration"], [(step["absolute_bounds"], step["heading"])])
    if len(row["steps"]) > 1:
        yield f"{name}/steps", (video, row["v_duration"], [(step["absolute_bounds"], step["heading"]) for step in row["steps"]])


def _annotation(name: str, found: tuple[str, float, list]) -> Iterable[Annotation]:
    video, duration_s, told = found
    events = tuple((to_span(start, end), text) for (start, end), text in told)
    fact = Events(events, duration_s) if name.endswith("/steps") else Moment(events[0][1], (events[0][0],), duration_s)
    yield Annotation(name, {"video": (video,)}, fact)


HIREST = DataSet(
    name="hirest",
    stage="2",
    sources=("all_data_train.json",),
    tasks=("moment", "events"),
    read=_read,
    media="the videos, named by their YouTube id",
)
