"""DiDeMo (`train_data.json`): [{"annotation_id": 12, "video": "12345@N00_678_abc.mov",
"description": "the dog jumps", "times": [[2, 2], [2, 3], [2, 2]], "num_segments": 6}].

Videos are cut into pieces of five seconds; `times` are the first and last piece that each of
several annotators chose. The choice that most made is taken; a row on which no two agree is
skipped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grounding.datasets.annotations import Annotation, Moment
from grounding.datasets.dataset import DataSet
from grounding.datasets.sources import json_items, parse_rows
from grounding.records.record import OnSkip
from grounding.records.skips import SkipRow
from grounding.spans import Span

PIECE_S = 5.0


def majority_choice(times: Sequence[Sequence[int]]) -> tuple[int, int]:
    """The pieces that most annotators chose; of equals those that overlap the choices of all best,
    then the earlier.
    """
    choices = [(int(first), int(last)) for first, last in times]
    votes = Counter(choices)
    if not votes or max(votes.values()) < min(2, len(choices)):
        raise SkipRow("annotators disagree", f"{choices}")
    spans = [_span(choice) for choice in choices]
    return max(
        votes,
        key=lambda choice: (
            votes[choice],
            sum(_span(choice).iou(span) for span in spans),
            (-choice[0], -choice[1]),
        ),
    )


def _span(choice: tuple[int, int]) -> Span:
    return Span(choice[0] * PIECE_S, (choice[1] + 1) * PIECE_S)


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    for source in sources:
        yield from parse_rows(json_items(source), _row, on_skip)


def _row(name: str, row: dict[str, Any]) -> Iterable[Annotation]:
    nominal_s = PIECE_S * int(row.get("num_segments", 6))
    moment = Moment(
        row["description"], (_span(majority_choice(row["times"])),), nominal_s=nominal_s
    )
    yield Annotation(str(row["annotation_id"]), {"video": (row["video"],)}, moment)


DIDEMO = DataSet(
    name="didemo",
    stage="2, 3",
    sources=("train_data.json",),
    tasks=("moment", "moment_caption"),
    read=_read,
    media="the videos, of 25 to 30 s",
)
