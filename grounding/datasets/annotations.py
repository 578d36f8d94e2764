"""What a row of any public set says, before a question is put: one of seven kinds of fact about its
media.

Times are seconds from the start of the file, boxes pixels of the image; nothing is rounded or
normalised yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from grounding.records.coordinates import PixelBox, Size
from grounding.spans import Span


@dataclass(frozen=True, slots=True)
class Mention:
    """Words that stand for things in the image."""

    text: str
    boxes: tuple[PixelBox, ...]


Words: TypeAlias = "tuple[str | Mention, ...]"
"""A text cut at its mentions."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A sentence about the whole medium."""

    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A statement that holds during one or more spans. `duration_s` None: read from the file."""

    text: str
    spans: tuple[Span, ...]
    duration_s: float | None = None
    nominal_s: float | None = None
    """The length to take where the file is not at hand."""


@dataclass(frozen=True, slots=True)
class Events:
    """Everything that happens, in order: (span, sentence)."""

    events: tuple[tuple[Span, str], ...]
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """Words for one thing, or for several alike. `size` None: read from the file; `fractions`:
    boxes are parts of width and height.
    """

    phrase: str
    boxes: tuple[PixelBox, ...]
    size: Size | None = None
    fractions: bool = False


@dataclass(frozen=True, slots=True)
class SoundSource:
    """Where in the image the sound comes from; `label` names it."""

    label: str
    boxes: tuple[PixelBox, ...]
    size: Size | None = None
    fractions: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question about an image and its answer, both with mentions; without a question a caption
    that says where things are.
    """

    question: Words
    answer: Words
    size: Size | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Turns that are taken as they are: question, answer, question, ..."""

    turns: tuple[str, ...]


Fact: TypeAlias = "Caption | Moment | Events | Region | SoundSource | Exchange | Dialogue"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A row of a set: its name, its media, and one fact about them."""

    key: str
    """Its name in its data set: the same in every run, and for no other row."""
    media: Mapping[str, tuple[str, ...]]
    """image, video, sound -> where the file may lie below the set's folder, the likeliest first;
    the suffix may be missing.
    """
    fact: Fact
    split: str = ""
