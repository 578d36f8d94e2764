"""Several clips as one video, one after the other."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ffmpeg

from indexer.errors import StorageError, UsageError, os_reason
from indexer.media.decode.reader_process import probe_in_process
from indexer.media.ffmpeg import run_ffmpeg
from indexer.media.output.ffmpeg_input import MP4_OPTIONS
from indexer.paths import printable
from indexer.settings import Settings
from indexer.video_info import VideoInfo

RATE_FPS = 30
SOUND_HZ = 48_000
LARGEST = 1920, 1080
WITHOUT_PICTURES = 640, 360
_TIMEOUT_S = 60.0
_TIMEOUT_FACTOR = 20.0  # seconds of work allowed for one of the result


def join_clips(clips: Sequence[Path], dst: Path, settings: Settings) -> None:
    """Writes `clips` (MP4 files that `cut_clip` wrote) as one H.264/AAC MP4 at `RATE_FPS`; whole or
    not at all. Smaller ones stand in the middle of the largest one's frame; a clip without sound is
    silent, one without pictures black. Raises UsageError for no clips, MediaError, MediaTimeout,
    StorageError.
    """
    if not clips:
        raise UsageError("there are no clips to join")
    infos = [
        probe_in_process(
            clip, max_pixels=settings.max_frame_pixels, memory_mb=settings.reader_memory_mb
        )
        for clip in clips
    ]
    size = _size(infos)
    streams: list[Any] = []
    for number, (clip, info) in enumerate(zip(clips, infos, strict=True)):
        source = ffmpeg.input("file:" + os.path.abspath(clip), protocol_whitelist="file")
        streams += [_pictures(source, size, info, number), _sound(source, info, number)]
    joined = ffmpeg.concat(*streams, v=1, a=1).node
    timeout_s = _TIMEOUT_S + _TIMEOUT_FACTOR * sum(info.duration_s for info in infos)
    options = {"vcodec": "libx264", "preset": "veryfast", "crf": 21, "acodec": "aac"}
    try:
        with tempfile.TemporaryDirectory(prefix=".seekpoint-join-", dir=dst.parent) as folder:
            whole = Path(folder).absolute() / "joined.mp4"
            output = ffmpeg.output(joined[0], joined[1], f"file:{whole}", **options, **MP4_OPTIONS)
            run_ffmpeg(output, timeout_s, settings)
            whole.replace(dst)
    except OSError as error:
        raise StorageError(
            "cannot write {dst}: {reason}",
            "check that the folder exists and has space",
            dst=printable(dst),
            reason=os_reason(error),
        ) from None


def _size(infos: Sequence[VideoInfo]) -> tuple[int, int]:
    """Of the clip with the most pixels, at most `LARGEST`; even."""
    largest = max(infos, key=lambda info: info.width * info.height)
    width, height = (largest.width, largest.height) if largest.width else WITHOUT_PICTURES
    scale = min(1.0, LARGEST[0] / width, LARGEST[1] / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _pictures(source: Any, size: tuple[int, int], info: VideoInfo, number: int) -> Any:
    width, height = size
    if info.width:
        pictures = source.video
    else:
        length_s = _own_length_s(info, number)
        black = f"color=black:s={width}x{height}:r={RATE_FPS}"
        pictures = ffmpeg.input(black, f="lavfi", t=length_s).video
    return (
        pictures.filter("scale", width, height, force_original_aspect_ratio="decrease")
        .filter("pad", width, height, "(ow-iw)/2", "(oh-ih)/2")
        .filter("setsar", 1)
        .filter("fps", RATE_FPS, round="up", start_time=0)
        .filter("tpad", stop_mode="clone", stop_duration=1)
        .filter("trim", end=f"{info.duration_s:.6f}")
        .filter("format", "yuv420p")
    )


def _sound(source: Any, info: VideoInfo, number: int) -> Any:
    """As long as the pictures."""
    if info.sound_index is None:
        length_s = _own_length_s(info, number)
        sound = ffmpeg.input(f"anullsrc=r={SOUND_HZ}:cl=stereo", f="lavfi", t=length_s).audio
    else:
        sound = source.audio.filter("aresample", SOUND_HZ)
    return (
        sound.filter("aformat", channel_layouts="stereo")
        .filter("apad")
        .filter("atrim", end=f"{info.duration_s:.6f}")
    )


def _own_length_s(info: VideoInfo, number: int) -> str:
    """Enough for the clip. Inputs that are the same would become one, which can be read once."""
    return f"{info.duration_s + 1.0 + number / 1000:.3f}"
