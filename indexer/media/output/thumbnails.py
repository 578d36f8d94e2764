"""Small pictures for the eye."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from indexer.media.decode.reader_process import ReaderProcess

WIDTH = 320
_QUALITY = 82
_STILL_QUALITY = 76  # of WebP: 20 to 30 kB at 640 pixels
_STRIP_GAP = 4
# A bar: lines that are nowhere brighter than this, the same number (within a tenth of the side) at
# both sides, and not most of the picture.
_BAR_LUMA = 30
_BAR_DIFFERENCE = 0.1
_LARGEST_BARS = 0.72
_SMALLEST_BARS = 0.02


def jpeg(image: np.ndarray, width: int = WIDTH) -> bytes:
    """JPEG of an (H, W, 3) uint8 picture without black bars, scaled down to `width` keeping its
    aspect.
    """
    out = io.BytesIO()
    picture = _resize(Image.fromarray(without_bars(image)), width, Image.Resampling.BOX)
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()


def still(image: np.ndarray, side: int) -> bytes:
    """WebP of an (H, W, 3) uint8 picture without black bars, its longer side at most `side`."""
    picture = Image.fromarray(without_bars(image))
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return _webp(picture)


def strip(images: Sequence[np.ndarray], size: tuple[int, int]) -> bytes:
    """WebP of pictures (H, W, 3) uint8 side by side, each cut to fill `size` (width, height)."""
    width, height = size
    joined = Image.new("RGB", ((width + _STRIP_GAP) * len(images) - _STRIP_GAP, height))
    for number, image in enumerate(images):
        picture = ImageOps.fit(Image.fromarray(without_bars(image)), size)
        joined.paste(picture, (number * (width + _STRIP_GAP), 0))
    return _webp(joined)


def without_bars(image: np.ndarray) -> np.ndarray:
    """The (H, W, 3) uint8 picture without the black bars that were recorded with it; a picture that
    is dark all over stays whole.
    """
    bright = image.max(axis=2) > _BAR_LUMA
    top, bottom = _inner(bright.any(axis=1))
    left, right = _inner(bright.any(axis=0))
    return image[top:bottom, left:right]


def _inner(is_lit: np.ndarray) -> tuple[int, int]:
    """First and last line (exclusive) of what lies between two bars; all where there are none."""
    size = len(is_lit)
    lit = np.flatnonzero(is_lit)
    if not len(lit):
        return 0, size
    before, after = int(lit[0]), size - 1 - int(lit[-1])
    alike = abs(before - after) <= _BAR_DIFFERENCE * size
    if not alike or not _SMALLEST_BARS * size <= before + after <= _LARGEST_BARS * size:
        return 0, size
    return before, size - after


def _resize(picture: Image.Image, width: int, method: Image.Resampling) -> Image.Image:
    if picture.width <= width:
        return picture
    return picture.resize((width, max(1, round(picture.height * width / picture.width))), method)


def _webp(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=_STILL_QUALITY, method=4)
    return out.getvalue()


def thumbnail(
    path: str | os.PathLike[str], time_s: float, width: int = WIDTH, *, timeout_s: float = 60.0
) -> bytes:
    """JPEG of the picture shown at `time_s`. Raises MediaError, MediaTimeout."""
    with ReaderProcess(path, timeout_s=timeout_s) as reader:
        return jpeg(reader.at([time_s], short_side=width).images[0], width)
