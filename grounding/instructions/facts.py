"""What all records about an image, a video or a sound say, as lines for a language model that
cannot see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from grounding.datasets.sources import ODD
from grounding.records.coordinates import format_square, round_fractions
from grounding.records.record import Record
from grounding.records.skips import SkipRow

MAX_LINES = 40
"""More do not fit beside the examples."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one medium, or about an image and its sound."""

    name: str
    media: dict[str, str]
    lines: tuple[str, ...]
    """`- {0.00,0.25} A woman walks.`, `- two people: [0.000, 0.250, 0.250, 0.750]`, `- A caption.`
    """
    spans: frozenset[tuple[float, float]]
    boxes: frozenset[tuple[float, ...]]
    """The numbers that are in the lines."""

    @property
    def text(self) -> str:
        """As the language model gets them."""
        return "\n".join(self.lines)

    @property
    def has_coordinates(self) -> bool:
        """True where a line has a span or a box."""
        return bool(self.spans or self.boxes)


def group_records(records: Iterable[Record]) -> Iterator[Facts]:
    """Records about the same media that stand next to each other become one; those without a truth
    say nothing.
    """
    for _, group in groupby(records, key=lambda record: sorted(record.media.items())):
        facts = gather(list(group))
        if facts.lines:
            yield facts


def gather(records: Sequence[Record]) -> Facts:
    """The facts of records about the same media, up to `MAX_LINES`."""
    lines: dict[str, None] = {}
    spans: set[tuple[float, float]] = set()
    boxes: set[tuple[float, ...]] = set()
    for record in records:
        try:
            own, new_spans, new_boxes = _lines_of(record)
        except (SkipRow, *ODD):
            continue  # a truth that was made by other means
        fresh = [line for line in own if line not in lines]
        if len(lines) + len(fresh) > MAX_LINES:
            break
        lines.update(dict.fromkeys(fresh))
        spans |= new_spans
        boxes |= new_boxes
    return Facts(
        records[0].id, dict(records[0].media), tuple(lines), frozenset(spans), frozenset(boxes)
    )


def _lines_of(record: Record) -> tuple[list[str], set[tuple[float, float]], set[tuple[float, ...]]]:
    truth = record.truth
    if "events" in truth:
        events = [(round_fractions(start, end), text) for start, end, text in truth["events"]]
        return (
            [f"- {_span(pair)} {text}" for pair, text in events],
            {pair for pair, _ in events},
            set(),
        )
    if "spans" in truth:
        pairs = [round_fractions(*pair) for pair in truth["spans"]]
        text = truth.get("query") or truth["caption"]
        return [f"- {' '.join(map(_span, pairs))} {text}"], set(pairs), set()
    if "mentions" in truth:
        placed = [(text, boxes) for text, boxes in truth["mentions"]]
        caption = (
            "- " + record.answer
            if truth.get("task") == "grounded_caption"
            else f"- {record.question} {record.answer}"
        )
        return (
            [caption, *(_thing(text, boxes) for text, boxes in placed)],
            set(),
            {_round_box(box) for _, some in placed for box in some},
        )
    if "boxes" in truth:
        text = truth.get("phrase") or truth.get("caption") or truth["label"]
        sounding = " (makes the sound)" if truth.get("task") == "locate_sound" else ""
        return (
            [_thing(text + sounding, truth["boxes"])],
            set(),
            {_round_box(box) for box in truth["boxes"]},
        )
    return ([f"- {truth['caption']}"] if "caption" in truth else []), set(), set()


def _span(pair: tuple[float, float]) -> str:
    return f"{{{pair[0]:.2f},{pair[1]:.2f}}}"


def _thing(text: str, boxes: Sequence[Sequence[float]]) -> str:
    return f"- {text}: {' '.join(map(format_square, boxes))}"


def _round_box(box: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(value, 3) for value in box)
