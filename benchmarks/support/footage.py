"""Footage of any length for measurements: the demo's photographs with camera moves and its real
clips, as H.264 or what is asked for.
"""

from __future__ import annotations

import math
import subprocess
from pathlib import Path

from indexer.admin.demo import make_library
from indexer.media.ffmpeg import find_ffmpeg
from indexer.settings import Settings


def make_footage(
    folder: Path, minutes: float, *, height: int = 720, keyframe_s: float = 4.0, name: str = ""
) -> Path:
    """One file of `minutes`, 16:9 at 25 frames a second, cut every few seconds, one minute over and
    over; made once per folder.
    """
    path = folder / (name or f"{height}p-{minutes:g}min-key{keyframe_s:g}s.mp4")
    if path.exists():
        return path
    pieces = make_library(folder / "pieces")
    minute = folder / f"minute-{height}-{keyframe_s:g}.mp4"
    keyframes = str(round(keyframe_s * 25))
    encode = [
        "-vf",
        f"scale=-2:{height},noise=alls=6:allf=t",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "23",
    ]
    encode += [
        "-g",
        keyframes,
        "-keyint_min",
        keyframes,
        "-sc_threshold",
        "0",
        "-pix_fmt",
        "yuv420p",
        "-an",
    ]
    listing = folder / "pieces.txt"
    listing.write_text("".join(f"file '{piece}'\n" for piece in pieces))
    if not minute.exists():
        run_ffmpeg(
            "-stream_loop",
            "3",
            "-f",
            "concat",
            "-safe",
            "0",
            "-i",
            listing,
            "-t",
            "60",
            *encode,
            minute,
        )
    listing.write_text(f"file '{minute}'\n" * math.ceil(minutes))
    run_ffmpeg(
        "-f", "concat", "-safe", "0", "-i", listing, "-c", "copy", "-t", str(minutes * 60), path
    )
    return path


def run_ffmpeg(*arguments: object) -> None:
    """The last argument is the file, which is there only once it is whole: a later run would take
    half of one for footage.
    """
    *options, path = arguments
    path = Path(str(path))
    aside = path.with_name(f"unfinished-{path.name}")
    subprocess.run(
        [str(find_ffmpeg(Settings())), "-v", "error", "-y", *map(str, options), str(aside)],
        check=True,
        timeout=1800,
    )
    aside.replace(path)
