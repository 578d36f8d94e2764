"""Valley-Pretrain-703K (`chat.json`): the form of LLaVA's file with `"video":
"053851_054100/1047443473.mp4"`, WebVid clips.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from grounding.datasets.annotations import Annotation
from grounding.datasets.dataset import DataSet
from grounding.datasets.image_sets.llava import read_captions
from grounding.records.record import OnSkip


def _read(sources: Sequence[Path], on_skip: OnSkip) -> Iterator[Annotation]:
    return read_captions("video", sources, on_skip)


VALLEY = DataSet(
    name="valley",
    stage="1, 3",
    sources=("chat.json",),
    tasks=("describe_video",),
    read=_read,
    media="the clips, in the folders that rows name",
)
