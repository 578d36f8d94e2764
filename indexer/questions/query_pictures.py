"""Pictures that people ask with: kept small under the hash of their bytes, so that such a search is
a link like any other.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.artefacts import write_atomically
from indexer.errors import UsageError
from indexer.settings import Settings

LARGEST_BYTES = 20 * 2**20
SIDE_PIXELS = 640
KEPT_PICTURES = 500
_AT_ONCE = 2
_WAIT_S = 30.0
_decoding = threading.BoundedSemaphore(_AT_ONCE)


def keep_picture(settings: Settings, data: bytes) -> str:
    """Name under which the picture of these bytes is found again. The oldest of many go. Raises
    MediaError for what is no picture or too large, UsageError where too many come at once.
    """
    png = _small(data)
    name = hashlib.sha256(png).hexdigest()
    write_atomically(_folder(settings) / f"{name}.png", png)
    newest_first = sorted(_folder(settings).glob("*.png"), key=lambda path: -path.stat().st_mtime)
    for old in newest_first[KEPT_PICTURES:]:
        old.unlink(missing_ok=True)
    return name


def _small(data: bytes) -> bytes:
    from indexer.media.decode.reader_process import small_picture_in_process  # PyAV is slow to load

    if not _decoding.acquire(timeout=_WAIT_S):
        raise UsageError("too many pictures are being read", "try again in a moment")
    try:
        return small_picture_in_process(data, SIDE_PIXELS)
    finally:
        _decoding.release()


def read_picture(settings: Settings, name: str) -> np.ndarray:
    """(H, W, 3) uint8. Raises UsageError for a name that is not (or no more) there."""
    path = picture_path(settings, name)
    if not name.isalnum() or not path.is_file():
        raise UsageError("this picture is not kept any more", "choose it again")
    with Image.open(path, formats=["PNG"]) as picture:  # written by keep_picture
        return np.asarray(picture.convert("RGB"))


def picture_path(settings: Settings, name: str) -> Path:
    """Where a picture of this name is kept, whether it is there or not."""
    return _folder(settings) / f"{name}.png"


def _folder(settings: Settings) -> Path:
    return settings.artefacts / "pictures"
