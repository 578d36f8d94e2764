"""What browsers play as it is, and a copy in H.264 for everything else."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ffmpeg

from indexer.errors import StorageError, os_reason
from indexer.media.ffmpeg import run_ffmpeg
from indexer.media.open import DEMUXERS, media_errors, open_container
from indexer.media.probe import probe
from indexer.paths import printable
from indexer.settings import Settings
from indexer.video_info import VideoInfo

MP4, WEBM = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"
VIDEO = {MP4: {"h264", "vp9", "av1"}, WEBM: {"vp8", "vp9", "av1"}}
SOUND = {MP4: {"aac", "mp3", "opus", "flac"}, WEBM: {"opus", "vorbis"}}
SOUND_ONLY = {"mp3", "flac", "wav", "ogg", MP4}
PIXELS = {"yuv420p", "yuvj420p"}
SHORT_SIDE = 1080
START_SLACK_S = 0.01
TIMEOUT_S, TIMEOUT_FACTOR = 120.0, 20.0  # seconds allowed at all, and for one of the video
REPORT_EVERY_S = 0.5


def plays_in_browsers(path: str | os.PathLike[str]) -> bool:
    """Whether Chromium, Firefox and Safari play the file, with the times that we mean. Raises
    MediaError.

    A file whose clock does not begin at 0 is shown by some with that offset and by others without.
    """
    with media_errors(path), open_container(path) as container:
        videos, sounds = container.streams.video, container.streams.audio
        kind = container.format.name
        if abs((container.start_time or 0) / 1_000_000) > START_SLACK_S:
            return False
        if not videos:
            return kind in SOUND_ONLY and _codec(sounds[0]) in {
                "mp3",
                "aac",
                "flac",
                "vorbis",
                "opus",
                "pcm_s16le",
            }
        picture = videos[0].codec_context
        sound_ok = not sounds or _codec(sounds[0]) in SOUND.get(kind, ())
        return _codec(videos[0]) in VIDEO.get(kind, ()) and picture.pix_fmt in PIXELS and sound_ok


def _codec(stream: Any) -> str:
    """`av1`, whichever library decodes it."""
    return stream.codec_context.codec.canonical_name


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
    info = probe(src)
    try:
        dst.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".proxy-", dir=dst.parent) as folder:
            whole, log = Path(folder) / "proxy.mp4", Path(folder) / "progress"
            with _ProgressWatcher(log, info.duration_s, progress):
                args = ["-progress", str(log), *_graph(src, info, whole).get_args()]
                run_ffmpeg(args, TIMEOUT_S + TIMEOUT_FACTOR * info.duration_s, settings)
            os.replace(whole, dst)
    except OSError as error:
        raise StorageError(
            "cannot write {dst}: {reason}",
            "check that the folder exists and has space",
            dst=printable(dst),
            reason=os_reason(error),
        ) from None
    progress(1.0)


def _graph(src: str | os.PathLike[str], info: VideoInfo, dst: Path) -> Any:
    """With `copyts` the filters see the file's own clock; the first picture is shown from 0 on, as
    a player would.
    """
    source = ffmpeg.input(
        "file:" + os.path.abspath(src),
        copyts=None,
        protocol_whitelist="file",
        format_whitelist=",".join(DEMUXERS),
    )
    streams = []
    if info.width:
        side = (
            f"'if(gt(iw,ih),-2,min({SHORT_SIDE},trunc(iw/2)*2))'",
            f"'if(gt(iw,ih),min({SHORT_SIDE},trunc(ih/2)*2),-2)'",
        )
        streams.append(
            source["v:0"]
            .filter("settb", "1/90000")
            .filter("setpts", f"if(eq(N,0),0,max(0,PTS-{info.start_s * 90_000:.3f}))")
            .filter("scale", *(part.strip("'") for part in side))
            .filter("format", "yuv420p")
        )
    if info.audio_tracks:
        sound = source["a:0"].filter("asetpts", f"PTS-{info.start_s:.6f}/TB")
        streams.append(sound.filter("aresample", **{"async": 1, "first_pts": 0}))
    options: dict[str, Any] = {
        "acodec": "aac",
        "movflags": "+faststart",
        "map_metadata": -1,
        "f": "mp4",
    }
    if info.width:
        options |= {
            "vcodec": "libx264",
            "preset": "veryfast",
            "crf": 22,
            "g": 50,
            "fps_mode": "vfr",
            "enc_time_base:v": "1/90000",
        }
        options["video_track_timescale"] = 90_000
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
