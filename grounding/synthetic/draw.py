"""Draws things on a picture. A moving thing leaves a trail: the exposure of a frame is long, and
its last moment the brightest.

Shapes are distance functions, so that their edges are smooth at any size
(https://iquilezles.org/articles/distfunctions2d/).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grounding.synthetic.world import COLOURS, Thing

SIDE = 48
"""Pixels of a drawn picture, which is square."""
STEP = 3.0
"""Pixels of a stripe or a check."""
DARK = 0.25
TRAIL = ((0.75, 0.30), (0.5, 0.45), (0.25, 0.65))
"""Moments before the frame, as shares of the trail's length, and how much of the thing they leave.
"""
EXTENT = {"bar": (1.0, 0.42), "post": (0.42, 1.0), "triangle": (1.0, 0.9)}
"""Half width and half height of a shape of radius 1; all others (1, 1)."""


@dataclass(frozen=True, slots=True)
class Look:
    """A thing at one moment. Pixels; `trail` is how far it came during the exposure, `shown` its
    opacity, `glow` its halo in [0, 1].
    """

    thing: Thing
    x: float
    y: float
    radius: float
    trail: tuple[float, float] = (0.0, 0.0)
    both_ways: bool = False
    shown: float = 1.0
    glow: float = 0.0

    def box(self, side: int = SIDE) -> tuple[float, float, float, float]:
        """x1, y1, x2, y2 as fractions of the picture."""
        across, down = (self.radius * share for share in EXTENT.get(self.thing.shape, (1.0, 1.0)))
        corners = (self.x - across, self.y - down, self.x + across, self.y + down)
        return tuple(min(max(value / side, 0.0), 1.0) for value in corners)  # type: ignore[return-value]


def draw(canvas: np.ndarray, look: Look) -> None:
    """Paints on `canvas` `(H, W, 3) float32` in 0..255, in place."""
    if look.glow:
        distance = np.hypot(*_offsets(canvas, look.x, look.y)) - 1.15 * look.radius
        _blend(
            canvas,
            np.clip(1 - np.abs(distance) / 2.5, 0, 1) * look.glow,
            np.array([255, 255, 210], np.float32),
        )
    dx, dy = look.trail
    for share, left in TRAIL if (dx or dy) else ():
        for way in (1, -1) if look.both_ways else (1,):
            x, y = look.x - way * dx * share, look.y - way * dy * share
            _blend(
                canvas,
                left * look.shown * coverage(canvas, look.thing.shape, x, y, look.radius),
                _colours(canvas, look.thing, x, y),
            )
    mask = coverage(canvas, look.thing.shape, look.x, look.y, look.radius)
    _blend(canvas, look.shown * mask, _colours(canvas, look.thing, look.x, look.y))


def coverage(canvas: np.ndarray, shape: str, x: float, y: float, radius: float) -> np.ndarray:
    """`(H, W) float32`: the share of each pixel that the shape covers."""
    dx, dy = _offsets(canvas, x, y)
    return np.clip(0.5 - _distance(shape, dx, dy, radius), 0, 1)


def _offsets(canvas: np.ndarray, x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    height, width = canvas.shape[:2]
    return np.arange(width, dtype=np.float32)[None, :] + 0.5 - np.float32(x), np.arange(
        height, dtype=np.float32
    )[:, None] + 0.5 - np.float32(y)


def _distance(shape: str, dx: np.ndarray, dy: np.ndarray, r: float) -> np.ndarray:
    """Signed distance from the edge in pixels, negative inside."""
    across, down = np.abs(dx), np.abs(dy)
    if shape == "disc":
        return np.hypot(dx, dy) - r
    if shape == "ring":
        return np.abs(np.hypot(dx, dy) - 0.72 * r) - 0.28 * r
    if shape == "triangle":
        return np.maximum((1.8 * across - dy - 0.9 * r) / 2.06, dy - 0.9 * r)
    if shape == "cross":
        arm = 0.33 * r
        return np.minimum(np.maximum(across - r, down - arm), np.maximum(across - arm, down - r))
    w, h = EXTENT[shape]
    return np.maximum(across - w * r, down - h * r)


def _colours(canvas: np.ndarray, thing: Thing, x: float, y: float) -> np.ndarray:
    """`(H, W, 3)` or `(3,)`: the pattern moves along with the thing."""
    colour = np.array(COLOURS[thing.colour], np.float32)
    if thing.pattern == "plain":
        return colour
    dx, dy = _offsets(canvas, x, y)
    rows = np.floor(dy / STEP)
    dark = (rows if thing.pattern == "striped" else rows + np.floor(dx / STEP)) % 2 == 1
    return np.where(dark[..., None], colour * np.float32(DARK), colour)


def _blend(canvas: np.ndarray, alpha: np.ndarray, colours: np.ndarray) -> None:
    canvas += alpha[..., None] * (colours - canvas)
