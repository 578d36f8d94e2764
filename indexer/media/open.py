"""Opens media files and nothing else.

The demuxers are an allow-list of formats that hold their own samples (formats.py), the only
protocol is `file`, and only regular files are opened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from indexer.errors import MediaError, os_reason
from indexer.media.formats import DEMUXERS
from indexer.messages import as_message
from indexer.paths import printable

MJPEG = "mjpeg"
_MJPEG_SUFFIXES = (".mjpeg", ".mjpg")
MAX_PIXELS = 16384 * 8704
_HINT = (
    "check that it plays elsewhere (playlists and scripts are not followed); "
    "if it was cut off while copying, copy it again"
)


def check_regular_file(path: str | os.PathLike[str]) -> Path:
    """The path itself, when a regular, non-empty file is there; opens nothing, so that a FIFO
    cannot block.
    """
    name = printable(path)
    try:
        state = os.stat(path)
    except (OSError, ValueError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        raise MediaError(
            "cannot read {name}: {reason}",
            "check the path and its permissions",
            name=name,
            reason=reason,
        ) from None
    if not stat.S_ISREG(state.st_mode):
        raise MediaError(
            "{name} is not a regular file",
            "give a file, not a folder, pipe, socket or device",
            name=name,
        )
    if state.st_size == 0:
        raise MediaError("{name} is empty (zero bytes)", "copy it again", name=name)
    return Path(path)


@contextmanager
def media_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns what FFmpeg raises into a MediaError that names the file."""
    try:
        yield
    except MemoryError as error:  # also FFmpeg's
        raise out_of_memory(path) from error
    except av.error.FFmpegError as error:
        raise MediaError(
            "cannot read {path} as video or sound: {reason}",
            _HINT,
            path=printable(path),
            reason=as_message((error.strerror or str(error)).lower()),
        ) from error
    except (UnicodeError, OverflowError) as error:
        raise MediaError(
            "cannot read {path}: {name} {error}",
            _HINT,
            path=printable(path),
            name=type(error).__name__,
            error=error,
        ) from error


def out_of_memory(path: str | os.PathLike[str]) -> MediaError:
    """The error of a file that takes more memory than its reader may have."""
    return MediaError(
        "reading {path} takes more memory than is allowed",
        "raise SEEKPOINT_READER_MEMORY_MB to read it",
        path=printable(path),
    )


def check_pixels(path: str | os.PathLike[str], width: int, height: int, max_pixels: int) -> None:
    """Refuses pictures that are too large before anything is allocated for them."""
    if width * height > max_pixels:
        raise MediaError(
            "{path} has pictures of {width} x {height} pixels, more than the limit of {max_pixels}",
            "raise SEEKPOINT_MAX_FRAME_PIXELS to read it",
            path=printable(path),
            width=width,
            height=height,
            max_pixels=max_pixels,
        )


def open_container(path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS) -> InputContainer:
    """An open container whose decoders refuse pictures of more than `max_pixels`. The caller closes
    it. Raises MediaError.
    """
    check_regular_file(path)
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": ",".join(DEMUXERS),
        "max_pixels": str(max_pixels),
    }
    name = "file:" + os.path.abspath(path)
    with media_errors(path):
        try:
            return av.open(name, options=options, metadata_errors="replace")
        except av.error.FFmpegError:
            # FFmpeg takes a stream of JPEGs for a single picture, which is not allowed.
            if Path(path).suffix.lower() not in _MJPEG_SUFFIXES:
                raise
            return av.open(name, format=MJPEG, options=options, metadata_errors="replace")


def packets(container: InputContainer, *streams: Stream) -> Iterator[Packet]:
    """The packets of `streams` that hold something. Ends before PyAV's own flushing packets.

    An empty packet (AVI has them for a picture that is repeated) would end the decoder. PyAV's
    flushing fails with IndexError where streams appeared on the way, as in FLV:
    https://github.com/PyAV-Org/PyAV/blob/main/av/container/input.py
    """
    for packet in container.demux(*streams):
        if packet.size:
            yield packet
        elif packet.pts is None and packet.dts is None:
            return
