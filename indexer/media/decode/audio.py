"""Sound as mono samples of one rate, placed on the timeline that the pictures have."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from fractions import Fraction

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.format import Flags
from av.stream import Discard

from indexer.errors import MediaError
from indexer.media.clock import Clock, continuous_packets, restarting_clock
from indexer.media.duration import origin_s
from indexer.media.open import media_errors, open_container
from indexer.media.tracks import is_decodable_sound, sound_stream
from indexer.paths import printable

_SEEK_BACK_S = 1.0  # some formats seek late, and decoders need a few packets to settle
_ERROR_LIMIT = 200  # packets in a row
_MAX_S = 4 * 3600.0  # of one call: 920 MB at 16 kHz


def read_audio(
    path: str | os.PathLike[str],
    start_s: float,
    end_s: float,
    rate_hz: int = 16_000,
    track: int | None = None,
) -> tuple[np.ndarray, float]:
    """(samples (N,) float32 in [-1, 1], mono, `start_s`): N is the length times `rate_hz`, rounded;
    silence where there is no sound.

    Sample i is heard at `start_s` + i / rate_hz. `track` counts the file's sound tracks; None: the
    first that can be decoded. Raises MediaError for a file that cannot be read or has no such
    track, ValueError for a span that is no span.
    """
    if not (
        math.isfinite(start_s)
        and math.isfinite(end_s)
        and start_s <= end_s <= start_s + _MAX_S
        and rate_hz > 0
    ):
        raise ValueError(
            f"a span needs start_s <= end_s, at most {_MAX_S:g} s later, and rate_hz > 0, "
            f"not {start_s}, {end_s}, {rate_hz}"
        )
    samples = np.zeros(round((end_s - start_s) * rate_hz), np.float32)
    with media_errors(path), open_container(path) as container:
        stream = _track(container, path, track)
        origin = float(origin_s(container))
        clock = restarting_clock(path)
        for time_s, piece in _pieces(container, stream, clock, start_s + origin, rate_hz):
            at = round((time_s - origin - start_s) * rate_hz)
            if at >= len(samples):
                break
            _place(samples, piece, at)
    return samples, start_s


def _track(
    container: InputContainer, path: str | os.PathLike[str], track: int | None
) -> AudioStream:
    streams = container.streams.audio
    if track is None:
        stream = sound_stream(container, path)
    else:
        stream = streams[track] if 0 <= track < len(streams) else None
    if stream is None or not is_decodable_sound(stream):
        raise MediaError(
            "{path} has no sound track {track} that can be decoded ({streams} tracks)",
            path=printable(path),
            track=0 if track is None else track,
            streams=len(streams),
        )
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all
    return stream


def _place(samples: np.ndarray, piece: np.ndarray, at: int) -> None:
    """Copies the part of `piece` that falls inside; `at` may be negative."""
    piece = piece[max(0, -at) :]
    at = max(0, at)
    count = min(len(piece), len(samples) - at)
    if count > 0:
        np.clip(piece[:count], -1.0, 1.0, out=samples[at : at + count])


def _pieces(
    container: InputContainer,
    stream: AudioStream,
    clock: Clock | None,
    from_s: float,
    rate_hz: int,
) -> Iterator[tuple[float, np.ndarray]]:
    """(time in the container's own clock, (N,) float32). A gap in the sound starts a new resampler,
    which else would close it.
    """
    resampler: AudioResampler | None = None
    begun_s, count, expected_s = 0.0, 0, 0.0
    for time_s, frame in _frames(container, stream, clock, from_s):
        if resampler is None or abs(time_s - expected_s) > 0.02:
            yield from _flush(resampler, begun_s, count, rate_hz)
            resampler = AudioResampler(format="flt", layout="mono", rate=rate_hz)
            begun_s, count = time_s, 0
        expected_s = time_s + frame.samples / frame.sample_rate
        frame.pts = None  # places are counted in samples
        try:
            resampled = resampler.resample(frame)
        # The layout or the rate changed on the way: from here on it is another sound.
        except (av.error.FFmpegError, ValueError):
            resampler = None
            continue
        for out in resampled:
            piece = out.to_ndarray().reshape(-1)
            yield begun_s + count / rate_hz, piece
            count += len(piece)
    yield from _flush(resampler, begun_s, count, rate_hz)


def _flush(
    resampler: AudioResampler | None, begun_s: float, count: int, rate_hz: int
) -> Iterator[tuple[float, np.ndarray]]:
    for out in resampler.resample(None) if resampler is not None and count else ():
        yield begun_s + count / rate_hz, out.to_ndarray().reshape(-1)


def _frames(
    container: InputContainer, stream: AudioStream, clock: Clock | None, from_s: float
) -> Iterator[tuple[float, AudioFrame]]:
    """Decoded pieces with their time, from a little before `from_s` on; what does not decode is
    left out.
    """
    base = stream.time_base or Fraction(1, av.time_base)
    timed = not container.format.flags & Flags.no_timestamps.value
    if from_s > _SEEK_BACK_S and clock is None and timed:
        try:
            container.seek(int((from_s - _SEEK_BACK_S) / base), stream=stream, backward=True)
        except av.error.FFmpegError:  # it cannot seek: the pieces come from the beginning
            container.seek(0)
    errors, next_s = 0, float((stream.start_time or 0) * base)
    place = clock.place_before(stream, from_s - _SEEK_BACK_S) if clock else None
    source = continuous_packets(container, stream, clock, place)
    ended = False
    while not ended and errors < _ERROR_LIMIT:
        try:
            packet = next(source, None)
            ended = packet is None
            frames = stream.codec_context.decode(packet)
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:
            errors += 1
            continue
        errors = 0
        for frame in frames:
            time_s = float(frame.pts * base) if frame.pts is not None else next_s
            next_s = time_s + frame.samples / frame.sample_rate
            yield time_s, frame
