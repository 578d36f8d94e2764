"""The time line of files whose clock restarts: recordings that were joined byte by byte.

A player goes on where the first part ended. The ffmpeg program does so too: when the decoding time
of a packet lies a tenth of a second before what its stream had reached, or ten seconds after it,
the difference is taken from all that follows (`ts_discontinuity_detect` in
https://github.com/FFmpeg/FFmpeg/blob/master/fftools/ffmpeg_demux.c).

A seek by time finds one of the places with this time at best. So where packets stand in the file is
kept from the one reading that tells what the clock does, and a seek goes there by bytes.
"""

from __future__ import annotations

import itertools
import os
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

import av.error
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.format import Flags
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from indexer.media.open import open_container, packets

_BACK_S = Fraction(1, 10)
_AHEAD_S = Fraction(10)
_SAMPLES = 64  # places of the file at which its clock is read
_SAMPLE_PACKETS = 60
_SMALL_BYTES, _TAIL_BYTES = 2_000_000, 200_000
_RESTART_S = 1.0
_APART_S = 5.0  # less is how streams are interleaved
_FAR = 3  # times the usual distance of two places
_WRAP_S = 2**33 / 90_000  # FFmpeg adds it to a time far before the first one
_SOUND_PLACES_S = 2.0
_MORE_PACKETS = 50  # that may come before a place, beyond those that were counted


@dataclass(frozen=True, slots=True)
class Place:
    """A packet that a stream can be read from: its number in the stream, where it stands in the
    file (bytes), its decoding time there (ticks), and when it is shown (seconds of the clock).
    """

    number: int
    position: int
    ticks: int
    shown_s: float


@dataclass(frozen=True, slots=True)
class Clock:
    """What a file's clock does. Times of packets are in seconds of the file's own clock, made
    continuous.

    shifts: for each stream the (packet number, seconds to add from there on), rising. places: of
    each stream, rising; keyframes, or a piece of sound every few seconds. end_s: of the last
    packet.
    """

    path: str
    shifts: dict[int, list[tuple[int, Fraction]]] = field(default_factory=dict)
    places: dict[int, list[Place]] = field(default_factory=dict)
    end_s: float = 0.0

    def place_before(self, stream: Stream, time_s: float) -> Place | None:
        """The last one of the stream that is shown at `time_s` or before; None: the beginning."""
        places = self.places.get(stream.index, [])
        found = bisect_right(places, time_s, key=lambda place: place.shown_s)
        return places[found - 1] if found > 1 else None


def restarting_clock(path: str | os.PathLike[str]) -> Clock | None:
    """None where the clock of the file does not restart, which is found out at some places of it;
    else what it does, from reading all packets. Raises MediaError.
    """
    status = os.stat(path)
    return _clock(os.fspath(path), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=8)
def _clock(path: str, size_bytes: int, mtime_ns: int) -> Clock | None:
    del mtime_ns
    with open_container(path) as container:
        flags = container.format.flags
        # Raw streams have no clock: after each seek FFmpeg counts from 0 again.
        if not flags & Flags.ts_discont.value or flags & Flags.no_timestamps.value:
            return None
        restarts = _restarts(container, size_bytes)
    if not restarts:
        return None
    with open_container(path) as container:
        clock = _read_clock(container, path)
    return clock if any(clock.shifts.values()) else None


