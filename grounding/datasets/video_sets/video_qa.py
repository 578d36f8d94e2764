"""Open questions about videos in the form of Video-ChatGPT's test sets (MSVD-QA, MSRVTT-QA,
TGIF-QA, ActivityNet-QA): `test_q.json` with [{"video_name": "v_abc", "question_id": "v_abc_0",
"question": "is the athlete wearing trousers"}] and `test_a.json` with [{"question_id": "v_abc_0",
"answer": "yes", "type": 3}]. For evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from grounding.datasets.annotations import Annotation, Dialogue
from grounding.datasets.dataset import DataSet
from grounding.datasets.sources import json_items, parse_rows
from grounding.records.record import OnSkip
from grounding.records.skips import SkipRow


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    answers = dict(parse_rows(json_items(sources[1]), _answer, on_skip))

    def parse(name: str, row: dict[str, Any]) -> Iterable[Annotation]:
        key = str(row["question_id"])
        if key not in answers:
            raise SkipRow("no answer", key)
        question = row["question"].strip().rstrip("?") + "?"
        yield Annotation(
            key,
            {"video": (f"{row['video_name']}.mp4",)},
            Dialogue((question[:1].upper() + question[1:], answers[key])),
        )

    yield from parse_rows(json_items(sources[0]), parse, on_skip)


def _answer(name: str, row: dict[str, Any]) -> Iterable[tuple[str, str]]:
    yield str(row["question_id"]), row["answer"]


VIDEO_QA = DataSet(
    name="video_qa",
    stage="test",
    sources=("test_q.json", "test_a.json"),
    tasks=("dialogue",),
    read=_read,
    media="the videos, named by video_name",
)
