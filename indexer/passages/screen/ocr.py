"""RapidOCR (PP-OCRv6 small, Chinese and English, weights inside the package) as three functions:
where lines may be, where they are, and what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Protocol

import numpy as np

from indexer.errors import ModelError
from indexer.process.load_once import load_once
from indexer.settings import Settings

# Recall of lines drawn on real frames, by height of the font at 720 pixels, when found in frames of
# 320 / 400 / 480 pixels: 14: .36 .64 .86, 18: .59 .77 .95, 24: .68 .82 1, 36 and more: 1. Frames of
# 720 gave nothing more.
SHORT_SIDE = 480
# Pixels on the shorter side of the coarse pass, which finds whether there is any line at all, at a
# quarter of the cost of finding them. Frames with a single line: docs/experiments/text.md.
COARSE_SIDE = 256
_INSTALL = 'pip install "seekpoint[ocr]", or SEEKPOINT_SCREEN_TEXT=0'


class TextModel(Protocol):
    """Finds lines of text and reads them."""

    def find_coarse(self, image: np.ndarray) -> np.ndarray:
        """As `find`, where lines may be: at a quarter of the cost, more that are none, without the
        small ones.
        """
        ...

    def find(self, image: np.ndarray) -> np.ndarray:
        """Lines in an image (H, W, 3) uint8 RGB: (K, 4, 2) float32 corners x, y, from the upper
        left one clockwise.
        """
        ...

    def read(self, crops: Sequence[np.ndarray]) -> list[tuple[str, float]]:
        """Text and confidence in [0, 1] of upright lines, each (h, w, 3) uint8 RGB."""
        ...


def require_text_model() -> None:
    """Raises ModelError where the package is missing, without loading it."""
    if find_spec("rapidocr") is None:
        raise ModelError("screen text needs rapidocr, which is not installed", _INSTALL)


def load_text_model(settings: Settings) -> TextModel:
    """Loaded once per process. Raises ModelError when the package is missing."""
    return _load(settings.threads)


@load_once
def _load(threads: int) -> TextModel:
    try:
        from indexer.passages.screen.rapid_text import RapidText
    except ImportError as error:
        raise ModelError("screen text needs rapidocr ({error})", _INSTALL, error=error) from None
    return RapidText(threads)
