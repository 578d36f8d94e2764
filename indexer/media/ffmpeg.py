"""The one place that runs the ffmpeg program; the package ffmpeg-python only builds the argument
list.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from indexer.errors import MediaError, MediaTimeout, UsageError
from indexer.settings import Settings

_LAST_LINES = 4
_QUIET = ("-hide_banner", "-nostdin", "-loglevel", "error", "-y")


def find_ffmpeg(settings: Settings) -> Path:
    """By setting, then on PATH, then the program that the package imageio-ffmpeg carries."""
    if settings.ffmpeg:
        found = shutil.which(os.path.expanduser(settings.ffmpeg))
        if not found:
            raise UsageError(
                "SEEKPOINT_FFMPEG={ffmpeg!r} is not a program that can be run",
                "unset it to use PATH or the packaged ffmpeg",
                ffmpeg=settings.ffmpeg,
            )
        return Path(found)
    on_path = shutil.which("ffmpeg")
    if on_path:
        return Path(on_path)
    try:
        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        raise UsageError(
            "no ffmpeg was found", "install ffmpeg, or set SEEKPOINT_FFMPEG to its path"
        ) from None


def run_ffmpeg(stream_or_args: Any, timeout_s: float, settings: Settings) -> None:
    """Runs an ffmpeg-python stream or an argument list (without the program). Raises MediaTimeout,
    or MediaError with the last lines.
    """
    args: Sequence[str] = (
        stream_or_args if isinstance(stream_or_args, list | tuple) else stream_or_args.get_args()
    )
    command = [str(find_ffmpeg(settings)), *_QUIET, *args]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise MediaTimeout(
            "ffmpeg took longer than {timeout_s:g} s and was stopped",
            "cut a shorter span",
            timeout_s=timeout_s,
        ) from None
    if done.returncode:
        lines = [
            line.strip()
            for line in done.stderr.decode(errors="replace").splitlines()
            if line.strip()
        ]
        last = " | ".join(lines[-_LAST_LINES:]) or f"exit status {done.returncode}"
        raise MediaError(
            "ffmpeg failed: {reason}",
            "check that the file plays elsewhere and that there is space on the disk",
            reason=last,
        )
