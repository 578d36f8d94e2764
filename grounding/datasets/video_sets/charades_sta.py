"""Charades-STA: `charades_sta_train.txt` with lines `3MSZA 24.3 30.4##person turn a light on.`, and
`Charades_v1_train.csv`, whose column `length` has the videos' lengths in seconds. 561 of the 3,720
ends of the test set lie behind the video's end: clamped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from grounding.datasets.annotations import Annotation, Moment
from grounding.datasets.dataset import DataSet
from grounding.datasets.sources import csv_rows, parse_rows, text_lines
from grounding.records.coordinates import to_span
from grounding.records.record import OnSkip
from grounding.records.skips import SkipRow


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    lengths = dict(parse_rows(csv_rows(sources[1]), _length, on_skip))

    def parse(name: str, line: str) -> Iterable[Annotation]:
        numbers, _, sentence = line.partition("##")
        video, start, end = numbers.split()
        if video not in lengths:
            raise SkipRow("video without length", f"{video} is not in {sources[1].name}")
        moment = Moment(sentence, (to_span(start, end),), lengths[video])
        yield Annotation(
            f"{video}/{name.rpartition(':')[2]}",
            {"video": (f"{video}.mp4", f"Charades_v1/{video}.mp4")},
            moment,
        )

    yield from parse_rows(text_lines(sources[0]), parse, on_skip)


def _length(name: str, row: dict[str, str]) -> Iterable[tuple[str, float]]:
    yield row["id"], float(row["length"])


CHARADES_STA = DataSet(
    name="charades_sta",
    stage="2",
    sources=("charades_sta_train.txt", "Charades_v1_train.csv"),
    tasks=("moment",),
    read=_read,
    media="Charades_v1 or its videos",
)
