"""Finds and reads lines of text with RapidOCR, on sessions of our own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import rapidocr
from omegaconf import flag_override

from indexer.passages.screen.ocr import COARSE_SIDE, SHORT_SIDE

# mean of the detector's map inside a line; the first is RapidOCR's own
_MIN_BOX, _MIN_BOX_COARSE = 0.5, 0.3


class RapidText:
    """RapidOCR with sessions of `threads` threads."""

    def __init__(self, threads: int) -> None:
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
            self._engine.cfg.Det.session = _session(
                models / "PP-OCRv6_det_small.onnx", threads, keeps_memory=True
            )
            self._engine.cfg.Rec.session = _session(
                models / "PP-OCRv6_rec_small.onnx", threads, keeps_memory=False
            )
        # Newer versions make it in the first call.
        load = getattr(self._engine, "_load_det_model", None)
        _normalise_in_float32(load() if load else self._engine.text_det)
        self._calls = threading.Lock()  # the engine keeps the options of a call in itself

    def find_coarse(self, image: np.ndarray) -> np.ndarray:
        """As TextModel.find_coarse."""
        return self._corners(image, COARSE_SIDE, _MIN_BOX_COARSE)

    def find(self, image: np.ndarray) -> np.ndarray:
        """As TextModel.find."""
        return self._corners(image, SHORT_SIDE, _MIN_BOX)

    def _corners(self, image: np.ndarray, short_side: int, min_box: float) -> np.ndarray:
        scaled = _resize(image, short_side)
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


def _normalise_in_float32(detector: Any) -> None:
    """RapidOCR's own mean and deviation are float64, so that a picture becomes one: a tenth of a
    full pass.
    """
    make = detector.get_preprocess

    def get_preprocess() -> Any:
        step = make()
        step.mean, step.std = np.float32(step.mean), np.float32(step.std)
        return step

    detector.get_preprocess = get_preprocess


def _session(model: Path, threads: int, *, keeps_memory: bool) -> Any:
    """RapidOCR's own sessions wait in a busy loop, which costs half as much again and takes the
    core that reads the next chunk.

    `keeps_memory` between calls: asking for it anew took a quarter of the time of a full pass. What
    is read comes in lines of any length, for which nothing is gained.
    """
    runtime: Any = onnxruntime  # it has no types
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = keeps_memory
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return runtime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _resize(image: np.ndarray, short_side: int) -> np.ndarray:
    height, width = image.shape[:2]
    scale = short_side / min(height, width)
    if scale == 1:
        return image
    size = (round(width * scale), round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
