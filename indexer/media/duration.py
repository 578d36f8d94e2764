"""When a file begins and how long it is.

What a container says is checked: some formats have no length, and FFmpeg estimates one from the
first packets; a length may be wrong by accident or on purpose. Then the packets decide.
"""

from __future__ import annotations

import os
from contextlib import suppress
from fractions import Fraction

import av
import av.error
from av.container import InputContainer
from av.format import Flags
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from indexer.errors import MediaError
from indexer.media.clock import restarting_clock
from indexer.media.open import open_container, packets
from indexer.media.tracks import picture_stream
from indexer.paths import printable

# Formats without a length of their own.
_ESTIMATED = frozenset(
    [
        "aac",
        "ac3",
        "amr",
        "amrnb",
        "amrwb",
        "dts",
        "dtshd",
        "eac3",
        "flac",
        "h264",
        "hevc",
        "ivf",
        "m4v",
        "mjpeg",
        "mp3",
        "mpegvideo",
        "obu",
        "vc1",
    ]
)
LONG_S = 4 * 3600.0
_MIN_BYTES_PER_S = 200.0  # the leanest speech codecs need three times as many
_MAX_GAP_S = 3600.0  # in a file so lean; what comes later is a broken clock
_MAX_S = 31 * 86_400.0
_LATE_START_S = 1.0
_TAIL_S = 5.0
_UNTOLD_S = 0.5  # a picture that does not say how long it is shown lasts no longer


def origin_s(container: InputContainer) -> Fraction:
    """The container's start. It comes in whole microseconds; the stream that starts there tells it
    exactly.
    """
    if container.start_time is None:
        return Fraction(0)
    rounded = Fraction(container.start_time, av.time_base)
    for stream in container.streams:
        if stream.start_time is not None and stream.time_base:
            exact = stream.start_time * stream.time_base
            if abs(exact - rounded) <= Fraction(3, 2 * av.time_base):
                return exact
    return rounded


def declared_duration_s(container: InputContainer) -> float | None:
    """What the container says about its length from its start on; None where it says nothing.

    Matroska and NUT tell when it ends rather than how long it is:
    https://www.rfc-editor.org/rfc/rfc9559#name-duration-element
    """
    if container.duration is None or container.duration <= 0:
        return None
    says_end = container.format.name in ("matroska,webm", "nut")
    skipped_s = float(origin_s(container)) if says_end else 0.0
    return max(0.0, container.duration / av.time_base - skipped_s)


def scan_packets(
    container: InputContainer, from_s: float = 0.0, max_gap_s: float | None = None
) -> tuple[float, int]:
    """(when the last packet of picture or sound ends, how many pictures), from reading all packets
    from `from_s` on. What comes more than `max_gap_s` after everything before does not count, nor
    does the length of a packet that claims to last longer.

    Packets without times leave the first at 0. A container that breaks off ends there.
    """
    origin, end_s, pictures = origin_s(container), 0.0, 0
    streams = [
        s
        for s in container.streams
        if s.type in ("video", "audio") and not s.disposition & Disposition.attached_pic
    ]
    if not streams:
        return end_s, pictures
    if from_s > 0:
        with suppress(av.error.FFmpegError):  # without an index all is read
            container.seek(int((Fraction(from_s) + origin) * av.time_base), backward=True)
    with suppress(av.error.FFmpegError):
        for packet in packets(container, *streams):
            ticks = packet.pts if packet.pts is not None else packet.dts
            pictures += packet.stream.type == "video"
            if ticks is None:
                continue
            time_s = float(ticks * packet.time_base - origin)
            if max_gap_s is None or time_s - end_s <= max_gap_s:
                length_s = float((packet.duration or 0) * packet.time_base)
                length_s = length_s or _untold_s(packet.stream)
                counts = max_gap_s is None or length_s <= max_gap_s
                end_s = max(end_s, time_s + (length_s if counts else 0.0))
    return end_s, pictures


def _untold_s(stream: Stream) -> float:
    """How long a picture is shown by the rate, where its packet does not say."""
    rate = stream.average_rate if isinstance(stream, VideoStream) else None
    return min(_UNTOLD_S, float(1 / rate)) if rate else 0.0


