"""Small JPEG pictures for the eye."""

from __future__ import annotations

import io
import os

import numpy as np
from PIL import Image

from indexer.media.decode.reader_process import ReaderProcess

WIDTH = 320
_QUALITY = 82


def jpeg(image: np.ndarray, width: int = WIDTH) -> bytes:
    """JPEG of an (H, W, 3) uint8 picture, scaled down to `width` keeping its aspect."""
    picture = Image.fromarray(image)
    if picture.width > width:
        picture = picture.resize(
            (width, max(1, round(picture.height * width / picture.width))), Image.Resampling.BOX
        )
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()


def thumbnail(
    path: str | os.PathLike[str], time_s: float, width: int = WIDTH, *, timeout_s: float = 60.0
) -> bytes:
    """JPEG of the picture shown at `time_s`. Raises MediaError, MediaTimeout."""
    with ReaderProcess(path, timeout_s=timeout_s) as reader:
        return jpeg(reader.at([time_s], short_side=width).images[0], width)
