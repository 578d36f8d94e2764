"""Pictures for tests: 480 x 854, one a second, with text drawn on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from indexer.media.decode.frames import Frames

HEIGHT, WIDTH = 480, 854
Draw = Callable[[ImageDraw.ImageDraw, int], None]


def film(seconds: int, draw: Draw, background: Callable[[int], np.ndarray] | None = None) -> Frames:
    """One picture a second; `draw(canvas, second)` writes on it."""
    images = []
    for second in range(seconds):
        image = Image.fromarray((background or plain)(second))
        draw(ImageDraw.Draw(image), second)
        images.append(np.asarray(image))
    return frames_of(images)


def frames_of(images: Sequence[np.ndarray]) -> Frames:
    return Frames(
        np.stack(images), np.arange(len(images), dtype=np.float64), np.full(len(images), 0.04)
    )


def write(
    canvas: ImageDraw.ImageDraw,
    text: str,
    x: float,
    y: float,
    size: int = 28,
    font: str = "",
    fill: str = "white",
) -> None:
    chosen = ImageFont.truetype(font, size) if font else ImageFont.load_default(size)
    canvas.text((x, y), text, font=chosen, fill=fill, stroke_width=2, stroke_fill="black")


def plain(second: int) -> np.ndarray:
    """A smooth slope of colour."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[..., 2] = np.linspace(40, 120, WIDTH)[None, :]
    image[..., 0] = np.linspace(20, 90, HEIGHT)[:, None]
    return image


def moving(second: int) -> np.ndarray:
    """Soft shapes and grain that move on by 20 pixels a second."""
    random = np.random.default_rng(4)
    coarse = random.integers(0, 256, (30, 90, 3), np.uint8)
    wide = np.asarray(Image.fromarray(coarse).resize((90 * 24, HEIGHT), Image.Resampling.BICUBIC))
    grain = np.random.default_rng(second).normal(0, 4, (HEIGHT, WIDTH, 1))
    return np.clip(wide[:, 20 * second : 20 * second + WIDTH] + grain, 0, 255).astype(np.uint8)


def bars(second: int) -> np.ndarray:
    """Railings: strong edges close together that are no text."""
    image = plain(second).copy()
    image[200:400, (second * 7) % 12 :: 12] = 230
    image[200:400, (second * 7) % 12 + 1 :: 12] = 230
    return image
