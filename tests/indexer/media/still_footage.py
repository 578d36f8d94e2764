"""Recordings in which little happens, for what reads less of them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 25
LENGTH_S = 24.0
MOVES = (8.0, 12.0)  # seconds in which a square crosses the picture
CUT_S = 15.4
HEIGHT, WIDTH = 96, 160


def images() -> Iterator[np.ndarray]:
    """A still textured scene, something that moves through it, and another still scene."""
    rng = np.random.default_rng(7)
    scenes = [_textured(rng, colour) for colour in ((180, 40, 40), (40, 60, 190))]
    for number in range(round(LENGTH_S * RATE)):
        time_s = number / RATE
        image = scenes[time_s >= CUT_S].copy()
        if MOVES[0] <= time_s < MOVES[1]:
            left = round((time_s - MOVES[0]) / (MOVES[1] - MOVES[0]) * (WIDTH - 30))
            image[30:60, left : left + 30] = (20, 170, 30)
        yield image


def _textured(rng: np.random.Generator, colour: tuple[int, int, int]) -> np.ndarray:
    coarse = rng.integers(-30, 30, (HEIGHT // 4, WIDTH // 4, 1))
    texture = np.kron(coarse, np.ones((4, 4, 1), int))
    return np.clip(np.array(colour) + texture, 0, 255).astype(np.uint8)


def write_footage(path: Path, codec: str = "libx264", **options: str) -> Path:
    """`images` as a file with a keyframe every two seconds at least."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(RATE), options={"g": "50", **options})
        stream.width, stream.height = WIDTH, HEIGHT
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for image in images():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path
