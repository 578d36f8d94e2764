"""Sounds that have a name and an end, such as laughter, applause or a siren, become passages.

An event begins where one of its classes reaches ON and lasts while one stays above OFF (hysteresis:
a sound that goes up and down is one event). The constants were chosen on the half of generated
mixes that is for fitting: from .5 to .6 precision rises by .07 there and recall falls by .01
(benchmarks/sounds.py judges on the other half).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from grounding.spans import Span
from indexer.passages.base import Passage

ON, OFF = 0.6, 0.2
JOIN_S = 2.0  # two events of one name with a shorter pause between them are one
MIN_FRAMES = 2  # frames overlap by half: what one alone heard is an error more often than not
VERSION = 2  # counts changes that make stored events worth replacing

EVENTS: Mapping[str, tuple[str, ...]] = {
    "laughter": (
        "Laughter", "Baby laughter", "Giggle", "Snicker", "Belly laugh", "Chuckle, chortle",
    ),
    "applause": ("Applause", "Clapping"),
    "cheering": ("Cheering", "Whoop"),
    "crying": ("Crying, sobbing", "Baby cry, infant cry", "Whimper"),
    "screaming": ("Screaming", "Shout", "Yell", "Children shouting"),
    "coughing": ("Cough",),
    "sneezing": ("Sneeze",),
    "snoring": ("Snoring",),
    "whistling": ("Whistling", "Whistle"),
    "footsteps": ("Walk, footsteps",),
    "music": ("Music",),
    "singing": ("Singing", "Choir", "Child singing", "Rapping", "A capella"),
    "dog barking": ("Bark", "Bow-wow", "Yip"),
    "cat meowing": ("Meow", "Caterwaul", "Purr"),
    "horse": ("Neigh, whinny", "Clip-clop"),
    "cow mooing": ("Moo",),
    "pig grunting": ("Oink",),
    "sheep bleating": ("Bleat",),
    "rooster crowing": ("Crowing, cock-a-doodle-doo",),
    "chicken clucking": ("Cluck",),
    "duck quacking": ("Quack",),
    "birdsong": ("Bird vocalization, bird call, bird song", "Chirp, tweet"),
    "owl hooting": ("Hoot",),
    "crow cawing": ("Caw",),
    "roaring": ("Roar", "Roaring cats (lions, tigers)"),
    "frog croaking": ("Croak",),
    "crickets": ("Cricket",),
    "insects buzzing": ("Bee, wasp, etc.", "Mosquito", "Fly, housefly"),
    "wind": ("Wind",),
    "thunder": ("Thunder", "Thunderstorm"),
    "rain": ("Rain", "Rain on surface", "Raindrop"),
    "running water": ("Stream", "Waterfall", "Water tap, faucet"),
    "waves": ("Waves, surf", "Ocean"),
    "splash": ("Splash, splatter",),
    "fire crackling": ("Fire", "Crackle"),
    "siren": (
        "Siren", "Police car (siren)", "Ambulance (siren)", "Fire engine, fire truck (siren)",
        "Civil defense siren",
    ),
    "alarm": ("Alarm", "Fire alarm", "Smoke detector, smoke alarm", "Car alarm", "Alarm clock"),
    "car horn": ("Vehicle horn, car horn, honking", "Toot", "Air horn, truck horn"),
    "engine": ("Engine", "Engine starting", "Idling", "Accelerating, revving, vroom"),
    "car passing by": ("Car passing by", "Race car, auto racing"),
    "motorcycle": ("Motorcycle",),
    "train": ("Train", "Rail transport", "Train horn", "Train whistle"),
    "aircraft": ("Aircraft", "Fixed-wing aircraft, airplane", "Jet engine"),
    "helicopter": ("Helicopter",),
    "telephone ringing": ("Telephone bell ringing", "Ringtone"),
    "doorbell": ("Doorbell", "Ding-dong"),
    "knocking": ("Knock",),
    "door": ("Door", "Slam"),
    "bell": ("Bell", "Church bell", "Bicycle bell"),
    "typing": ("Typing", "Computer keyboard", "Typewriter"),
    "glass breaking": ("Shatter",),
    "gunshots": ("Gunshot, gunfire", "Machine gun", "Fusillade", "Artillery fire"),
    "explosion": ("Explosion",),
    "fireworks": ("Fireworks", "Firecracker"),
    "hammering": ("Hammer",),
    "drilling": ("Drill", "Power tool"),
    "sawing": ("Sawing", "Chainsaw"),
    "vacuum cleaner": ("Vacuum cleaner",),
    "camera shutter": ("Single-lens reflex camera",),
}  # fmt: skip
"""Text of the passage: YAMNet's classes that are it."""


def find_events(
    probabilities: np.ndarray,
    starts_s: np.ndarray,
    step_s: float,
    classes: Mapping[str, int],
    *,
    on: float = ON,
    off: float = OFF,
) -> list[Passage]:
    """Passages in the order of time, from probabilities (N, C) of frames that stand for `step_s`
    seconds each from `starts_s` (N,) on. `classes`: name -> column.
    """
    found: list[Passage] = []
    for text, names in EVENTS.items():
        curve = probabilities[:, [classes[name] for name in names]].max(1)
        for first, last in _runs(curve, on, off, round(JOIN_S / step_s)):
            span = Span(float(starts_s[first]), float(starts_s[last - 1]) + step_s)
            sure = float(curve[first:last].max())
            found.append(Passage("sound", span.start_s, span.end_s, text, "en", sure))
    return sorted(found, key=lambda passage: (passage.start_s, passage.end_s, passage.text))


def _runs(curve: np.ndarray, on: float, off: float, join: int) -> Iterator[tuple[int, int]]:
    """Stretches [first, last) above `off` that reach `on`, those at most `join` frames apart as
    one.
    """
    above = np.concatenate([[False], curve >= off, [False]])
    edges = np.flatnonzero(np.diff(above.astype(np.int8)))
    runs = [(a, b) for a, b in edges.reshape(-1, 2).tolist() if curve[a:b].max() >= on]
    joined: list[tuple[int, int]] = []
    for first, last in runs:
        if joined and first - joined[-1][1] <= join:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    yield from (run for run in joined if run[1] - run[0] >= MIN_FRAMES)
