"""The time line of files whose clock restarts: recordings that were joined byte by byte.

A player goes on where the first part ended. The ffmpeg program does so too: when the decoding time
of a packet lies a tenth of a second before what its stream had reached, or ten seconds after it,
the difference is taken from all that follows (`ts_discontinuity_detect` in
https://github.com/FFmpeg/FFmpeg/blob/master/fftools/ffmpeg_demux.c). A seek by time finds one of
the places with this time at best, so such files are read from the beginning.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

import av.error
from av.container import InputContainer
from av.format import Flags
from av.packet import Packet
from av.stream import Disposition, Stream

from indexer.media.open import open_container, packets

_BACK_S = Fraction(1, 10)
_AHEAD_S = Fraction(10)
_SAMPLES = 64  # places of the file at which its clock is read
_SAMPLE_PACKETS = 60
_RESTART_S = 1.0  # less is how streams are interleaved


@dataclass(frozen=True, slots=True)
class Clock:
    """What a file's clock does. Times of packets are in seconds of the file's own clock, made
    continuous.

    shifts: for each stream the (packet number, seconds to add from there on), rising.
    keyframes_s: of the streams of pictures, rising. end_s: of the last packet.
    """

    shifts: dict[int, list[tuple[int, Fraction]]] = field(default_factory=dict)
    keyframes_s: dict[int, list[float]] = field(default_factory=dict)
    end_s: float = 0.0


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
        if not container.format.flags & Flags.ts_discont.value:
            return None
        restarts = _restarts(container, size_bytes)
    if not restarts:
        return None
    with open_container(path) as container:
        return _read_clock(container)


def _restarts(container: InputContainer, size_bytes: int) -> bool:
    """Whether the time at some later place of the file is an earlier one."""
    latest_s: float | None = None
    for number in range(_SAMPLES + 1):
        position = min(size_bytes * number // _SAMPLES, max(0, size_bytes - 200_000))
        time_s = _time_at(container, position)
        if time_s is None:
            continue
        if latest_s is not None and time_s < latest_s - _RESTART_S:
            return True
        latest_s = time_s if latest_s is None else max(latest_s, time_s)
    return False


def _time_at(container: InputContainer, position: int) -> float | None:
    with suppress(av.error.FFmpegError):
        container.seek(position, backward=False, unsupported_byte_offset=True)
        for number, packet in enumerate(packets(container)):
            if packet.dts is not None and _has_time(packet.stream):
                return float(packet.dts * packet.time_base)
            if number >= _SAMPLE_PACKETS:
                break
    return None


def _has_time(stream: Stream) -> bool:
    cover = stream.disposition & Disposition.attached_pic
    return stream.type in ("video", "audio") and not cover


def _read_clock(container: InputContainer) -> Clock:
    streams = [stream for stream in container.streams if _has_time(stream)]
    clock = Clock({s.index: [] for s in streams}, {s.index: [] for s in streams})
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
            expected_s[index] = time_s + (packet.duration or 0) * base
            shown_s = (packet.pts if packet.pts is not None else packet.dts) * base + shift_s
            end_s = max(end_s, shown_s + (packet.duration or 0) * base)
            if packet.is_keyframe and packet.stream.type == "video":
                clock.keyframes_s[index].append(float(shown_s))
    return Clock(clock.shifts, clock.keyframes_s, float(end_s))


def continuous_packets(
    container: InputContainer, stream: Stream, clock: Clock | None
) -> Iterator[Packet]:
    """The packets of a stream, on the continuous clock where there is one: then the container has
    to stand at its beginning.
    """
    if clock is None:
        yield from packets(container, stream)
        return
    shifts = list(clock.shifts.get(stream.index, ()))
    ticks = 0
    for number, packet in enumerate(packets(container, stream)):
        while shifts and number >= shifts[0][0]:
            ticks = round(shifts.pop(0)[1] / packet.time_base)
        if ticks:
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
        yield packet
