"""The frames of LEGO's windows, decoded with decord's API where that is safe.

decord labels the pictures of a stream-copied cut wrong, gives pictures in another order for some
codecs (HEVC, MPEG-2, MPEG-4 part 2), does not mirror any, and can spin for ever in a damaged
file. So it reads only codecs that it reads right, its times are compared with those in the
container, and some pictures with PyAV's; PyAV decodes where they disagree. Both run in a process
that can be killed (`reader_worker`).
"""

from __future__ import annotations

import logging
import os
from typing import Any

import numpy as np

from indexer.errors import MediaError
from indexer.media.decode.decoder import EPSILON_S, PictureTrack
from indexer.media.decode.frames import Frames
from indexer.media.decode.reader import Reader
from indexer.media.geometry import fit_short_side
from indexer.media.open import media_errors
from indexer.media.probe import VideoInfo, probe

_AGREE_S = 0.002
# decord takes the padding of narrow rows for a fourth colour
_MIN_WIDTH = 256
_CODECS = frozenset({"h264", "vp8", "vp9", "av1", "mjpeg"})
_COMPARED = 3  # pictures of the first window
# of brightness, 0 to 255, in a mean of blocks; two scalers differ by one or two
_MAX_DIFFERENCE = 8.0
_BLOCK = 16  # pixels

log = logging.getLogger(__name__)


class DecordFrames:
    """The file of a `reader`, which is asked for some pictures to compare decord's with."""

    def __init__(self, reader: Reader) -> None:
        import decord  # heavy: only for windows of a grounder

        self._decord = decord
        self._errors = (decord.DECORDError, MediaError, RuntimeError, IndexError, ValueError)
        self.path = os.fspath(reader.path)
        self._pyav = reader
        self._compared = False
        self._info: VideoInfo | None = None
        self._times_s, self._ends_s = np.empty(0), np.empty(0)
        self._reader: Any = None
        self._size: tuple[int, int] | None = None
        self._usable = True

    def at(self, times_s: np.ndarray, short_side: int | None) -> Frames | None:
        """The picture shown at each of `times_s` (N,) float64, as `Reader.at`; None where decord
        fails, or does not agree with the container about the times of the pictures.
        """
        if not self._usable:
            return None
        try:
            self._open(short_side)
            rows = np.searchsorted(self._times_s, times_s + EPSILON_S, side="right") - 1
            rows = rows.clip(0)
            once, place = np.unique(rows, return_inverse=True)
            images = self._reader.get_batch(once).asnumpy()[place]
        except (
            self._decord.DECORDError,
            MediaError,
            RuntimeError,
            IndexError,
            ValueError,
        ) as error:
            lines = str(error).splitlines()
            log.info("decord: %s", lines[0] if lines else type(error).__name__)
            self._usable = False
            return None
        shown_s = self._times_s[rows]
        if not self._compared:
            self._usable = self._compared = self._agrees(shown_s, images, short_side)
            if not self._usable:
                return None
        return Frames(images, shown_s, self._ends_s[rows] - shown_s)

    def _agrees(self, times_s: np.ndarray, images: np.ndarray, short_side: int | None) -> bool:
        if not len(times_s):
            return False
        rows = np.linspace(0, len(times_s) - 1, _COMPARED).astype(np.intp)
        expected = self._pyav.at(times_s[rows], short_side=short_side).images
        if expected.shape[1:] != images.shape[1:]:
            return False
        difference = np.abs(_blocks(expected) - _blocks(images[rows]))
        return float(difference.max()) <= _MAX_DIFFERENCE

    def _open(self, short_side: int | None) -> None:
        """Raises ValueError where decord's pictures are not those of a player."""
        if self._info is None:
            self._info = probe(self.path)
            self._times_s, self._ends_s = _shown_times(self.path)
        clock = self._info.timed and not self._info.restarts and self._info.container != "avi"
        if self._info.codec not in _CODECS or not clock or not len(self._times_s):
            raise ValueError(f"decord does not read {self._info.codec} right")
        size = fit_short_side(self._info.width, self._info.height, short_side)
        if size == self._size:
            return
        width, height = size
        if width < _MIN_WIDTH:
            raise ValueError(f"pictures of {width} pixels are too narrow")
        reader = self._decord.VideoReader(
            self.path, ctx=self._decord.cpu(0), width=width, height=height, num_threads=1
        )
        if len(reader) != len(self._times_s):
            raise ValueError(f"{len(reader)} pictures, not {len(self._times_s)}")
        labels_s = reader.get_frame_timestamp(np.arange(len(reader)))[:, 0]
        apart_s = (labels_s - labels_s[0]) - (self._times_s - self._times_s[0])
        if np.abs(apart_s).max() > _AGREE_S:
            raise ValueError(f"times differ by {np.abs(apart_s).max():.3f} s")
        self._reader, self._size = reader, size


def _blocks(images: np.ndarray) -> np.ndarray:
    """Mean brightness of blocks: (N, H / 16, W / 16) float64 of images (N, H, W, 3) uint8."""
    height, width = (size // _BLOCK * _BLOCK for size in images.shape[1:3])
    grey = images[:, :height, :width].mean(-1)
    return grey.reshape(len(images), height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).mean((2, 4))


def _shown_times(path: str) -> tuple[np.ndarray, np.ndarray]:
    """(times_s, ends_s), each (n,) float64, of the pictures that a player shows, from the container
    alone: nothing is decoded.
    """
    track = PictureTrack(path)
    try:
        with media_errors(path):
            times_s = np.unique(np.array(list(track.packet_times_s()), np.float64))
    finally:
        track.close()
    return times_s, np.append(times_s[1:], track.end_s) if len(times_s) else times_s
