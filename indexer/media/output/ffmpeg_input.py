"""What clips and copies for browsers share: how ffmpeg opens a file and writes MP4."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import ffmpeg

from indexer.errors import MediaError, MediaTimeout
from indexer.media.formats import DEMUXERS
from indexer.media.memory import decoding_threads
from indexer.media.open import MJPEG
from indexer.video_info import VideoInfo

_LONG_PICTURE_S = 3600
_SMALLEST = 2  # sides that the encoder takes
MP4_OPTIONS: dict[str, Any] = {"movflags": "+faststart", "map_metadata": -1, "f": "mp4"}


def input_of(src: str | os.PathLike[str], info: VideoInfo, seek_s: float = 0.0) -> Any:
    """The file as an input of ffmpeg, from a keyframe before `seek_s` on.

    Its times are those of the file's own clock. One that restarts is made continuous by ffmpeg
    instead (`clock_s`); it cannot be sought by time, nor can a file without times.
    """
    options: dict[str, Any] = _threads(info) | ({} if info.restarts else {"copyts": None})
    if info.container == MJPEG:  # which ffmpeg may take for a single picture
        options |= {"f": MJPEG}
    # A seek to the beginning of an AVI skips what ffmpeg read to recognise it.
    if seek_s > 0 and not info.restarts and info.timed:
        options |= {"ss": seek_s, "noaccurate_seek": None}
    return ffmpeg.input(
        "file:" + os.path.abspath(src),
        protocol_whitelist="file",
        format_whitelist=",".join(DEMUXERS),
        **options,
    )


def clock_s(info: VideoInfo, *, pictures: bool = True, sound: bool = True) -> float:
    """The time that ffmpeg has at the container's start, where it is given these streams: of a
    clock that it makes continuous the first of those that are used begins at 0.
    """
    if not info.restarts:
        return info.start_s
    used = [info.picture_late_s] if pictures else []
    used += [info.sound_late_s] if sound else []
    return -min(used, default=0.0)


def pictures_of(source: Any, info: VideoInfo) -> Any:
    """The stream that is shown, with colours that ffmpeg knows."""
    pictures = source[str(info.picture_index)]
    if min(info.width, info.height) < _SMALLEST:
        pictures = pictures.filter("scale", f"max({_SMALLEST},iw)", f"max({_SMALLEST},ih)")
    return pictures.filter("setparams", colorspace=info.matrix) if info.matrix else pictures


def picture_options(info: VideoInfo, crf: int, length_s: float) -> dict[str, Any]:
    """H.264 with the times of the pictures kept. The one before a jump of a broken clock would last
    longer than MP4 can say: it lasts to the end, where that is known (not 0).
    """
    left = f"max(1\\,{length_s * 90_000:.0f}-PTS)"
    kept = f"if(gt(DURATION\\,{_LONG_PICTURE_S * 90_000})\\,{left}\\,DURATION)"
    bounded = {"bsf:v": f"setts=pts=PTS:dts=DTS:duration={kept}"} if length_s else {}
    return (
        _threads(info)
        | {
            "vcodec": "libx264",
            "preset": "veryfast",
            "crf": crf,
            "fps_mode": "vfr",
            "enc_time_base:v": "1/90000",
            "video_track_timescale": 90_000,
        }
        | bounded
    )


def _threads(info: VideoInfo) -> dict[str, Any]:
    """Large pictures are decoded and encoded by fewer threads, each of which holds some."""
    threads = decoding_threads(info.width, info.height)
    return {"threads": threads} if threads < (os.cpu_count() or 1) else {}


def write_with_sound(info: VideoInfo, write: Callable[[bool], None]) -> None:
    """Calls `write` with whether to take the sound. Where there is none in what is written, or it
    does not decode, ffmpeg fails: then the pictures alone are written.
    """
    if info.sound_index is None:
        write(False)
        return
    try:
        write(True)
    except MediaTimeout:
        raise
    except MediaError as error:
        if not info.width:
            raise
        try:
            write(False)
        except MediaError:  # the sound was not the reason
            raise error from None
