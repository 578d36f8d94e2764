"""Scenes in words: captions, questions and answers. Times and boxes are fractions with two
decimals.

The first wording of each question is the published one, which inference uses; the others are rarer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from grounding.lego.preprocess import questions
from grounding.synthetic.draw import Look
from grounding.synthetic.scenes import Action, ClipScene, PictureScene, SoundScene
from grounding.synthetic.sounds import Tone
from grounding.synthetic.world import MOTIONS

PLACED = 0.6
"""How many descriptions say when or where as well."""

Exchange = tuple[str, str]
"""A question and its answer."""

WHEN = (
    questions.WHEN.format("the {thing} {does}"),
    "When is it that the {thing} {does}?",
    "At what time can it be seen that the {thing} {does}?",
)
WHERE = (
    questions.WHERE.format("the {thing}"),
    "Where is the {thing}?",
    "Give me the position of the {thing}.",
)
WHERE_SOUND = (
    questions.WHERE_SOUND,
    "Where does the sound come from?",
    "What is the position of the source of the sound?",
)
EVENTS = (questions.EVENTS, "What happens in the video, and when?")
PICTURE = (questions.DESCRIBE["image"], "What is where in the image?")
CAPTIONS: Mapping[str, Sequence[str]] = {
    "image": ("What is in the image?", "Name the things in the image."),
    "video": (questions.DESCRIBE["video"], "What happens in the video?"),
    "sound": (questions.DESCRIBE["sound"], "What is heard?"),
}


def when(random: np.random.Generator, scene: ClipScene, action: Action) -> Exchange:
    """When does one action happen? The answer is its span."""
    does = MOTIONS[action.motion]
    question = _choose(random, WHEN).format(thing=scene.looks[action.who].thing, does=does)
    return question, span(action)


def where(random: np.random.Generator, look: Look) -> Exchange:
    """Where is one thing? The answer is its box."""
    return _choose(random, WHERE).format(thing=look.thing), box(look)


def where_sound(random: np.random.Generator, scene: SoundScene) -> Exchange:
    """Where does the sound come from? The answer is the box of its source."""
    return _choose(random, WHERE_SOUND), box(scene.picture.places[0].look)


def events(random: np.random.Generator, scene: ClipScene) -> Exchange:
    """What happens, and when?"""
    return _choose(random, EVENTS), " ".join(
        f"The {act(scene, action)} in {span(action)}." for action in scene.actions
    )


def picture_with_boxes(random: np.random.Generator, scene: PictureScene) -> Exchange:
    """What is where?"""
    parts = (f"a {place.look.thing} {box(place.look)}" for place in in_order(scene))
    return _choose(random, PICTURE), _sentence(parts)


def every_when(random: np.random.Generator, scene: ClipScene) -> list[Exchange]:
    """Each action is asked for once."""
    return [when(random, scene, scene.actions[i]) for i in random.permutation(len(scene.actions))]


def every_where(random: np.random.Generator, scene: PictureScene) -> list[Exchange]:
    """Each thing is asked for once."""
    return [where(random, scene.places[i].look) for i in random.permutation(len(scene.places))]


def describe_clip(random: np.random.Generator, scene: ClipScene) -> Exchange:
    """What happens, and mostly when."""
    return (events if random.random() < PLACED else caption_clip)(random, scene)


def describe_picture(random: np.random.Generator, scene: PictureScene) -> Exchange:
    """What is there, and mostly where."""
    return (picture_with_boxes if random.random() < PLACED else caption_picture)(random, scene)


def caption_picture(random: np.random.Generator, scene: PictureScene) -> Exchange:
    """What is in the picture, with places in words."""
    return _choose(random, CAPTIONS["image"]), _sentence(
        f"a {place.look.thing} at the {place.place}" for place in in_order(scene)
    )


def caption_clip(random: np.random.Generator, scene: ClipScene) -> Exchange:
    """What happens in the clip, without times."""
    parts = ", then ".join(f"the {act(scene, action)}" for action in scene.actions)
    return _choose(random, CAPTIONS["video"]), _sentence([parts])


def caption_sound(random: np.random.Generator, tone: Tone) -> Exchange:
    """What is heard."""
    return _choose(
        random, CAPTIONS["sound"]
    ), f"A {tone.rhythm} {tone.voice} of something {tone.colour}."


def in_order(scene: PictureScene):
    """Things row by row."""
    return sorted(scene.places, key=lambda place: (int(place.look.y * 3 // 48), place.look.x))


def act(scene: ClipScene, action: Action) -> str:
    """A thing and what it does, without an article."""
    return f"{scene.looks[action.who].thing} {MOTIONS[action.motion]}"


def span(action: Action) -> str:
    """`{0.09,0.15}`"""
    return f"{{{action.start:.2f},{action.end:.2f}}}"


def box(look: Look) -> str:
    """`[0.12, 0.34, 0.56, 0.78]`"""
    return "[" + ", ".join(f"{value:.2f}" for value in look.box()) + "]"


def _sentence(parts) -> str:
    text = ", ".join(parts)
    return text[:1].upper() + text[1:] + "."


def _choose(random: np.random.Generator, wordings: Sequence[str], first: float = 0.4) -> str:
    if len(wordings) == 1 or random.random() < first:
        return wordings[0]
    return wordings[1 + int(random.integers(len(wordings) - 1))]
