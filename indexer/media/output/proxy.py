"""A copy in H.264 of what browsers do not play as it is."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ffmpeg

from indexer.errors import StorageError, os_reason
from indexer.media.decode.reader_process import is_playable_in_process, probe_in_process
from indexer.media.ffmpeg import run_ffmpeg
from indexer.media.memory import MEMORY_MB
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

SHORT_SIDE = 1080
TIMEOUT_S, TIMEOUT_FACTOR = 120.0, 20.0  # seconds allowed at all, and for one of the video
REPORT_EVERY_S = 0.5
_SLACK_S = 1.0  # of a length that is a little short


def plays_in_browsers(path: str | os.PathLike[str], *, memory_mb: int = MEMORY_MB) -> bool:
    """`is_playable`, found out in a process that can be killed. Raises MediaError, MediaTimeout."""
    return is_playable_in_process(path, memory_mb=memory_mb)


def make_proxy(
    src: str | os.PathLike[str],
    dst: Path,
    settings: Settings,
    progress: Callable[[float], None] = lambda _: None,
) -> None:
    """Writes a copy of `src` that browsers play, index in front, whole or not at all; its time is
    ours: 0 is the container's start.

    `progress` gets the share in [0, 1] that is done. Raises MediaError, MediaTimeout,
    StorageError.
    """
    info = probe_in_process(
        src,
        max_pixels=settings.max_frame_pixels,
        memory_mb=settings.reader_memory_mb,
        timeout_s=settings.chunk_timeout_s,
    )
    try:
        dst.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".proxy-", dir=dst.parent) as folder:
            whole, log = Path(folder) / "proxy.mp4", Path(folder) / "progress"
            with _ProgressWatcher(log, info.duration_s, progress):
                timeout_s = TIMEOUT_S + TIMEOUT_FACTOR * info.duration_s

                def write(with_sound: bool) -> None:
                    args = _graph(src, info, whole, with_sound).get_args()
                    run_ffmpeg(["-progress", str(log), *args], timeout_s, settings)

                write_with_sound(info, write)
            os.replace(whole, dst)
    except OSError as error:
        raise StorageError(
            "cannot write {dst}: {reason}",
            "check that the folder exists and has space",
            dst=printable(dst),
            reason=os_reason(error),
        ) from None
    progress(1.0)


def _graph(src: str | os.PathLike[str], info: VideoInfo, dst: Path, with_sound: bool) -> Any:
    """With `copyts` the filters see the file's own clock; the first picture is shown from 0 on, as
    a player would.
    """
    source = input_of(src, info)
    begin_s = clock_s(info, pictures=bool(info.width), sound=with_sound)
    streams, options = [], dict(MP4_OPTIONS)
    if info.width:
        side = (
            f"if(gt(iw,ih),-2,min({SHORT_SIDE},trunc(iw/2)*2))",
            f"if(gt(iw,ih),min({SHORT_SIDE},trunc(ih/2)*2),-2)",
        )
        streams.append(
            pictures_of(source, info)
            .filter("settb", "1/90000")
            .filter("setpts", f"if(eq(N,0),0,max(0,PTS-({begin_s * 90_000:.3f})))")
            .filter("scale", *side)
            .filter("format", "yuv420p")
        )
        options |= {**picture_options(info, 22, info.duration_s), "g": 50}
    if with_sound:
        sound = source[str(info.sound_index)].filter("asetpts", f"PTS-({begin_s:.6f})/TB")
        streams.append(sound.filter("aresample", **{"async": 1, "first_pts": 0}))
        options["acodec"] = "aac"
    if info.duration_s:  # a broken clock may have a picture years later, which MP4 cannot hold
        options["t"] = f"{info.duration_s + _SLACK_S:.3f}"
    return ffmpeg.output(*streams, "file:" + str(dst), **options)


class _ProgressWatcher:
    """Reads what ffmpeg writes about its progress while it runs."""

    def __init__(self, log: Path, duration_s: float, progress: Callable[[float], None]) -> None:
        self._log, self._duration_s, self._progress = log, max(duration_s, 0.001), progress
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(REPORT_EVERY_S):
            if self._log.exists():
                self._progress(min(1.0, _seconds_done(self._log.read_text()) / self._duration_s))


def _seconds_done(log: str) -> float:
    """The last `out_time_us=` of ffmpeg's report; N/A before the first frame."""
    values = [
        line.partition("=")[2] for line in log.splitlines() if line.startswith("out_time_us=")
    ]
    return max((int(value) / 1e6 for value in values if value.lstrip("-").isdigit()), default=0.0)