def duration_s(container: InputContainer, path: str | os.PathLike[str]) -> float:
    """From the container's start to the end of what plays longest. Raises MediaError for a length
    that cannot be.
    """
    length_s = _length_s(container, path)
    if length_s > _MAX_S:
        raise MediaError(
            "{path} says that it lasts {days:.0f} days",
            "its times are damaged: convert it with ffmpeg",
            path=printable(path),
            days=length_s / 86_400,
        )
    return length_s


def _length_s(container: InputContainer, path: str | os.PathLike[str]) -> float:
    clock = restarting_clock(path)
    if clock is not None:
        return max(0.0, clock.end_s - float(origin_s(container)))
    declared_s = declared_duration_s(container) or _streams_end_s(container)
    estimated = container.format.name in _ESTIMATED or _is_avi_without_index(container, declared_s)
    if declared_s is None or estimated:
        return _packets_end_s(container, path) or declared_s or 0.0
    believed_s = 0.0 if container.format.name == "avi" else LONG_S  # its header may be a guess
    if declared_s > believed_s and os.path.getsize(path) < declared_s * _MIN_BYTES_PER_S:
        return _packets_end_s(container, path, _MAX_GAP_S) or declared_s
    if container.format.flags & Flags.ts_discont.value or container.format.name == "nut":
        return _last_packets_end_s(path, declared_s)
    if container.format.name == "flv":
        return _last_packets_end_s(path, declared_s, may_be_less=True)
    if is_late_fragments(container):
        return _late_fragments_s(container, path, declared_s)
    return declared_s


def _is_avi_without_index(container: InputContainer, declared_s: float | None) -> bool:
    """Then FFmpeg estimates, and the pictures that the header counts last longer than the whole."""
    video = picture_stream(container)
    if container.format.name != "avi" or video is None or not video.average_rate:
        return False
    return float(video.frames / video.average_rate) > (declared_s or 0.0) + 0.02


def is_late_fragments(container: InputContainer) -> bool:
    """Whether these may be fragments from the middle of a longer MP4."""
    return "mp4" in container.format.name and origin_s(container) > _LATE_START_S


def _streams_end_s(container: InputContainer) -> float | None:
    """When the stream ends that ends last; None where none says."""
    origin = origin_s(container)
    ends = [
        (s.start_time or 0) * s.time_base + s.duration * s.time_base - origin
        for s in container.streams
        if s.duration and s.duration > 0 and s.time_base
    ]
    return float(max(ends)) if ends and max(ends) > 0 else None


def _packets_end_s(
    container: InputContainer, path: str | os.PathLike[str], max_gap_s: float | None = None
) -> float:
    """From reading all packets. Raw streams have no times, or some that are guessed from the order
    of coding: of them the number of pictures by the rate.
    """
    with open_container(path) as again:
        end_s, pictures = scan_packets(again, max_gap_s=max_gap_s)
    video = picture_stream(container)
    rate = (video.average_rate or video.guessed_rate) if video else None
    counted_s = float(pictures / rate) if rate else 0.0
    if container.format.flags & Flags.no_timestamps.value:
        return counted_s or end_s
    return end_s or counted_s


def _last_packets_end_s(
    path: str | os.PathLike[str], declared_s: float, *, may_be_less: bool = False
) -> float:
    """Of MPEG streams and NUT, which say when the last packet begins: pictures without a time of
    their own may follow. FLV says that, or as much more as its first picture comes late.
    """
    with open_container(path) as again:
        end_s, _ = scan_packets(again, max(0.0, declared_s - _TAIL_S))
    earliest_s = max(0.0, declared_s - _TAIL_S) if may_be_less else declared_s
    return end_s if earliest_s < end_s < declared_s + _TAIL_S else declared_s


def _late_fragments_s(
    container: InputContainer, path: str | os.PathLike[str], declared_s: float
) -> float:
    """Of fragments from the middle of a longer video, which say when they end in it and not how
    long they are.
    """
    origin = float(origin_s(container))
    with open_container(path) as again:
        end_s, _ = scan_packets(again, max(0.0, declared_s - 2 * origin))
    ends_inside_s = declared_s - origin
    return (
        end_s if end_s > 0 and abs(end_s - ends_inside_s) < max(1.0, 0.01 * end_s) else declared_s
    )
