"""What there is in the drawn world, and which combinations of it are kept for questions.

A thing has a pattern, a colour and a shape. In a clip it does something, in a picture it stands in
a place, and each colour has a voice of its own. Half of the combinations of each kind are held out:
they are asked about and never trained on.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Literal, TypeAlias

COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (225, 30, 35),
    "green": (30, 160, 50),
    "blue": (40, 70, 230),
    "yellow": (245, 225, 40),
    "orange": (250, 135, 20),
    "purple": (140, 40, 170),
    "cyan": (40, 215, 225),
    "white": (248, 248, 248),
}
PATTERNS = ("plain", "striped", "checked")
SHAPES = ("disc", "triangle", "ring", "cross", "bar", "post")
VOICES: Mapping[str, str] = {
    "red": "hum",
    "green": "buzz",
    "blue": "whistle",
    "yellow": "chirp",
    "orange": "siren",
    "purple": "click",
    "cyan": "rumble",
    "white": "hiss",
}
"""Colour -> what a thing of it sounds like."""
RHYTHMS = ("steady", "slow", "fast")
MOTIONS: Mapping[str, str] = {
    "left": "moves left",
    "right": "moves right",
    "up": "moves up",
    "down": "moves down",
    "shake": "shakes",
    "glow": "glows",
    "fade": "fades",
    "swell": "swells",
}
"""What a thing does -> in words, after its name."""
PLACES = tuple(
    f"{row} {column}"
    for row in ("top", "middle", "bottom")
    for column in ("left", "centre", "right")
)
"""Thirds of the picture, row by row."""

HELD_OUT_SHARE = 1 / 2
Kind: TypeAlias = Literal["clip", "picture", "sound"]
Combination: TypeAlias = tuple[str, ...]
ATTRIBUTES: Mapping[Kind, tuple[tuple[str, ...], ...]] = {
    "clip": (PATTERNS, tuple(COLOURS), SHAPES, tuple(MOTIONS)),
    "picture": (PATTERNS, tuple(COLOURS), SHAPES, PLACES),
    "sound": (RHYTHMS, tuple(COLOURS), SHAPES, PLACES),
}
"""The order of the attributes in a combination of each kind."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What is drawn, whatever it does."""

    pattern: str
    colour: str
    shape: str

    def __str__(self) -> str:
        return f"{self.pattern} {self.colour} {self.shape}"


@cache
def held_out(kind: Kind) -> frozenset[Combination]:
    """576 combinations of clips, 648 of pictures, 648 of sounds; the same in every process."""
    every = list(product(*ATTRIBUTES[kind]))
    return frozenset(
        random.Random(f"held out: {kind}").sample(every, int(len(every) * HELD_OUT_SHARE))
    )


@cache
def training_combinations(kind: Kind) -> frozenset[Combination]:
    """All that are not held out; the same in every process."""
    return frozenset(product(*ATTRIBUTES[kind])) - held_out(kind)
