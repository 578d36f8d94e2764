"""Which groups of pictures of a span are worth decoding in full.

A group is a keyframe and the pictures that are coded as changes to it. Reading a file without
decoding tells how many bytes these changes take: an encoder spends them where something moves, and
writes nearly a whole picture again where another shot begins. Together with the change from one
keyframe to the next one this says where something happens, at a hundredth of the cost of decoding.
docs/experiments/adaptive.md has what was tried, and what it costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grounding.spans import Span
from indexer.media.shot_boundaries import KEYFRAME_MIN_SCORE, MIN_SCORE, SURE_SCORE

# What happens in a group is worth decoding from here on: bytes of changes in keyframes a second,
# the largest of them in keyframes, change of the picture between keyframes (of 255).
MOTION, PEAK, CHANGE = 1.0, 0.25, MIN_SCORE
MIN_ACTIVITY = 1.0
# Where so little moved, the picture before the next keyframe was still that of this one: what
# differs then is another shot.
_STILL_MOTION = 0.5


@dataclass(frozen=True, slots=True)
class Group:
    """A keyframe and what follows it, until the next one.

    key_bytes    size of the keyframe's packet
    sizes        (n,) of the other packets, in the order of time
    change       of the picture from this keyframe to the next one (0 to 255); None: there is none
    """

    span: Span
    key_bytes: int
    sizes: np.ndarray
    change: float | None = None

    @property
    def motion(self) -> float:
        """Bytes of all changes, in keyframes a second."""
        return float(self.sizes.sum()) / max(1, self.key_bytes) / max(self.span.length_s, 1e-3)

    @property
    def peak(self) -> float:
        """The largest change of one picture, in keyframes, above what the others have."""
        if not len(self.sizes):
            return 0.0
        return float(self.sizes.max() - np.median(self.sizes)) / max(1, self.key_bytes)

    @property
    def ends_with_cut(self) -> bool:
        """Whether nothing moved until the next keyframe, which shows something else."""
        change = self.change or 0.0
        return self.motion < _STILL_MOTION and self.peak < PEAK and change >= SURE_SCORE

    @property
    def activity(self) -> float:
        """How much happens, by whichever says most; from 1 on it is worth decoding."""
        change = 0.0 if self.change is None or self.ends_with_cut else self.change
        return max(self.motion / MOTION, self.peak / PEAK, change / CHANGE)


def is_cut_between(group: Group) -> bool:
    """Whether the keyframe after a group that was passed over starts a shot."""
    if group.change is None:
        return False
    return group.ends_with_cut or group.change >= KEYFRAME_MIN_SCORE


def choose_groups(groups: Sequence[Group], span: Span, budget: float) -> list[bool]:
    """For each group whether it is decoded in full: those in which something happens, the busiest
    first, until they hold `budget` of the span.
    """
    left_s = budget * span.length_s
    wanted = [False] * len(groups)
    for number in sorted(range(len(groups)), key=lambda n: -groups[n].activity):
        length_s = groups[number].span.overlap_s(span)
        if groups[number].activity < MIN_ACTIVITY or length_s > left_s:
            continue
        wanted[number] = True
        left_s -= length_s
    return wanted
