"""LEGO's uniform sampling: `count` pictures at equal steps of the picture number, decoded with
decord's API.

decord is fast at this but labels the pictures of a stream-copied cut wrong, does not turn rotated
ones, and can spin for ever in a damaged file. So its times are compared with those in the
container, PyAV decodes where they disagree, and both run in a process that can be killed.
"""

from __future__ import annotations

import logging
import os

import numpy as np

from indexer.errors import MediaError, MediaTimeout
from indexer.media.decode.decoder import PictureTrack
from indexer.media.decode.frames import Frames
from indexer.media.decode.reader import Reader
from indexer.media.geometry import fit_short_side
from indexer.media.open import media_errors, printable
from indexer.media.probe import probe

LEGO_FRAMES = 64
_AGREE_S = 0.002

log = logging.getLogger(__name__)


def uniform_frames(
    path: str | os.PathLike[str],
    count: int = LEGO_FRAMES,
    *,
    short_side: int | None = None,
    timeout_s: float = 120.0,
) -> Frames:
    """`count` pictures (fewer when the video has fewer) at the numbers arange(0, n, n / count), n
    being the number of pictures.

    This is how GroundingGPT samples a video for its 64 frames. Raises MediaError, MediaTimeout
    after twice `timeout_s` at most.
    """
    from indexer.media.decode.reader_process import ReadingProcessDied, uniform_in_process

    if count < 1:
        raise ValueError(f"count must be at least 1, not {count}")
    try:
        return uniform_in_process(path, count, short_side, True, timeout_s=timeout_s)
    except (MediaTimeout, ReadingProcessDied) as error:
        log.warning("decord gave up, PyAV reads instead: %s", error)
        return uniform_in_process(path, count, short_side, False, timeout_s=timeout_s)


def read_uniform_frames(path: str, count: int, short_side: int | None, try_decord: bool) -> Frames:
    """In this process, which may hang or crash: see `uniform_frames`."""
    times_s, ends_s = _shown_times(path)
    if not len(times_s):
        raise MediaError(
            "{path} has no pictures", "check that it plays elsewhere", path=printable(path)
        )
    chosen = np.unique(np.arange(0, len(times_s), len(times_s) / count).astype(np.intp)[:count])
    if try_decord:
        images = _decord_images(path, times_s, chosen, short_side)
        if images is not None:
            return Frames(images, times_s[chosen], ends_s[chosen] - times_s[chosen])
    with Reader(path) as reader:
        return reader.at(times_s[chosen], short_side=short_side)


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


def _decord_images(
    path: str, times_s: np.ndarray, chosen: np.ndarray, short_side: int | None
) -> np.ndarray | None:
    """(N, H, W, 3) uint8, or None where decord fails, or does not tell the same pictures as the
    container.
    """
    import decord

    info = probe(path)
    if info.rotation:
        return None
    width, height = fit_short_side(info.width, info.height, short_side)
    try:
        reader = decord.VideoReader(
            path, ctx=decord.cpu(0), width=width, height=height, num_threads=1
        )
        if len(reader) != len(times_s):
            return None
        told_s = reader.get_frame_timestamp(np.arange(len(reader)))[:, 0]
        if np.abs(told_s - told_s[0] - (times_s - times_s[0])).max() > _AGREE_S:
            return None
        return reader.get_batch(chosen).asnumpy()
    except (decord.DECORDError, RuntimeError, IndexError, ValueError) as error:
        log.info("decord: %s", str(error).splitlines()[0] if str(error) else type(error).__name__)
        return None
