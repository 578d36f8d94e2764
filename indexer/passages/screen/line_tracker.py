"""Follows lines of text from frame to frame by how they look, so that each is read once, where it
is sharpest.

A line of which one character changes in place (a clock, a page number) looks the same and keeps one
reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

_LOOK = (16, 96)  # height and width of the small grey picture by which lines are compared
# correlation of two sightings of a line that stays; other words of one size correlate below .4
_SAME_PLACE = 0.5
_MOVED = 0.7  # of a line that moves


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One line in one frame: corners (4, 2) and the box (x0, y0, x1, y1) around them, crop (h, w,
    3) uint8 RGB.
    """

    time_s: float
    corners: np.ndarray
    box: tuple[float, float, float, float]
    crop: np.ndarray
    look: np.ndarray
    sharpness: float

    @classmethod
    def of(cls, time_s: float, corners: np.ndarray, crop: np.ndarray) -> Sighting:
        """Measures a crop (h, w, 3) uint8 RGB of the line inside `corners` (4, 2)."""
        import cv2  # heavy: only for who reads screens

        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, _LOOK[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
        small -= small.mean()
        (x0, y0), (x1, y1) = corners.min(0).tolist(), corners.max(0).tolist()
        look = small / max(float(np.linalg.norm(small)), 1e-6)
        return cls(
            time_s,
            corners,
            (x0, y0, x1, y1),
            crop,
            look,
            float(cv2.Laplacian(grey, cv2.CV_32F).var()),
        )

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in pixels."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]


@dataclass(slots=True, eq=False)
class Line:
    """A line that is being followed; `best` is its sharpest sighting. `before_s`: the last frame
    looked at in which it was not.

    `reading`: text and confidence of a sighting that was read, which may be the best no more.
    """

    before_s: float
    first_s: float
    last_s: float
    rows: tuple[float, float]  # y0, y1 of the first sighting
    latest: Sighting
    best: Sighting
    after_s: float | None = None
    sightings: int = 1
    reading: tuple[Sighting, str, float] | None = None

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Where it was seen last."""
        return self.latest.box

    def see_again(self, time_s: float, crop: np.ndarray) -> None:
        """It stands where it stood; this picture of it may be sharper."""
        again = Sighting.of(time_s, self.latest.corners, crop)
        if again.sharpness > self.best.sharpness:
            self.best = again

    def see(self, sighting: Sighting) -> None:
        """Takes another sighting of the line."""
        self.last_s, self.latest, self.sightings = sighting.time_s, sighting, self.sightings + 1
        if sighting.sharpness > self.best.sharpness:
            self.best = sighting


@dataclass(slots=True)
class LineTracker:
    """The lines that are followed, `live`, as of the frame at `looked_s`."""

    live: list[Line] = field(default_factory=list)
    looked_s: float = -np.inf

    def keep_unchanged(self, time_s: float) -> None:
        """The text of the last frame looked at is still there, all of it."""
        self.looked_s = time_s
        self.still(time_s)

    def still(self, time_s: float) -> None:
        """The lines that are followed are still there; there may be others."""
        for line in self.live:
            line.last_s, line.sightings = time_s, line.sightings + 1

    def update(self, time_s: float, sightings: Sequence[Sighting]) -> list[Line]:
        """Takes what one frame holds; returns the lines that are gone."""
        pairs = sorted(
            (
                (likeness(line.latest, seen), a, b)
                for a, line in enumerate(self.live)
                for b, seen in enumerate(sightings)
            ),
            key=lambda pair: (-pair[0], pair[1], pair[2]),
        )
        taken_lines, taken_sightings = set(), set()
        for score, a, b in pairs:
            if score > 0 and a not in taken_lines and b not in taken_sightings:
                taken_lines.add(a)
                taken_sightings.add(b)
                self.live[a].see(sightings[b])
        gone = self.drop(time_s, [line for a, line in enumerate(self.live) if a not in taken_lines])
        self.live += [
            Line(self.looked_s, time_s, time_s, (s.box[1], s.box[3]), s, s)
            for b, s in enumerate(sightings)
            if b not in taken_sightings
        ]
        self.looked_s = time_s
        return gone

    def drop(self, time_s: float, lines: Sequence[Line]) -> list[Line]:
        """These are gone by `time_s`."""
        for line in lines:
            line.after_s = time_s
        self.live = [line for line in self.live if line not in lines]
        return list(lines)


def likeness(a: Sighting, b: Sighting) -> float:
    """Correlation of two sightings in [0, 1]; 0 when they cannot be the same line."""
    if any(abs(one - other) > 0.15 * max(one, other) + 4 for one, other in zip(a.size, b.size)):
        return 0.0
    still = all(abs(p - q) <= 0.5 * min(a.size[1], b.size[1]) + 2 for p, q in zip(a.box, b.box))
    correlation = float((a.look * b.look).sum())
    return correlation if correlation >= (_SAME_PLACE if still else _MOVED) else 0.0
