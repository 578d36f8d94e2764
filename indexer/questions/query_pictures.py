"""Pictures that people ask with: kept small under the hash of their bytes, so that such a search is
a link like any other.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from indexer.artefacts import write_atomically
from indexer.errors import UsageError
from indexer.settings import Settings

LARGEST_BYTES = 20 * 2**20
LARGEST_PIXELS = 100_000_000
SIDE_PIXELS = 640
KEPT_PICTURES = 500


def keep_picture(settings: Settings, picture: Image.Image) -> str:
    """Name under which the picture is found again. Raises ValueError for one that is too large; the
    oldest of many go.
    """
    if picture.width * picture.height > LARGEST_PIXELS:
        raise ValueError(f"a picture of {picture.width} x {picture.height} pixels is too large")
    small = ImageOps.exif_transpose(picture).convert("RGB")
    small.thumbnail((SIDE_PIXELS, SIDE_PIXELS))
    out = io.BytesIO()
    small.save(out, "PNG")
    name = hashlib.sha256(out.getvalue()).hexdigest()
    write_atomically(_folder(settings) / f"{name}.png", out.getvalue())
    newest_first = sorted(_folder(settings).glob("*.png"), key=lambda path: -path.stat().st_mtime)
    for old in newest_first[KEPT_PICTURES:]:
        old.unlink(missing_ok=True)
    return name


def read_picture(settings: Settings, name: str) -> np.ndarray:
    """(H, W, 3) uint8. Raises UsageError for a name that is not (or no more) there."""
    path = picture_path(settings, name)
    if not name.isalnum() or not path.is_file():
        raise UsageError("this picture is not kept any more", "choose it again")
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def picture_path(settings: Settings, name: str) -> Path:
    """Where a picture of this name is kept, whether it is there or not."""
    return _folder(settings) / f"{name}.png"


def _folder(settings: Settings) -> Path:
    return settings.artefacts / "pictures"
