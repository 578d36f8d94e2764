"""Where one shot ends and the next begins, from small pictures of every decoded frame.

The rule is PySceneDetect's AdaptiveDetector: a picture starts a shot when it differs from the one before far more than its
neighbours do from theirs. Its score is computed here, from a few thousand pixels that are picked out of the decoded planes without
converting or scaling anything; its memory of the last cut is switched off, so that what is found in a span does not depend on where
the reading of the file began.
"""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame

ADAPTIVE_RATIO = 3.0  # AdaptiveDetector's default
MIN_SCORE = 8.0
KEYFRAME_SCORE = 25.0  # between keyframes seconds apart, where neighbours tell nothing
WINDOW = 2  # pictures on each side that tell how much change is usual, as in AdaptiveDetector
_GRID = (36, 64)  # rows and columns that are picked at most


def small_picture(frame: VideoFrame) -> np.ndarray:
    """(h, w) int16 brightness, picked out of the first plane."""
    plane = frame.planes[0]
    wide = plane.line_size // max(1, plane.width)
    if plane.line_size <= 0 or wide not in (1, 2):
        gray = frame.reformat(width=_GRID[1], height=_GRID[0], format="gray", threads=1)
        return gray.to_ndarray().astype(np.int16)
    pixels = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    if "10" in frame.format.name or "12" in frame.format.name:
        pixels = pixels.view(np.uint16) >> 2
    rows, columns = max(1, plane.height // _GRID[0]), max(1, plane.width // _GRID[1])
    return pixels[rows // 2 :: rows, columns // 2 : plane.width : columns].astype(np.int16)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    if one.shape != other.shape:
        return 255.0
    return float(np.abs(one - other).mean())


def is_cut(scores: list[float]) -> bool:
    """Whether the middle of 2 * WINDOW + 1 scores stands out."""
    middle = scores[WINDOW]
    usual = (sum(scores) - middle) / (2 * WINDOW)
    return middle >= MIN_SCORE and middle >= ADAPTIVE_RATIO * usual
