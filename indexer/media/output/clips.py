"""Exact cuts: the first picture of the clip is the one that is shown at its start."""

from __future__ import annotations

import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from indexer.errors import MediaError, MediaTimeout, StorageError, UsageError, os_reason
from indexer.media.decode.reader_process import (
    ReaderProcess,
    probe_in_process,
    read_audio_in_process,
)
from indexer.media.ffmpeg import run_ffmpeg
from indexer.media.open import check_regular_file
from indexer.media.output.ffmpeg_input import (
    MP4_OPTIONS,
    clock_s,
    input_of,
    picture_options,
    pictures_of,
    write_with_sound,
)
from indexer.paths import printable
from indexer.settings import Settings
from indexer.video_info import VideoInfo
from indexer.vocabulary import SOUND_FORMATS

_SEEK_MARGIN_S = 20.0  # formats without an index seek to a time, not to a keyframe: room for one
_EARLY_S = 0.0004  # less than any picture lasts, more than any clock rounds
_SPARSE_S = 0.5  # pictures that last longer are repeated, or a clip inside one would have no length
_FINE_SAMPLES = 64  # of which the frames of AAC, AC-3 and MP2 are multiples
_SPARSE_FPS = 60  # high enough that none of the others is lost
_TIMEOUT_S = 60.0
_TIMEOUT_FACTOR = 30.0  # seconds of work allowed for one of the clip, or of the margin
_LISTENED_S = 600.0  # to say whether there is sound
_IN_MP4 = {"acodec": "aac", **MP4_OPTIONS}
_SOUND_OPTIONS: dict[str, dict[str, Any]] = {
    "aac": {"acodec": "aac", "f": "adts"},
    "flac": {"acodec": "flac", "f": "flac"},
    "m4a": _IN_MP4 | {"f": "ipod"},
    "mp3": {"acodec": "libmp3lame", "f": "mp3"},
    "ogg": {"acodec": "libvorbis", "f": "ogg"},
    "opus": {"acodec": "libopus", "f": "opus"},
    "wav": {"acodec": "pcm_s16le", "f": "wav"},
}


def require_part(start_s: float, end_s: float) -> None:
    """Raises UsageError for a part that ends before it starts."""
    if end_s <= start_s:
        raise UsageError(
            "the clip would end ({end_s:g} s) before it starts ({start_s:g} s)",
            "give START before END",
            end_s=end_s,
            start_s=start_s,
        )


def cut_clip(
    src: str | os.PathLike[str],
    start_s: float,
    end_s: float,
    dst: str | os.PathLike[str],
    settings: Settings,
    *,
    sound_only: bool = False,
) -> None:
    """Writes [start_s, end_s) of `src` to `dst` as H.264/AAC MP4 with the index in front; whole or
    not at all.

    The sound alone is written where `sound_only` asks for it, where the name of `dst` ends in one
    of `SOUND_FORMATS` (in that format, else as M4A), and of a file without pictures. The span is
    clamped to the video. Raises UsageError for a span that is none or has no picture or sound,
    MediaError, MediaTimeout, StorageError.
    """
    if not (math.isfinite(start_s) and math.isfinite(end_s) and 0 <= start_s < end_s):
        raise UsageError(
            "a clip needs 0 <= start < end, not {start_s} to {end_s}", start_s=start_s, end_s=end_s
        )
    check_regular_file(src)
    dst = Path(dst)
    if os.path.exists(dst) and dst.samefile(src):
        raise UsageError(
            "{dst} is the video itself", "choose another file for the clip", dst=printable(dst)
        )
    info = probe_in_process(
        src,
        max_pixels=settings.max_frame_pixels,
        memory_mb=settings.reader_memory_mb,
        timeout_s=settings.chunk_timeout_s,
    )
    suffix = dst.suffix.lower().removeprefix(".")
    sound_only = sound_only or suffix in SOUND_FORMATS or not info.width
    if sound_only and info.sound_index is None:
        raise UsageError(
            "{src} has no sound that can be cut",
            "give the clip a name that ends in .mp4 to have its pictures",
            src=printable(src),
        )
    end_s = min(end_s, info.duration_s) if info.duration_s else end_s
    if start_s >= end_s:
        raise UsageError(
            "the clip would start at {start_s:.3f} s, but {src} ends at {duration_s:.3f} s",
            start_s=start_s,
            src=printable(src),
            duration_s=info.duration_s,
        )
    cut = _Cut(start_s, end_s, start_s) if sound_only else _cut_of(src, start_s, end_s, settings)
    timeout_s = _TIMEOUT_S + _TIMEOUT_FACTOR * (end_s - start_s + _SEEK_MARGIN_S)
    if info.restarts or not info.timed:  # ffmpeg reads all that comes before
        timeout_s += start_s
    try:
        with tempfile.TemporaryDirectory(prefix=".seekpoint-clip-", dir=dst.parent) as folder:
            whole = Path(folder).absolute() / "clip"

            def write(with_sound: bool) -> None:
                run_ffmpeg(_graph(src, info, cut, whole, with_sound), timeout_s, settings)

            if sound_only:
                options = _SOUND_OPTIONS.get(suffix, _SOUND_OPTIONS["m4a"])
                _write_sound(src, info, cut, whole, options, timeout_s, settings)
            else:
                write_with_sound(info, write)
            os.replace(whole, dst)
    except OSError as error:
        raise StorageError(
            "cannot write {dst}: {reason}",
            "check that the folder exists and has space",
            dst=printable(dst),
            reason=os_reason(error),
        ) from None


