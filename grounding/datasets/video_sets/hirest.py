"""HiREST (`all_data_train.json`): {"Make an Egg Sandwich": {"CAB-4KfX8x0.mp4": {"relevant": true,
"clip": true, "v_duration": 354.97, "bounds": [43, 290], "steps": [{"index": 0, "heading": "Flip the
egg", "absolute_bounds": [43, 60]}]}}}.

`clip` false: the whole video is relevant and nothing is to be localised.
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
        videos = parse_rows(json_pairs(source), _videos, on_skip)
        yield from parse_rows(parse_rows(videos, _moments, on_skip), _annotation, on_skip)


def _videos(
    query: str, videos: dict[str, Any]
) -> Iterable[tuple[str, tuple[str, str, dict[str, Any]]]]:
    for video, row in videos.items():
        yield f"{query}/{video}", (query, video, row)


def _moments(name: str, found: tuple[str, str, dict[str, Any]]) -> Iterable[tuple[str, tuple]]:
    query, video, row = found
    if not row.get("relevant") or not row.get("clip"):
        raise SkipRow("nothing to localise")
    # Steps are looked at one by one, so that a bad one costs itself and the story of all steps, and
    # no other moment.
    steps = row["steps"] if isinstance(row.get("steps"), list) else []
    yield (
        f"{name}/all",
        (video, row["v_duration"], [{"absolute_bounds": row.get("bounds"), "heading": query}]),
    )
    for i, step in enumerate(steps):
        yield f"{name}/{i}", (video, row["v_duration"], [step])
    if len(steps) > 1:
        yield f"{name}/steps", (video, row["v_duration"], steps)


def _annotation(name: str, found: tuple[str, float, list]) -> Iterable[Annotation]:
    video, duration_s, steps = found
    events = tuple((to_span(*step["absolute_bounds"]), step["heading"]) for step in steps)
    fact = (
        Events(events, duration_s)
        if name.endswith("/steps")
        else Moment(events[0][1], (events[0][0],), duration_s)
    )
    yield Annotation(name, {"video": (video,)}, fact)


HIREST = DataSet(
    name="hirest",
    stage="2",
    sources=("all_data_train.json",),
    tasks=("moment", "events"),
    read=_read,
    media="the videos, named by their YouTube id",
)
