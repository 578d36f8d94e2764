"""Asks a checkpoint about the held-out combinations, as a user would: through the grounder, from
files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grounding.lego.generate.answers import Box, parse_boxes, parse_spans
from grounding.lego.grounder import FRACTIONS, Grounder
from grounding.lego.preprocess import questions
from grounding.metrics.boxes import best_box_iou
from grounding.metrics.temporal import best_iou
from grounding.records.media_files import read_frames, read_image, read_sound
from grounding.records.record import Record, read_records
from grounding.spans import Span
from grounding.synthetic.scenes import FRAMES

AT_ONCE = 32
IOU = 0.5


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares of answers with IoU of at least .5, each with its number of questions; mean IoU of the
    spans; one description each.
    """

    spans: float
    spans_asked: int
    spans_mean_iou: float
    boxes: float
    boxes_asked: int
    sources: float
    sources_asked: int
    descriptions: dict[str, dict[str, str]]

    def to_json(self) -> dict[str, Any]:
        """For the report."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Constant:
    """The one span that fits the most training answers, and what it reaches on them and on the
    questions.
    """

    span: Span
    training: float
    test: float


def evaluate(grounder: Grounder, data: Path, *, limit: int = 0, shuffled: bool = False) -> Scores:
    """`limit`: at most so many questions of each kind; `shuffled`: the frames of each clip in
    random order, spans only.
    """
    test = list(read_records(data / "test.jsonl"))
    clips, pictures, sources = (
        [r for r in test if set(r.media) == kind][: limit or None]
        for kind in ({"video"}, {"image"}, {"image", "sound"})
    )
    spans = [iou for part in _parts(clips) for iou in _ask_spans(grounder, data, part, shuffled)]
    if shuffled:
        return Scores(_share(spans), len(spans), float(np.mean(spans)), 0.0, 0, 0.0, 0, {})
    boxes = [iou for part in _parts(pictures) for iou in _ask_boxes(grounder, data, part)]
    sounds = [iou for part in _parts(sources) for iou in _ask_boxes(grounder, data, part)]
    described = _describe(grounder, data, clips[0], pictures[0], sources[0])
    return Scores(
        _share(spans),
        len(spans),
        float(np.mean(spans)),
        _share(boxes),
        len(boxes),
        _share(sounds),
        len(sounds),
        described,
    )


def _ask_spans(
    grounder: Grounder, data: Path, records: Sequence[Record], shuffled: bool
) -> list[float]:
    """IoU of the first span of each answer; `shuffled`: the frames of each clip in random order."""
    frames = [
        read_frames(data / record.media["video"], grounder.model.config.max_frames)
        for record in records
    ]
    if shuffled:
        frames = [
            own[np.random.default_rng(number).permutation(len(own))]
            for number, own in enumerate(frames)
        ]
    windows = grounder.read_windows(frames)
    asked = [
        (questions.when_question(record.truth["query"]), {"video": window})
        for record, window in zip(records, windows)
    ]
    found = [parse_spans(reply.text, FRACTIONS) for reply in grounder.ask_all(asked)]
    return [
        best_iou(spans[0] if spans else None, [Span(*span) for span in record.truth["spans"]])
        for spans, record in zip(found, records)
    ]


def _ask_boxes(grounder: Grounder, data: Path, records: Sequence[Record]) -> list[float]:
    """IoU of the first box of each answer: of the thing that is named, or of the source of the
    sound.
    """
    asked, sizes = [], []
    for record in records:
        picture = grounder.read_image(read_image(data / record.media["image"]))
        sizes.append((picture.width, picture.height))
        media = {"image": picture.encoded}
        question = questions.WHERE_SOUND
        if "sound" in record.media:
            media["sound"] = grounder.read_audio(read_sound(data / record.media["sound"]))
        else:
            question = questions.WHERE.format(record.truth["phrase"])
        asked.append((question, media))
    replies = grounder.ask_all(asked)
    return [
        _best_box(reply.text, size, record.truth["boxes"][0])
        for reply, size, record in zip(replies, sizes, records)
    ]


def _best_box(text: str, size: tuple[int, int], truth: Sequence[float]) -> float:
    boxes = parse_boxes(text, *size)
    return best_box_iou(boxes[0] if boxes else None, [Box(*truth)])


def _describe(
    grounder: Grounder, data: Path, clip: Record, picture: Record, source: Record
) -> dict[str, dict[str, str]]:
    frames = read_frames(data / clip.media["video"], grounder.model.config.max_frames)
    samples = read_sound(data / source.media["sound"])
    pixels = read_image(data / picture.media["image"])
    return {
        "video": {"file": clip.media["video"], "text": grounder.describe(frames=frames)},
        "image": {"file": picture.media["image"], "text": grounder.describe(image=pixels)},
        "sound": {"file": source.media["sound"], "text": grounder.describe(audio=samples)},
    }


def best_constant(data: Path) -> Constant:
    """Searched over the answers of stage 2, in half frames: answers begin and end between two of
    them.
    """
    training = np.array(
        [
            span
            for record in read_records(data / "stage2.jsonl")
            for span in record.truth.get("spans", ())
        ]
    )
    asked = np.array(
        [
            span
            for record in read_records(data / "test.jsonl")
            for span in record.truth.get("spans", ())
        ]
    )
    grid = np.arange(0, 2 * FRAMES + 1) / (2 * FRAMES)
    pairs = [(start, end) for start in grid for end in grid if end > start]
    best = max(pairs, key=lambda pair: _hits(training, *pair))
    return Constant(Span(*map(float, best)), _hits(training, *best), _hits(asked, *best))


def _hits(spans: np.ndarray, start: float, end: float) -> float:
    overlap = np.clip(np.minimum(spans[:, 1], end) - np.maximum(spans[:, 0], start), 0, None)
    union = spans[:, 1] - spans[:, 0] + end - start - overlap
    return float((overlap / union >= IOU).mean())


def _parts(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    for first in range(0, len(records), AT_ONCE):
        yield records[first : first + AT_ONCE]


def _share(ious: Sequence[float]) -> float:
    return float(np.mean(np.array(ious) >= IOU)) if ious else 0.0
