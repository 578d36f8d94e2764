"""From a decoded picture to upright RGB of the wanted size."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

# a longer strip is squeezed to this, so that a scaled picture cannot become larger than its source
# by far
_MAX_ASPECT = 16
# AVCOL_SPC_... of https://github.com/FFmpeg/FFmpeg/blob/master/libavutil/pixfmt.h
_UNSPECIFIED = 2
_BT709, _BT601, _BT2020 = 1, 5, 9
_NAMES = {_BT709: "bt709", _BT601: "bt470bg", _BT2020: "bt2020nc"}
_KNOWN_MATRICES = frozenset({_BT709, _UNSPECIFIED, 4, _BT601, 6, 7, _BT2020})  # those of swscale
# BT.2020 with constant luminance, ICtCp and IPT-C2 have its primaries
_WIDE_MATRICES = frozenset({10, 14, 15})
# without a word on colours, players take BT.709 from this height on and BT.601 below
_HD_HEIGHT = 720


@dataclass(frozen=True, slots=True)
class Orientation:
    """How to turn a decoded picture: first `flip` left to right, then `quarters` turns
    counter-clockwise.
    """

    quarters: int = 0
    flip: bool = False

    def upright(self, image: np.ndarray) -> np.ndarray:
        """Turns an image (H, W, ...)."""
        if self.flip:
            image = image[:, ::-1]
        return np.rot90(image, self.quarters) if self.quarters else image


def orientation(frame: VideoFrame) -> Orientation:
    """From the display matrix (2 x 2 part of nine 16.16 numbers, row vectors, y down): nearest
    quarter turn, and mirroring.
    """
    data = frame.side_data.get(SideDataType.DISPLAYMATRIX)  # pyright: ignore[reportArgumentType, reportCallIssue]
    if data is None:
        return Orientation()
    a, b, _, c, d = struct.unpack("<5i", bytes(data)[:20])  # pyright: ignore[reportArgumentType]
    flip = a * d - b * c < 0
    if flip:
        a, b = -a, -b
    if abs(a) >= abs(b):
        return Orientation(0 if a >= 0 else 2, flip)
    return Orientation(3 if b > 0 else 1, flip)


def displayed_size(
    width: int, height: int, pixel_aspect: Fraction | None, turned: bool
) -> tuple[int, int]:
    """(width, height) in square pixels: non-square pixels widen or narrow the picture, a quarter
    turn swaps the sides.
    """
    if pixel_aspect and pixel_aspect > 0:
        width = max(1, round(width * pixel_aspect))
    return (height, width) if turned else (width, height)


def fit_short_side(width: int, height: int, short_side: int | None) -> tuple[int, int]:
    """(width, height) with the shorter side at `short_side`, the longer rounded; unchanged for
    None.
    """
    if short_side is None:
        return width, height
    shorter, longer = sorted((width, height))
    long_side = min(max(1, round(longer * short_side / shorter)), short_side * _MAX_ASPECT)
    return (long_side, short_side) if width >= height else (short_side, long_side)


def known_matrix(frame: VideoFrame) -> str:
    """ffmpeg's name of the matrix to read the colours with where the picture names one that the
    scaler does not know; else empty.
    """
    return "" if _is_known(frame) else _NAMES.get(_source_matrix(frame) or _BT709, "bt709")


def _is_known(frame: VideoFrame) -> bool:
    return frame.format.is_rgb or int(frame.colorspace) in _KNOWN_MATRICES


def _source_matrix(frame: VideoFrame) -> int | None:
    """The matrix to read the picture with; None: the one that it names."""
    matrix = int(frame.colorspace)
    if _is_known(frame) and matrix != _UNSPECIFIED:
        return None
    if matrix in _WIDE_MATRICES:
        return _BT2020
    return _BT709 if frame.height >= _HD_HEIGHT else _BT601


class Scaler:
    """Turns decoded pictures into upright RGB of one size; keeps swscale's tables."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._reformatter = VideoReformatter()

    def rgb(self, frame: VideoFrame) -> np.ndarray:
        """(H, W, 3) uint8, contiguous."""
        turn = orientation(frame)
        width, height = (
            (self.height, self.width) if turn.quarters % 2 else (self.width, self.height)
        )
        scaled = self._reformatter.reformat(
            frame,
            width,
            height,
            "rgb24",
            src_colorspace=_source_matrix(frame),
            interpolation=Interpolation.AREA if width < frame.width else Interpolation.BICUBIC,
            threads=1,
        )
        return np.ascontiguousarray(turn.upright(scaled.to_ndarray()))
