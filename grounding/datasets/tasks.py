"""A fact about media becomes a record: the task puts the question, the numbers are normalised, the
truth is kept beside them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grounding.datasets.annotations import (
    Annotation,
    Caption,
    Dialogue,
    Events,
    Exchange,
    Mention,
    Moment,
    Region,
    SoundSource,
    Words,
)
from grounding.datasets.questions import QuestionBank
from grounding.errors import DataError
from grounding.records import media_files as files
from grounding.records.coordinates import (
    PixelBox,
    Size,
    format_fractions,
    format_squares,
    span_fractions,
    square_fractions,
)
from grounding.records.record import Message, Record, single_turn, with_markers, without_markers
from grounding.records.skips import SkipRow

MAX_WORDS = 400
"""Longer texts do not fit the model's 2,048 tokens beside their media."""
_SPACES = re.compile(r"\s+")
_DOUBLE_STOP = re.compile(r"(?<!\.)\.\.(?!\.)")
_BEFORE_MARK = re.compile(r"\s+([,.;:!?])(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Media:
    """The files of a row, once found. Sizes and lengths are read only where the annotation does not
    give them.
    """

    paths: Mapping[str, Path]

    def size(self, known: Size | None) -> Size:
        """`known`, or from the image's file."""
        return known or files.image_size(self._path("image"))

    def duration_s(self, known: float | None, nominal: float | None = None) -> float:
        """`known`, or from the video's file; `nominal` where that was not looked for."""
        if known is None and nominal is not None and "video" not in self.paths:
            return nominal
        return known if known is not None else files.duration_s(self._path("video"))

    def _path(self, kind: str) -> Path:
        if kind not in self.paths:
            raise SkipRow(
                "missing file",
                f"the size of the {kind} is not in the annotation, and its file was not looked for",
            )
        return self.paths[kind]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a fact puts into a wording, and the numbers behind it."""

    fields: Mapping[str, str]
    truth: Mapping[str, Any]


def make_record(
    annotation: Annotation,
    task: str,
    bank: QuestionBank,
    seed: int,
    *,
    named: Mapping[str, str],
    media: Media,
    name: str,
) -> Record:
    """The record of one annotation. `named`: media -> the path that the record gives. Raises
    SkipRow where the fact cannot be put in words.
    """
    fact = annotation.fact
    if isinstance(fact, Dialogue):
        return _dialogue(fact, named, name)
    if task not in RENDERERS or not isinstance(fact, RENDERERS[task][0]):
        raise DataError(
            f"{task} does not ask about a {type(fact).__name__}; what does: "
            f"{', '.join(tasks_for(fact))}"
        )
    rendered = RENDERERS[task][1](fact, media)
    question, answer = bank.ask(task, rendered.fields, seed, name)
    return single_turn(
        tidy(question), tidy(answer), named, id=name, truth={"task": task, **rendered.truth}
    )


def tasks_for(fact: object) -> list[str]:
    """The tasks that ask about such a fact."""
    return [task for task, (kind, _) in RENDERERS.items() if isinstance(fact, kind)]


def tidy(text: str) -> str:
    """Single spaces, none before a mark, one mark at the end of a sentence."""
    return _DOUBLE_STOP.sub(".", _BEFORE_MARK.sub(r"\1", _SPACES.sub(" ", text))).strip()


def clean(text: str) -> str:
    """Words of an annotation. Raises SkipRow for an empty text and for one that is too long."""
    words = _SPACES.sub(" ", text).strip()
    if not re.search(r"\w", words):
        raise SkipRow("empty text", repr(text[:40]))
    if words.count(" ") >= MAX_WORDS:
        raise SkipRow("text too long", f"{words.count(' ') + 1} words")
    return words


def as_statement(text: str) -> str:
    """Fits inside a sentence: no mark at the end; a small first letter unless the word is written
    in capitals.

    >>> as_statement("The dog jumps."), as_statement("TV is on")
    ('the dog jumps', 'TV is on')
    """
    words = clean(text).rstrip(" .!?;,")
    return words if len(words) > 1 and words[1].isupper() else words[:1].lower() + words[1:]


def as_sentence(text: str) -> str:
    """A capital at the beginning and a mark at the end. Raises SkipRow as `clean` does."""
    words = clean(text)
    return words[:1].upper() + words[1:] + ("" if words[-1] in ".!?" else ".")


def _caption(fact: Caption, media: Media) -> Rendered:
    return Rendered({"caption": as_sentence(fact.text)}, {"caption": clean(fact.text)})


def _fractions(fact: Moment, media: Media) -> tuple[list[tuple[float, float]], float]:
    duration_s = media.duration_s(fact.duration_s, fact.nominal_s)
    if not fact.spans:
        raise SkipRow("no span")
    return [span_fractions(span, duration_s) for span in fact.spans], duration_s


def _moment(fact: Moment, media: Media) -> Rendered:
    pairs, duration_s = _fractions(fact, media)
    query = as_statement(fact.text)
    fields = {
        "query": query,
        "Query": query[:1].upper() + query[1:],
        "spans": format_fractions(pairs),
    }
    return Rendered(fields, {"query": clean(fact.text), "spans": pairs, "duration_s": duration_s})


def _moment_caption(fact: Moment, media: Media) -> Rendered:
    pairs, duration_s = _fractions(fact, media)
    truth = {"caption": clean(fact.text), "spans": pairs, "duration_s": duration_s}
    return Rendered({"caption": as_sentence(fact.text), "spans": format_fractions(pairs)}, truth)


def _events(fact: Events, media: Media) -> Rendered:
    duration_s = media.duration_s(fact.duration_s)
    if not fact.events:
        raise SkipRow("no span")
    events = sorted((span_fractions(span, duration_s), clean(text)) for span, text in fact.events)
    sentences = [f"{text.rstrip(' .!?;,')} in {format_fractions([pair])}." for pair, text in events]
    truth = {"events": [[*pair, text] for pair, text in events], "duration_s": duration_s}
    return Rendered(
        {"events": " ".join(sentence[:1].upper() + sentence[1:] for sentence in sentences)}, truth
    )


def _squares(boxes: Sequence[PixelBox], size: Size) -> list[tuple[float, float, float, float]]:
    if not boxes:
        raise SkipRow("no box")
    return [square_fractions(box, size) for box in boxes]


def _region_boxes(
    fact: Region | SoundSource, media: Media
) -> tuple[list[tuple[float, float, float, float]], Size]:
    size = media.size(fact.size)
    scale = (*size, *size) if fact.fractions else (1, 1, 1, 1)
    boxes = [PixelBox(*(value * factor for value, factor in zip(box, scale))) for box in fact.boxes]
    return _squares(boxes, size), size


def _locate(fact: Region, media: Media) -> Rendered:
    boxes, size = _region_boxes(fact, media)
    phrase = as_statement(fact.phrase)
    fields = {
        "phrase": phrase,
        "Phrase": phrase[:1].upper() + phrase[1:],
        "boxes": format_squares(boxes),
    }
    return Rendered(fields, {"phrase": clean(fact.phrase), "boxes": boxes, "size": list(size)})


def _region_caption(fact: Region, media: Media) -> Rendered:
    boxes, size = _region_boxes(fact, media)
    return Rendered(
        {"caption": as_sentence(fact.phrase), "boxes": format_squares(boxes)},
        {"caption": clean(fact.phrase), "boxes": boxes, "size": list(size)},
    )


def _locate_sound(fact: SoundSource, media: Media) -> Rendered:
    boxes, size = _region_boxes(fact, media)
    return Rendered(
        {"label": fact.label, "boxes": format_squares(boxes)},
        {"label": fact.label, "boxes": boxes, "size": list(size)},
    )


def _with_boxes(words: Words, size: Size) -> str:
    """The text with the boxes of each mention behind it."""
    parts = [
        part
        if isinstance(part, str)
        else f"{part.text} {format_squares(_squares(part.boxes, size))}"
        for part in words
    ]
    return clean(" ".join(parts))


def _mentions(words: Words, size: Size) -> list[list[Any]]:
    return [[part.text, _squares(part.boxes, size)] for part in words if isinstance(part, Mention)]


def _exchange(fact: Exchange, media: Media) -> Rendered:
    size = media.size(fact.size)
    fields = {
        "question": tidy(_with_boxes(fact.question, size)),
        "answer": as_sentence(_with_boxes(fact.answer, size)),
    }
    return Rendered(
        fields, {"mentions": _mentions((*fact.question, *fact.answer), size), "size": list(size)}
    )


def _grounded_caption(fact: Exchange, media: Media) -> Rendered:
    size = media.size(fact.size)
    mentions = _mentions(fact.answer, size)
    if not mentions:
        raise SkipRow("no box")
    return Rendered(
        {"caption": as_sentence(_with_boxes(fact.answer, size))},
        {"mentions": mentions, "size": list(size)},
    )


def _dialogue(fact: Dialogue, named: Mapping[str, str], name: str) -> Record:
    texts = [without_markers(text) for text in fact.turns]
    if texts:
        texts[0] = with_markers(texts[0], named)
    messages = tuple(Message("gpt" if i % 2 else "human", text) for i, text in enumerate(texts))
    return Record(messages, named, name, {"task": "dialogue"})


Renderer = Callable[[Any, Media], Rendered]
RENDERERS: Mapping[str, tuple[type, Renderer]] = {
    "describe_image": (Caption, _caption),
    "describe_video": (Caption, _caption),
    "describe_sound": (Caption, _caption),
    "moment": (Moment, _moment),
    "moment_caption": (Moment, _moment_caption),
    "events": (Events, _events),
    "locate": (Region, _locate),
    "region_caption": (Region, _region_caption),
    "locate_sound": (SoundSource, _locate_sound),
    "exchange": (Exchange, _exchange),
    "grounded_caption": (Exchange, _grounded_caption),
}