def _restarts(container: InputContainer, size_bytes: int) -> bool:
    """Whether the time at some later place of the file is an earlier one, or far later than the
    bytes between explain. The end, and all of a small file, is read: a part may be shorter than
    places are apart.
    """
    last = size_bytes - _TAIL_BYTES if size_bytes > _SMALL_BYTES else 0
    places = [size_bytes * number // _SAMPLES for number in range(_SAMPLES)]
    near = [
        found
        for place in places
        if place < last
        for found in itertools.islice(_times_from(container, place), 1)
    ]
    apart_s = np.diff([time_s for _, time_s in near])
    if len(apart_s) and apart_s.max() > float(_AHEAD_S) + _FAR * np.median(apart_s):
        return True
    latest_s: dict[int, float] = {}
    followed: set[int] = set()
    for number, (index, time_s) in enumerate(itertools.chain(near, _times_from(container, last))):
        own_s, any_s = latest_s.get(index, time_s), max(latest_s.values(), default=time_s)
        if time_s < max(own_s - _RESTART_S, any_s - _APART_S):
            return True
        if time_s - own_s > (float(_AHEAD_S) if index in followed else _WRAP_S / 2):
            return True
        latest_s[index] = max(own_s, time_s)
        if number >= len(near):
            followed.add(index)
    return False


def _times_from(container: InputContainer, position: int) -> Iterator[tuple[int, float]]:
    """(stream, decoding time) of the packets from there on; none where none is near."""
    with suppress(av.error.FFmpegError):
        container.seek(position, backward=False, unsupported_byte_offset=True)
        untimed = 0
        for packet in packets(container):
            if packet.dts is not None and _has_time(packet.stream):
                untimed = 0
                yield packet.stream_index, float(packet.dts * packet.time_base)
            elif (untimed := untimed + 1) > _SAMPLE_PACKETS:
                break


def _has_time(stream: Stream) -> bool:
    cover = stream.disposition & Disposition.attached_pic
    return stream.type in ("video", "audio") and not cover


def _read_clock(container: InputContainer, path: str) -> Clock:
    streams = [stream for stream in container.streams if _has_time(stream)]
    clock = Clock(path, {s.index: [] for s in streams}, {s.index: [] for s in streams})
    counts = dict.fromkeys(clock.shifts, 0)
    expected_s: dict[int, Fraction] = {}
    shift_s, end_s = Fraction(0), Fraction(0)
    with suppress(av.error.FFmpegError):
        for packet in packets(container, *streams):
            index, base = packet.stream_index, packet.time_base
            number = counts[index]
            counts[index] += 1
            if packet.dts is None:
                continue
            time_s = packet.dts * base + shift_s
            due_s = expected_s.get(index)
            if due_s is not None and not -_BACK_S <= time_s - due_s <= _AHEAD_S:
                shift_s += due_s - time_s
                time_s = due_s
            shifts = clock.shifts[index]
            if shift_s != (shifts[-1][1] if shifts else 0):
                shifts.append((number, shift_s))
            expected_s[index] = time_s + _step_s(packet)
            shown_s = (packet.pts if packet.pts is not None else packet.dts) * base + shift_s
            end_s = max(end_s, shown_s + (packet.duration or 0) * base)
            _note_place(clock.places[index], packet, number, float(shown_s))
    return Clock(path, clock.shifts, clock.places, float(end_s))


def _step_s(packet: Packet) -> Fraction:
    """How much later ffmpeg expects the next packet of the stream: for sound a frame, where the
    container tells how long one is, else nothing.
    """
    stream = packet.stream
    if isinstance(stream, AudioStream) and stream.codec_context:
        rate_hz = stream.codec_context.sample_rate
        return Fraction(stream.codec_context.frame_size, rate_hz) if rate_hz else Fraction(0)
    if not packet.duration and isinstance(stream, VideoStream) and stream.average_rate:
        return 1 / stream.average_rate
    return (packet.duration or 0) * packet.time_base


def _note_place(places: list[Place], packet: Packet, number: int, shown_s: float) -> None:
    if packet.pos is None or packet.dts is None or not packet.is_keyframe:
        return
    last_s = places[-1].shown_s if places else -float("inf")
    apart_s = 0.0 if packet.stream.type == "video" else _SOUND_PLACES_S
    if shown_s > last_s + apart_s:
        places.append(Place(number, packet.pos, packet.dts, shown_s))


def continuous_packets(
    container: InputContainer, stream: Stream, clock: Clock | None, place: Place | None = None
) -> Iterator[Packet]:
    """The packets of a stream, on the continuous clock where there is one: from `place` on, or,
    without one, from where the container stands: then this has to be its beginning.
    """
    if clock is None:
        yield from packets(container, stream)
        return
    shifts = list(clock.shifts.get(stream.index, ()))
    ticks = 0
    if place is None:
        source = packets(container, stream)
    else:
        source = _packets_from(container, stream, clock, place)
    for number, packet in enumerate(source, place.number if place else 0):
        while shifts and number >= shifts[0][0]:
            ticks = round(shifts.pop(0)[1] / packet.time_base)
        if ticks:
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
        yield packet


def _packets_from(
    container: InputContainer, stream: Stream, clock: Clock, place: Place
) -> Iterator[Packet]:
    """What stands before the place settles the demuxer, so that its packet is known again. Where it
    is not, all is read from the beginning.
    """
    places = clock.places[stream.index]
    before = places[max(0, places.index(place) - 1)]
    source: Iterator[Packet] = iter(())
    with suppress(av.error.FFmpegError):
        container.seek(before.position, backward=False, unsupported_byte_offset=True)
        source = packets(container, stream)
        for _ in range(place.number - before.number + _MORE_PACKETS):
            packet = next(source, None)
            if packet is None:
                break
            if (packet.pos, packet.dts) == (place.position, place.ticks):
                yield packet
                yield from source
                return
    with open_container(clock.path) as again:
        own = packets(again, again.streams[stream.index])
        yield from itertools.islice(own, place.number, None)
