"""QVHighlights (`highlight_val_release.jsonl`): {"qid": 2579, "query": "A girl rides a bike",
"duration": 150, "vid": "NUsG9BgSes0_210.0_360.0", "relevant_windows": [[82, 150]], ...}. The public
model was not trained on it: for evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grounding.datasets.annotations import Annotation, Moment
from grounding.datasets.dataset import DataSet
from grounding.datasets.sources import parse_rows
from grounding.records.coordinates import to_span
from grounding.records.record import OnSkip, read_rows


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    for source in sources:
        yield from parse_rows(read_rows(source, on_skip), _row, on_skip)


def _row(name: str, row: dict[str, Any]) -> Iterable[Annotation]:
    spans = tuple(to_span(start, end) for start, end in row["relevant_windows"])
    yield Annotation(
        str(row["qid"]),
        {"video": (f"{row['vid']}.mp4",)},
        Moment(row["query"], spans, float(row["duration"])),
    )


QVHIGHLIGHTS = DataSet(
    name="qvhighlights",
    stage="test",
    sources=("highlight_val_release.jsonl",),
    tasks=("moment",),
    read=_read,
    media="the videos, named by vid",
)