@dataclass(frozen=True, slots=True)
class _Cut:
    """[start_s, end_s), and when the picture that is shown at its start began, maybe long before.
    `sparse`: that picture lasts long.
    """

    start_s: float
    end_s: float
    picture_s: float
    sparse: bool = False

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


def _cut_of(src: str | os.PathLike[str], start_s: float, end_s: float, settings: Settings) -> _Cut:
    with ReaderProcess(
        src,
        max_pixels=settings.max_frame_pixels,
        memory_mb=settings.reader_memory_mb,
        timeout_s=settings.chunk_timeout_s,
    ) as reader:
        shown = reader.at([start_s], short_side=16)
    if shown.times_s[0] >= end_s:
        raise UsageError(
            "{src} has no picture before {first_s:.3f} s",
            "ask for a span that ends later, or for its sound alone (.m4a)",
            src=printable(src),
            first_s=float(shown.times_s[0]),
        )
    return _Cut(
        start_s, end_s, float(shown.times_s[0]), sparse=bool(shown.durations_s[0] > _SPARSE_S)
    )


def _write_sound(
    src: str | os.PathLike[str],
    info: VideoInfo,
    cut: _Cut,
    dst: Path,
    options: dict[str, Any],
    timeout_s: float,
    settings: Settings,
) -> None:
    """Raises UsageError where nothing is written because there is no sound in the span."""
    source = input_of(src, info, cut.picture_s - _SEEK_MARGIN_S)
    sound = _sound(source, info, cut, clock_s(info, pictures=False))
    try:
        run_ffmpeg(ffmpeg.output(sound, f"file:{dst}", **options), timeout_s, settings)
        probe_in_process(dst, memory_mb=settings.reader_memory_mb)
    except MediaTimeout:
        raise
    except MediaError:
        samples, _ = read_audio_in_process(
            src,
            cut.start_s,
            min(cut.end_s, cut.start_s + _LISTENED_S),
            memory_mb=settings.reader_memory_mb,
            timeout_s=settings.chunk_timeout_s,
        )
        if samples.any():
            raise
        raise UsageError(
            "{src} has no sound from {start_s:.3f} to {end_s:.3f} s",
            "ask for another span",
            src=printable(src),
            start_s=cut.start_s,
            end_s=cut.end_s,
        ) from None


def _graph(
    src: str | os.PathLike[str], info: VideoInfo, cut: _Cut, dst: Path, with_sound: bool
) -> Any:
    """The picture that is shown at the start is kept, and shown from 0 on.

    With `copyts` the filters see the file's own clock, which begins at `info.start_s`.
    """
    source = input_of(src, info, cut.picture_s - _SEEK_MARGIN_S)
    begin_s = clock_s(info, sound=with_sound)
    offset_s = cut.start_s + begin_s
    video = (
        pictures_of(source, info)
        .filter("settb", "1/90000")
        .filter(
            "trim",
            start=f"{cut.picture_s + begin_s - _EARLY_S:.6f}",
            end=f"{cut.end_s + begin_s - _EARLY_S:.6f}",
        )
        .filter("setpts", f"max(0,PTS-({offset_s * 90_000:.3f}))")
        .filter("crop", "max(2,trunc(iw/2)*2)", "max(2,trunc(ih/2)*2)", 0, 0)
        .filter("format", "yuv420p")
    )
    if cut.sparse:
        video = (
            video.filter("fps", _SPARSE_FPS, round="up", start_time=0)
            .filter("tpad", stop_mode="clone", stop_duration=f"{cut.length_s:.6f}")
            .filter("trim", end=f"{cut.length_s:.6f}")
        )
    streams = [video]
    if with_sound:
        sound = _sound_read_on if info.restarts else _sound
        streams.append(sound(source, info, cut, begin_s))
    options = picture_options(info, 20, cut.length_s)
    options |= {"acodec": "aac"} if with_sound else {}
    options |= {"shortest": None} if with_sound and info.restarts else {}
    return ffmpeg.output(*streams, "file:" + str(dst), **options, **MP4_OPTIONS)


def _sound(source: Any, info: VideoInfo, cut: _Cut, begin_s: float) -> Any:
    """Silent until it begins, where that is after the start. `begin_s` is the `clock_s`."""
    start_s, end_s = cut.start_s + begin_s, cut.end_s + begin_s
    heard = source[str(info.sound_index)].filter(
        "atrim", start=f"{start_s:.6f}", end=f"{end_s:.6f}"
    )
    return _from_zero(heard, start_s)


def _sound_read_on(source: Any, info: VideoInfo, cut: _Cut, begin_s: float) -> Any:
    """As `_sound`, but it goes on in silence after the span, for the output to end with the
    pictures.

    ffmpeg reads no more of a sound that has ended, sooner or later after that, and makes the clock
    of a file that restarts continuous by what it still reads: the pictures would be others then.
    """
    start_s, end_s = cut.start_s + begin_s, cut.end_s + begin_s
    heard = (
        source[str(info.sound_index)]
        .filter("asetnsamples", n=_FINE_SAMPLES)
        .filter("aselect", f"between(t,{start_s:.6f},{end_s:.6f})")
    )
    return _from_zero(heard, start_s).filter("apad")


def _from_zero(sound: Any, start_s: float) -> Any:
    return sound.filter("asetpts", f"PTS-({start_s:.6f})/TB").filter(
        "aresample", **{"async": 1, "first_pts": 0}
    )
