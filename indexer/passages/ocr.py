"""RapidOCR (PP-OCRv6 small, Chinese and English, weights inside the package) as two functions: where lines are, and what they say."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from indexer.errors import ModelError
from indexer.settings import Settings

# Recall of lines drawn on real frames, by height of the font at 720 pixels, when found in frames of 320 / 400 / 480 pixels:
# 14: .36 .64 .86, 18: .59 .77 .95, 24: .68 .82 1, 36 and more: 1. Frames of 720 gave nothing more.
SHORT_SIDE = 480
_INSTALL = 'pip install "seekpoint[ocr]", or SEEKPOINT_SCREEN_TEXT=0'
_lock = threading.Lock()
_loaded: dict[int, RapidText] = {}


class TextModel(Protocol):
    def find(self, image: np.ndarray) -> np.ndarray:
        """Lines in an image (H, W, 3) uint8 RGB: (K, 4, 2) float32 corners x, y, from the upper left one clockwise."""
        ...

    def read(self, crops: Sequence[np.ndarray]) -> list[tuple[str, float]]:
        """Text and confidence in [0, 1] of upright lines, each (h, w, 3) uint8 RGB."""
        ...


class RapidText:
    def __init__(self, threads: int) -> None:
        try:
            import rapidocr
        except ImportError as error:
            raise ModelError(f"screen text needs rapidocr ({error})", _INSTALL) from None
        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
        self._engine = rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "Det.limit_side_len": SHORT_SIDE,
                "Det.limit_type": "min",
                "EngineConfig.onnxruntime.intra_op_num_threads": threads or -1,
            }
        )
        self._calls = threading.Lock()  # the engine keeps the options of a call in itself

    def find(self, image: np.ndarray) -> np.ndarray:
        boxes = self._call(image, find=True).boxes
        return np.zeros((0, 4, 2), np.float32) if boxes is None else np.asarray(boxes, np.float32).reshape(-1, 4, 2)

    def read(self, crops: Sequence[np.ndarray]) -> list[tuple[str, float]]:
        results = [self._call(crop, find=False) for crop in crops]
        return [(str(r.txts[0]).strip(), float(r.scores[0])) if r.txts else ("", 0.0) for r in results]

    def _call(self, image: np.ndarray, *, find: bool) -> Any:
        bgr = np.ascontiguousarray(image[..., ::-1])
        with self._calls:
            return self._engine(bgr, use_det=find, use_rec=not find, use_cls=False)


def require_text_model() -> None:
    """Raises ModelError where the package is missing, without loading it."""
    if find_spec("rapidocr") is None:
        raise ModelError("screen text needs rapidocr, which is not installed", _INSTALL)


def load_text_model(settings: Settings) -> TextModel:
    """Loaded once per process. Raises ModelError when the package is missing."""
    with _lock:
        if settings.threads not in _loaded:
            _loaded[settings.threads] = RapidText(settings.threads)
        return _loaded[settings.threads]


def crop_line(image: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The line inside `corners` (4, 2), turned upright; a column of text lies on its side afterwards."""
    import cv2

    top, right = (float(np.linalg.norm(corners[a] - corners[b])) for a, b in ((0, 1), (1, 2)))
    width, height = max(2, math.ceil(top)), max(2, math.ceil(right))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    crop = cv2.warpPerspective(
        image,
        cv2.getPerspectiveTransform(corners.astype(np.float32), target),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.ascontiguousarray(np.rot90(crop)) if height >= 1.5 * width else crop
