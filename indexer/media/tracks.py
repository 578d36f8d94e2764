"""Which track of a file is shown and which is heard. Index, clip, copy and player all ask here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import av.error
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from indexer.media.open import open_container, packets

INTERLEAVED_PACKETS = 5000  # of all streams, until sound is believed to come later

# A line of FFmpeg's description: the codec or none, and its four characters with their number.
_DESCRIBED = re.compile(
    r"  Stream #0:(\d{1,5})[^:]{0,100}: Video: (\w{1,40})(?: \((.{1,40}?) / 0x[0-9A-F]{8}\))?"
)


def picture_stream(container: InputContainer) -> VideoStream | None:
    """The stream that a player shows: the default one, else the first. Cover pictures and streams
    that no decoder knows are passed over, and beside others those of which no picture was found
    when the file was opened: they are empty, or damaged.
    """
    known = [stream for stream in picture_streams(container) if stream.codec_context]
    streams = [stream for stream in known if stream.codec_context.pix_fmt] or known
    default = (stream for stream in streams if stream.disposition & Disposition.default)
    return next(default, streams[0] if streams else None)


def picture_streams(container: InputContainer) -> list[VideoStream]:
    """All that are no cover picture, whether a decoder knows them or not."""
    return [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]


def sound_stream(container: InputContainer, path: str | os.PathLike[str]) -> AudioStream | None:
    """The first sound track that can be decoded; of several, the first of which something is."""
    streams = [s for s in container.streams.audio if is_decodable_sound(s)]
    if len(streams) > 1:
        status = os.stat(path)
        heard = _first_heard(os.fspath(path), status.st_size, status.st_mtime_ns)
        return next((s for s in streams if s.index == heard), streams[0])
    return streams[0] if streams else None


@lru_cache(maxsize=64)
def _first_heard(path: str, size_bytes: int, mtime_ns: int) -> int | None:
    """The number of the stream; None where no sound decodes near the beginning."""
    del size_bytes, mtime_ns
    with open_container(path) as container:
        silent = {s.index: s for s in container.streams.audio if is_decodable_sound(s)}
        first, heard = min(silent), set[int]()
        source = packets(container)
        for _ in range(INTERLEAVED_PACKETS):
            packet = _next(source)
            if packet is None or first in heard:
                break
            stream = silent.get(packet.stream_index)
            if stream is not None and _decodes(stream, packet):
                heard.add(stream.index)
                del silent[stream.index]
        heard |= {stream.index for stream in silent.values() if _decodes(stream, None)}
        return min(heard, default=None)


def _next(source: Iterator[Packet]) -> Packet | None:
    """None at the end, and where the file breaks off."""
    try:
        return next(source, None)
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError:
        return None


def _decodes(stream: AudioStream, packet: Packet | None) -> bool:
    """Whether a piece of sound comes of it; without a packet, of what the decoder holds back."""
    try:
        return bool(stream.codec_context.decode(packet))
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError:
        return False


def is_decodable_sound(stream: Stream) -> bool:
    """Whether a decoder knows the track, and there was something of it when the file was opened: a
    track that is announced and empty has no sampling rate.
    """
    return bool(stream.codec_context and getattr(stream.codec_context, "sample_rate", 0))


def picture_codecs(container: InputContainer) -> list[str]:
    """The codec of each stream of pictures; of one that no decoder knows, its name, or the four
    characters that the container has for it.
    """
    streams = picture_streams(container)
    described = {} if all(s.codec_context for s in streams) else _track_names(container)
    return [
        s.codec_context.name if s.codec_context else described.get(s.index, "unknown codec")
        for s in streams
    ]


def _track_names(container: Any) -> dict[int, str]:
    """Names by the number of the stream. PyAV has these words in FFmpeg's log alone, which it does
    not listen to otherwise: its callback may wait for the interpreter for ever.
    """
    av.logging.set_level(av.logging.INFO)
    try:
        lines = container.dumps_format().split("\n")
    finally:
        av.logging.set_level(None)
    found = [match for line in lines if (match := _DESCRIBED.match(line))]
    names = {
        int(number): tag or "" if name == "none" else name
        for number, name, tag in (match.groups() for match in found)
    }
    return {number: name for number, name in names.items() if name}
