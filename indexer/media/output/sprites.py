"""Sheets of small pictures of a whole video, for the picture at the pointer on a time line."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from indexer.media.decode.frames import Frames
from indexer.media.decode.reader_process import ReaderProcess

COLUMNS, ROWS = 10, 10
MOST_TILES = 1000
SHORTEST_INTERVAL_S = 0.5
SHORT_SIDE, LONG_SIDE = 90, 160
# Decoding every picture of a sheet costs as much as its span is long: beyond it keyframes must do.
LONGEST_EXACT_INTERVAL_S = 2.0
ENOUGH_KEYFRAMES = 0.75  # share of the tiles that have one of their own
_QUALITY = 70


@dataclass(frozen=True, slots=True)
class SpriteGrid:
    """Which pictures of a video of some length there are: tile k shows the middle of
    [k, k + 1) * interval_s; a sheet holds `COLUMNS * ROWS` of them, row by row.

    >>> SpriteGrid(7200.0).interval_s, SpriteGrid(7200.0).sheets
    (7.2, 10)
    """

    duration_s: float

    @property
    def interval_s(self) -> float:
        """Seconds between two tiles."""
        return max(SHORTEST_INTERVAL_S, self.duration_s / MOST_TILES)

    @property
    def tiles(self) -> int:
        """How many there are of the whole video."""
        return min(MOST_TILES, max(1, int(np.ceil(self.duration_s / self.interval_s - 1e-9))))

    @property
    def sheets(self) -> int:
        """How many sheets they fill."""
        return -(-self.tiles // (COLUMNS * ROWS))

    def times_s(self, sheet: int) -> np.ndarray:
        """(N,) times of the tiles of a sheet."""
        first = sheet * COLUMNS * ROWS
        numbers = np.arange(first, min(first + COLUMNS * ROWS, self.tiles))
        return np.minimum((numbers + 0.5) * self.interval_s, max(0.0, self.duration_s - 0.001))


def sprite_sheet(
    reader: ReaderProcess, grid: SpriteGrid, sheet: int, size: tuple[int, int]
) -> bytes:
    """JPEG of a sheet of a video of `size` (width, height), read in a child. The places behind the
    last tile of a row are black. Raises MediaError, MediaTimeout.
    """
    frames = _pictures(reader, grid, grid.times_s(sheet), _short_side(*size))
    count, height, width, _ = frames.images.shape
    rows = -(-count // COLUMNS)
    whole = np.zeros((rows * COLUMNS, height, width, 3), np.uint8)
    whole[:count] = frames.images
    tiled = whole.reshape(rows, COLUMNS, height, width, 3).swapaxes(1, 2)
    out = io.BytesIO()
    picture = Image.fromarray(tiled.reshape(rows * height, COLUMNS * width, 3))
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()


def _pictures(
    reader: ReaderProcess, grid: SpriteGrid, times_s: np.ndarray, short_side: int
) -> Frames:
    """Keyframes where nearly every tile has one of its own, since they cost a tenth of all
    pictures; and where the tiles lie far apart.
    """
    keyframes = reader.at(times_s, short_side=short_side, keyframes_only=True)
    own = len(np.unique(keyframes.times_s))
    if own >= ENOUGH_KEYFRAMES * len(times_s) or grid.interval_s > LONGEST_EXACT_INTERVAL_S:
        return keyframes
    return reader.at(times_s, short_side=short_side)


def _short_side(width: int, height: int) -> int:
    """Of a tile that is at most `LONG_SIDE` long."""
    short, long = sorted((max(1, width), max(1, height)))
    return max(2, min(SHORT_SIDE, LONG_SIDE * short // long))
