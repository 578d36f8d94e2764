"""Photographs that installed packages carry, as quiet backgrounds."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from grounding.synthetic.draw import SIDE

FILES = (
    "skimage/data/astronaut.png",
    "skimage/data/brick.png",
    "skimage/data/camera.png",
    "skimage/data/chelsea.png",
    "skimage/data/coffee.png",
    "skimage/data/coins.png",
    "skimage/data/grass.png",
    "skimage/data/gravel.png",
    "skimage/data/moon.png",
    "skimage/data/motorcycle_left.png",
    "skimage/data/page.png",
    "skimage/data/rocket.jpg",
    "sklearn/datasets/images/china.jpg",
    "sklearn/datasets/images/flower.jpg",
)
SCALED_SIDE_PX = 160
"""The shorter side in pixels from which backgrounds are cut."""
QUIET, DIM = 0.35, 45.0
"""Contrast and brightness that are left, so that things stand out."""


@cache
def photographs() -> tuple[np.ndarray, ...]:
    """Each `(H, W, 3) float32` in 0..255, dimmed. Raises ValueError where no package carries
    one.
    """
    found = tuple(_dim(path) for file in FILES if (path := _find_in_package(file)) is not None)
    if not found:
        raise ValueError(
            "no photographs found: install scikit-image or scikit-learn "
            "(pip install 'seekpoint[demo]')"
        )
    return found


def background(random: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """A cut of one of them, `(side, side, 3) float32`, mirrored half of the time."""
    picture = photographs()[random.integers(len(photographs()))]
    top, left = (int(random.integers(size - side + 1)) for size in picture.shape[:2])
    cut = picture[top : top + side, left : left + side]
    return (cut[:, ::-1] if random.random() < 0.5 else cut).copy()


def _dim(path: Path) -> np.ndarray:
    with Image.open(path) as file:
        picture = file.convert("RGB")
    scale = SCALED_SIDE_PX / min(picture.size)
    sized = picture.resize(
        (round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS
    )
    return np.asarray(sized, np.float32) * QUIET + DIM


def _find_in_package(file: str) -> Path | None:
    package, _, rest = file.partition("/")
    spec = find_spec(package)
    places = (
        (Path(place) / rest for place in (spec.submodule_search_locations or ())) if spec else ()
    )
    return next((path for path in places if path.is_file()), None)
