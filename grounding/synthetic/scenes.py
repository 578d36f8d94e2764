"""Pictures, clips and sounds as values: what is where, who does what when. Every choice is drawn
from the caller's random generator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from grounding.synthetic.draw import EXTENT, SIDE, Look, draw
from grounding.synthetic.photographs import background
from grounding.synthetic.sounds import Tone
from grounding.synthetic.world import (
    COLOURS,
    MOTIONS,
    PATTERNS,
    PLACES,
    SHAPES,
    Combination,
    Kind,
    Thing,
    training_combinations,
)

FRAMES = 16
RADII = (6, 8)
CLIP_RADII = (6.0, 7.5)
"""Pixels, in pictures and in clips, where things need room to move."""
LENGTHS = (2, 5)
"""Frames of an action; it begins and ends between two frames, so that the truth is what can be
seen.
"""
TRAIL = 9.0
STEP = 13.0
"""Pixels: the length of a trail, and how far a thing comes in an event."""
WAYS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
TRIES = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A thing of a picture and where it stands."""

    look: Look
    place: str

    @property
    def combination(self) -> Combination:
        """Pattern, colour, shape and place."""
        thing = self.look.thing
        return thing.pattern, thing.colour, thing.shape, self.place


@dataclass(frozen=True, slots=True)
class PictureScene:
    """Things in places, on a background."""

    places: tuple[Place, ...]
    seed: int
    """Of the background."""

    def pixels(self) -> np.ndarray:
        """`(S, S, 3) uint8`."""
        canvas = background(np.random.default_rng(self.seed))
        for place in self.places:
            draw(canvas, place.look)
        return canvas.round().clip(0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class SoundScene:
    """A picture in which the first thing makes the sound."""

    picture: PictureScene
    tone: Tone

    @property
    def combination(self) -> Combination:
        """Rhythm, colour, shape and place of the source."""
        source = self.picture.places[0]
        return self.tone.rhythm, source.look.thing.colour, source.look.thing.shape, source.place


@dataclass(frozen=True, slots=True)
class Action:
    """What thing number `who` does, and when, as fractions of the clip."""

    who: int
    motion: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class ClipScene:
    """Things, and what they do one after another, on a background."""

    looks: tuple[Look, ...]
    """As they stand at the beginning."""
    actions: tuple[Action, ...]
    """In the order of time; no two at once."""
    seed: int

    def combination(self, action: Action) -> Combination:
        """Pattern, colour, shape and motion of an action of this scene."""
        thing = self.looks[action.who].thing
        return thing.pattern, thing.colour, thing.shape, action.motion

    def frames(self, count: int = FRAMES) -> np.ndarray:
        """`(count, S, S, 3) uint8`; frame i shows the moment (i + 1/2) / count."""
        back = background(np.random.default_rng(self.seed))
        drawn: dict[tuple[Look, ...], np.ndarray] = {}
        shown = [
            tuple(self.look(who, (i + 0.5) / count) for who in range(len(self.looks)))
            for i in range(count)
        ]
        for looks in dict.fromkeys(shown):
            drawn[looks] = back.copy()
            for look in looks:
                draw(drawn[looks], look)
        return np.stack([drawn[looks] for looks in shown]).round().clip(0, 255).astype(np.uint8)

    def acting_at(self, moment: float) -> Action | None:
        """The action at that fraction of the clip, if any."""
        return next(
            (action for action in self.actions if action.start <= moment < action.end), None
        )

    def look(self, who: int, moment: float) -> Look:
        """Thing number `who` at that fraction of the clip."""
        look = self.looks[who]
        for action in self.actions:
            if action.who == who and action.start <= moment:
                look = acting(
                    look,
                    action.motion,
                    min((moment - action.start) / (action.end - action.start), 1.0),
                )
        return look


def acting(look: Look, motion: str, progress: float) -> Look:
    """The thing after that part of its action in [0, 1]; with 1 it is over and only the way that it
    came remains.
    """
    over = progress >= 1
    x, y, radius, trail, both, shown, glow = (
        look.x,
        look.y,
        look.radius,
        (0.0, 0.0),
        False,
        1.0,
        0.0,
    )
    if motion in WAYS:
        dx, dy = WAYS[motion]
        x, y = x + dx * STEP * progress, y + dy * STEP * progress
        trail = (0.0, 0.0) if over else (dx * TRAIL, dy * TRAIL)
    elif not over:
        if motion == "shake":
            trail, both = (TRAIL * 0.8, 0.0), True
        shown = 0.4 if motion == "fade" else 1.0
        glow = 1.0 if motion == "glow" else 0.0
        radius *= 1.45 if motion == "swell" else 1.0
    return Look(look.thing, x, y, radius, trail, both, shown, glow)


def picture_scene(
    random: np.random.Generator,
    things: int,
    first: Combination | None = None,
    apart: Literal["shape", "colour"] = "shape",
) -> PictureScene:
    """`first` is the combination of the first thing, all others are trained ones; no two things
    have the attribute `apart` in common.
    """
    return PictureScene(_places(random, things, first, apart), _seed(random))


@cache
def _training_options(kind: Kind) -> tuple[Combination, ...]:
    return tuple(sorted(training_combinations(kind)))


def _seed(random: np.random.Generator) -> int:
    return int(random.integers(2**31))


def _places(
    random: np.random.Generator, count: int, first: Combination | None, apart: str
) -> tuple[Place, ...]:
    found: list[Place] = []
    allowed = _training_options("picture")
    for _ in range(TRIES):
        pattern, colour, shape, place = (
            first if first and not found else allowed[random.integers(len(allowed))]
        )
        column, row = PLACES.index(place) % 3, PLACES.index(place) // 3
        radius = int(random.integers(RADII[0], RADII[1] + 1))
        x, y = (int((index + random.uniform(0.1, 0.9)) * SIDE / 3) for index in (column, row))
        look = Look(Thing(pattern, colour, shape), x, y, radius)
        distinct = all(
            getattr(one.look.thing, apart) != getattr(look.thing, apart) for one in found
        )
        if _inside(look) and distinct and not any(_near(look, one.look) for one in found):
            found.append(Place(look, place))
        if len(found) == count:
            break
    return tuple(found)


def _inside(look: Look, margin: float = 0.0) -> bool:
    across, down = (look.radius * share for share in EXTENT.get(look.thing.shape, (1.0, 1.0)))
    return (
        across + margin <= look.x <= SIDE - across - margin
        and down + margin <= look.y <= SIDE - down - margin
    )


def _near(one: Look, other: Look, gap: float = 1.0) -> bool:
    reach = one.radius + other.radius + gap
    return abs(one.x - other.x) < reach and abs(one.y - other.y) < reach


def sound_scene(
    random: np.random.Generator, things: int, combination: Combination | None = None
) -> SoundScene:
    """A combination is (rhythm, colour, shape, place)."""
    options = _training_options("sound")
    fixed = combination is not None
    for _ in range(TRIES):
        rhythm, colour, shape, place = (
            combination if combination is not None else options[random.integers(len(options))]
        )
        first = (PATTERNS[random.integers(len(PATTERNS))], colour, shape, place)
        if not fixed and first not in training_combinations("picture"):
            continue
        picture = picture_scene(random, things, first, apart="colour")
        if picture.places and picture.places[0].combination == first and len(picture.places) > 1:
            return SoundScene(picture, Tone(colour, rhythm, _seed(random)))
    raise ValueError(f"no picture was found for the sound {combination}")


def clip_scene(
    random: np.random.Generator, things: int, actions: int, combination: Combination | None = None
) -> ClipScene:
    """Several things, several actions, one after another; `combination` (pattern, colour, shape,
    motion) is one of them.
    """
    for _ in range(TRIES):
        scene = _try_clip(random, things, actions, combination)
        if scene is not None:
            return scene
    raise ValueError(
        f"no clip was found for {combination} among {things} things and {actions} actions"
    )


def _try_clip(
    random: np.random.Generator, things: int, actions: int, combination: Combination | None
) -> ClipScene | None:
    looks = _crowd(random, things, Thing(*combination[:3]) if combination else None)
    if len(looks) < things:
        return None
    spans = _spans(random, actions)
    where = int(random.integers(actions))
    done: list[Action] = []
    for i, (start, end) in enumerate(spans):
        action = _action(random, looks, done, start, end, combination if i == where else None)
        if action is None:
            return None
        done.append(action)
    return ClipScene(looks, tuple(done), _seed(random))


def _crowd(random: np.random.Generator, count: int, first: Thing | None) -> tuple[Look, ...]:
    """Things apart from each other, no two of one colour or shape."""
    looks: list[Look] = []
    for _ in range(TRIES):
        thing = first if first and not looks else _thing(random)
        look = Look(
            thing,
            random.uniform(6, SIDE - 6),
            random.uniform(6, SIDE - 6),
            random.uniform(*CLIP_RADII),
        )
        alike = any(
            one.thing.colour == thing.colour or one.thing.shape == thing.shape for one in looks
        )
        if _inside(look) and not alike and not any(_near(look, one) for one in looks):
            looks.append(look)
        if len(looks) == count:
            break
    return tuple(looks)


def _thing(random: np.random.Generator) -> Thing:
    return Thing(*(str(random.choice(values)) for values in (PATTERNS, tuple(COLOURS), SHAPES)))


def _spans(random: np.random.Generator, count: int) -> list[tuple[float, float]]:
    """Lengths and the gaps between them at random, in whole frames; in order, within the clip."""
    while True:
        lengths = random.integers(LENGTHS[0], LENGTHS[1] + 1, count)
        free = FRAMES - int(lengths.sum())
        if free > 0:
            break
    gaps = np.diff(np.sort(random.integers(0, free + 1, count)), prepend=0)
    starts = np.cumsum(gaps) + np.concatenate([[0], np.cumsum(lengths[:-1])])
    return [
        (int(start) / FRAMES, int(start + length) / FRAMES)
        for start, length in zip(starts, lengths)
    ]


def _action(
    random: np.random.Generator,
    looks: Sequence[Look],
    done: Sequence[Action],
    start: float,
    end: float,
    fixed: Combination | None,
) -> Action | None:
    taken = {(action.who, action.motion) for action in done}
    for _ in range(30):
        who = 0 if fixed else int(random.integers(len(looks)))
        motion = fixed[3] if fixed else str(random.choice(list(MOTIONS)))
        thing = looks[who].thing
        if (who, motion) in taken or not (
            fixed
            or (thing.pattern, thing.colour, thing.shape, motion) in training_combinations("clip")
        ):
            continue
        scene = ClipScene(tuple(looks), (*done, Action(who, motion, start, end)), 0)
        ends = [scene.look(other, 1.0) for other in range(len(looks))]
        if _inside(ends[who], 0.5) and not any(
            _near(ends[who], one, 0.0) for other, one in enumerate(ends) if other != who
        ):
            return scene.actions[-1]
    return None
