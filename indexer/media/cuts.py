"""Whether a picture starts a new shot, from small pictures of every decoded frame.

The rule begins as PySceneDetect's AdaptiveDetector does: a picture starts a shot when it differs from the one before far more than its
neighbours do from theirs. Two things are different. The score is the mean change of a few thousand brightness samples that are picked
out of the decoded plane, without converting or scaling anything. And there is no memory of the last cut, so that what is found in a
span does not depend on where reading began.

Two rules are added. Pictures that are repeated (animation on threes, 10 pictures a second in a file of 30) have neighbours that do
not change at all, and every drawn movement would be a cut: so a cut must also stand out from the third largest of the wider
surroundings. And one or two bright pictures between equal ones are a flash. docs/media.md has what each gained.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

NEAR = 2  # pictures on each side that tell how much change is usual (AdaptiveDetector's window_width)
NEAR_RATIO = 3.0  # AdaptiveDetector's adaptive_threshold
PAST, AHEAD = 12, 6  # the wider surroundings; AHEAD is what decoded pictures are held back for
WIDE_RATIO = 2.0
WIDE_RANK = 3  # two other cuts may be near
MIN_SCORE = 5.0  # of 255; less is noise or a small movement
KEYFRAME_SCORE = 25.0  # between keyframes seconds apart, where neighbours tell nothing
FLASH_PICTURES = 2
_FLASH_RISE = 15.0
_FLASH_RETURN = 0.35  # of the change that it makes
_GRID = (36, 64)  # rows and columns that are picked, about


def small_picture(frame: VideoFrame) -> np.ndarray:
    """(h, w) int16 brightness 0 to 255."""
    layout = _brightness_layout(frame.format.name)
    plane = frame.planes[0]
    if layout is None or plane.line_size <= 0:
        return frame.reformat(width=_GRID[1], height=_GRID[0], format="gray", threads=1).to_ndarray().astype(np.int16)
    dtype, shift = layout
    pixels = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1)  # pyright: ignore[reportArgumentType]
    rows, columns = max(1, plane.height // _GRID[0]), max(1, plane.width // _GRID[1])
    return (pixels[rows // 2 :: rows, columns // 2 : plane.width : columns] >> shift).astype(np.int16)


@lru_cache
def _brightness_layout(name: str) -> tuple[type, int] | None:
    """(number format, bits below 8) of the first plane where that is brightness alone; None: it has to be converted."""
    form = VideoFormat(name)
    alone = form.is_planar or len(form.components) == 1
    if form.is_rgb or form.has_palette or form.is_bit_stream or form.is_big_endian or not alone:
        return None
    bits = form.components[0].bits
    if bits == 8:
        return np.uint8, 0
    high_bits = name.startswith(("p0", "p2", "p4"))  # p010le and its kind keep their bits at the upper end
    return (np.uint16, 8 if high_bits else bits - 8) if 8 < bits <= 16 else None


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean absolute difference of two small pictures, 0 to 255."""
    return float(np.abs(one - other).mean()) if one.shape == other.shape else 255.0


def is_cut(past: Sequence[float], score: float, ahead: Sequence[float]) -> bool:
    """Whether `score` stands out from those before it (up to PAST, the nearest last) and after it (up to AHEAD, the nearest first)."""
    if score < MIN_SCORE or len(past) < NEAR or len(ahead) < NEAR:
        return False
    usual = (sum(past[-NEAR:]) + sum(ahead[:NEAR])) / (2 * NEAR)
    if score < NEAR_RATIO * usual:
        return False
    wide = sorted((*past, *ahead), reverse=True)
    return len(wide) < WIDE_RANK or score >= WIDE_RATIO * wide[WIDE_RANK - 1]


def is_flash(before: Sequence[np.ndarray], at: np.ndarray, after: Sequence[np.ndarray]) -> bool:
    """Whether the change from `before` (the nearest last) to `at` is where a flash of at most FLASH_PICTURES begins or ends."""
    last, brightness = before[-1], at.mean()
    limit = _FLASH_RETURN * difference(last, at)
    if brightness - last.mean() >= _FLASH_RISE:
        return any(difference(last, later) < limit for later in after[:FLASH_PICTURES])
    if last.mean() - brightness >= _FLASH_RISE:
        return any(difference(earlier, at) < limit for earlier in before[-1 - FLASH_PICTURES : -1])
    return False
