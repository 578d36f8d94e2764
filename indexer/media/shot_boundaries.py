"""Whether a picture starts a new shot, from small pictures of every decoded frame.

The rule begins as PySceneDetect's AdaptiveDetector does: a picture starts a shot when it differs
from the one before far more than its neighbours do from theirs. Two things are different. The score
is the mean change of a few thousand samples that are picked out of the decoded planes, without
converting or scaling anything. And there is no memory of the last cut, so that what is found in a
span does not depend on where reading began.

Two rules are added. Pictures that are repeated (animation on threes, 10 pictures a second in a file
of 30) have neighbours that do not change at all, and every drawn movement would be a cut: so a
change that is not large must also stand out from the third largest of the wider surroundings. And
one or two bright pictures between equal ones are a flash. docs/experiments/media.md has what each
gained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane

# pictures on each side that show how much change is usual (AdaptiveDetector's window_width)
NEAR = 2
NEAR_RATIO = 3.0  # AdaptiveDetector's adaptive_threshold
PAST, AHEAD = 12, 8  # the wider surroundings; AHEAD is what decoded pictures are held back for
WIDE_RATIO = 2.0
WIDE_RANK = 3  # two other cuts may be near
MIN_SCORE = 6.0  # of 255; less is noise or a small movement
# hardly any movement between two pictures is as large, so many cuts may follow each other
SURE_SCORE = 20.0
KEYFRAME_MIN_SCORE = 25.0  # between keyframes seconds apart, where neighbours tell nothing
FLASH_PICTURES = 2
_FLASH_RISE = 15.0
_FLASH_RETURN = 0.35  # of the change that it makes
_GRID = (36, 64)  # rows and columns that are picked, about


@dataclass(frozen=True, slots=True)
class SmallPicture:
    """samples: (n,) int16 of 0 to 255, first `brightness` of brightness, then of colour difference
    (none for grey pictures).
    """

    samples: np.ndarray
    brightness: int

    def mean_brightness(self) -> float:
        """From 0 to 255."""
        return float(self.samples[: self.brightness].mean())


def small_picture(frame: VideoFrame) -> SmallPicture:
    """A few thousand samples of a decoded picture."""
    layout = _plane_layout(frame.format.name)
    if layout is None or frame.planes[0].line_size <= 0:
        frame, layout = (
            frame.reformat(width=2 * _GRID[1], height=2 * _GRID[0], format="yuv420p", threads=1),
            (np.uint8, 0, 3),
        )
    dtype, shift, count = layout
    planes = frame.planes
    picked = [_pick(planes[0], dtype, shift, *_GRID)]
    picked += [
        _pick(plane, dtype, shift, _GRID[0] // 2, _GRID[1] // 2) for plane in planes[1:count]
    ]
    return SmallPicture(np.concatenate(picked, dtype=np.int16, casting="unsafe"), picked[0].size)


def _pick(plane: VideoPlane, dtype: type, shift: int, rows: int, columns: int) -> np.ndarray:
    """At least rows x columns samples of a plane (where it has so many), flat."""
    pixels = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1)  # pyright: ignore[reportArgumentType]
    down, across = max(1, plane.height // rows), max(1, plane.width // columns)
    picked = pixels[down // 2 :: down, across // 2 : plane.width : across]
    return (picked >> shift if shift else picked).ravel()


@lru_cache
def _plane_layout(name: str) -> tuple[type, int, int] | None:
    """(number format, bits to drop, planes to look at) where the first plane is brightness alone;
    None: it has to be converted.
    """
    form = VideoFormat(name)
    alone = form.is_planar or len(form.components) == 1
    if form.is_rgb or form.has_palette or form.is_bit_stream or form.is_big_endian or not alone:
        return None
    bits = form.components[0].bits
    planes = len({component.plane for component in form.components if not component.is_alpha})
    if bits == 8:
        return np.uint8, 0, planes
    # p010le and its kind keep their bits at the upper end.
    high_bits = name.startswith(("p0", "p2", "p4"))
    return (np.uint16, 8 if high_bits else bits - 8, planes) if 8 < bits <= 16 else None


def difference(one: SmallPicture, other: SmallPicture) -> float:
    """Mean absolute change of brightness, or of both colour differences together if that is more; 0
    to 255 and a little above.
    """
    if one.samples.shape != other.samples.shape:
        return 255.0
    change = one.samples - other.samples
    np.abs(change, out=change)
    total, split = len(change), one.brightness
    bright, colour = (
        np.add.reduce(change[:split], dtype=np.int32),
        np.add.reduce(change[split:], dtype=np.int32),
    )
    return max(int(bright) / max(1, split), 2 * int(colour) / max(1, total - split))


def is_cut(past: Sequence[float], score: float, ahead: Sequence[float]) -> bool:
    """Whether `score` stands out from those before it (up to PAST, the nearest last) and after it
    (up to AHEAD, the nearest first).
    """
    if score < MIN_SCORE or len(past) < NEAR or len(ahead) < NEAR:
        return False
    usual = (sum(past[-NEAR:]) + sum(ahead[:NEAR])) / (2 * NEAR)
    if score < NEAR_RATIO * usual:
        return False
    if score >= SURE_SCORE:
        return True
    wide = sorted((*past, *ahead), reverse=True)
    # At the beginning of the file only what follows can show it.
    rank = WIDE_RANK if len(past) == PAST else WIDE_RANK - 1
    return len(wide) < rank or score >= WIDE_RATIO * wide[rank - 1]


def is_flash(
    before: Sequence[SmallPicture], at: SmallPicture, after: Sequence[SmallPicture]
) -> bool:
    """Whether the change from `before` (the nearest last) to `at` is where a flash of at most
    FLASH_PICTURES begins or ends.
    """
    last = before[-1]
    rise = at.mean_brightness() - last.mean_brightness()
    limit = _FLASH_RETURN * difference(last, at)
    if rise >= _FLASH_RISE:
        return any(difference(last, later) < limit for later in after[:FLASH_PICTURES])
    if -rise >= _FLASH_RISE:
        return any(difference(earlier, at) < limit for earlier in before[-1 - FLASH_PICTURES : -1])
    return False
