"""RapidOCR (PP-OCRv6 small, Chinese and English, weights inside the package) as three functions:
where lines may be, where they are, and what they say.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from indexer.errors import ModelError
from indexer.load_once import load_once
from indexer.settings import Settings

# Recall of lines drawn on real frames, by height of the font at 720 pixels, when found in frames of
# 320 / 400 / 480 pixels: 14: .36 .64 .86, 18: .59 .77 .95, 24: .68 .82 1, 36 and more: 1. Frames of
# 720 gave nothing more.
SHORT_SIDE = 480
# Pixels on the shorter side of the coarse pass, which finds whether there is any line at all, at a
# quarter of the cost of finding them. Frames with a single line: docs/experiments/text.md.
COARSE_SIDE = 256
# mean of the detector's map inside a line; the first is RapidOCR's own
_MIN_BOX, _MIN_BOX_COARSE = 0.5, 0.3
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


class RapidText:
    """RapidOCR with sessions of `threads` threads. Raises ModelError where it is not installed."""

    def __init__(self, threads: int) -> None:
        try:
            import rapidocr
        except ImportError as error:
            raise ModelError(
                "screen text needs rapidocr ({error})", _INSTALL, error=error
            ) from None
        from omegaconf import flag_override

        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
        self._engine = rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "Det.limit_side_len": COARSE_SIDE,
                "Det.limit_type": "min",
            }
        )
        models = Path(rapidocr.__file__).parent / "models"
        with flag_override(self._engine.cfg, "allow_objects", True):
            self._engine.cfg.Det.session = _session(models / "PP-OCRv6_det_small.onnx", threads)
            self._engine.cfg.Rec.session = _session(models / "PP-OCRv6_rec_small.onnx", threads)
        self._calls = threading.Lock()  # the engine keeps the options of a call in itself

    def find_coarse(self, image: np.ndarray) -> np.ndarray:
        """As TextModel.find_coarse."""
        return self._corners(image, COARSE_SIDE, _MIN_BOX_COARSE)

    def find(self, image: np.ndarray) -> np.ndarray:
        """As TextModel.find."""
        return self._corners(image, SHORT_SIDE, _MIN_BOX)

    def _corners(self, image: np.ndarray, short_side: int, min_box: float) -> np.ndarray:
        scaled = _scaled(image, short_side)
        boxes = self._call(scaled, find=True, box_thresh=min_box).boxes
        if boxes is None:
            return np.zeros((0, 4, 2), np.float32)
        back = np.array(
            [image.shape[1] / scaled.shape[1], image.shape[0] / scaled.shape[0]], np.float32
        )
        return np.asarray(boxes, np.float32).reshape(-1, 4, 2) * back

    def read(self, crops: Sequence[np.ndarray]) -> list[tuple[str, float]]:
        """As TextModel.read."""
        results = [self._call(crop, find=False) for crop in crops]
        return [
            (str(r.txts[0]).strip(), float(r.scores[0])) if r.txts else ("", 0.0) for r in results
        ]

    def _call(self, image: np.ndarray, *, find: bool, box_thresh: float | None = None) -> Any:
        bgr = np.ascontiguousarray(image[..., ::-1])
        with self._calls:
            return self._engine(
                bgr, use_det=find, use_rec=not find, use_cls=False, box_thresh=box_thresh
            )


def _session(model: Path, threads: int) -> Any:
    """RapidOCR's own sessions wait in a busy loop, which costs half as much again and takes the
    core that reads the next chunk.
    """
    import onnxruntime

    runtime: Any = onnxruntime  # it has no types
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return runtime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _scaled(image: np.ndarray, short_side: int) -> np.ndarray:
    import cv2

    height, width = image.shape[:2]
    scale = short_side / min(height, width)
    if scale == 1:
        return image
    size = (round(width * scale), round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def require_text_model() -> None:
    """Raises ModelError where the package is missing, without loading it."""
    if find_spec("rapidocr") is None:
        raise ModelError("screen text needs rapidocr, which is not installed", _INSTALL)


def load_text_model(settings: Settings) -> TextModel:
    """Loaded once per process. Raises ModelError when the package is missing."""
    return _load(settings.threads)


@load_once
def _load(threads: int) -> RapidText:
    return RapidText(threads)


def crop_line(image: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The line inside `corners` (4, 2), turned upright; a column of text lies on its side
    afterwards.
    """
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
