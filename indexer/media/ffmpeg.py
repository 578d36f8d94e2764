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
from indexer.media.memory import limit_memory_of
from indexer.process.abandon import ends_when_abandoned
from indexer.process.end_with_parent import ending_with_parent
from indexer.settings import Settings

_LAST_LINES = 4
_OUT_OF_MEMORY = b"Cannot allocate memory"
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
    status, stderr = _run(command, timeout_s, settings.reader_memory_mb)
    if status:
        lines = [line.strip() for line in stderr.decode(errors="replace").splitlines()]
        last = " | ".join([line for line in lines if line][-_LAST_LINES:])
        hint = "check that the file plays elsewhere and that there is space on the disk"
        if _OUT_OF_MEMORY in stderr:
            hint = "it needs more memory than SEEKPOINT_READER_MEMORY_MB allows"
        raise MediaError("ffmpeg failed: {reason}", hint, reason=last or f"exit status {status}")


def _run(command: Sequence[str], timeout_s: float, memory_mb: int) -> tuple[int, bytes]:
    """(exit status, what it wrote to stderr)."""
    with (
        subprocess.Popen(
            ending_with_parent(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process,
        ends_when_abandoned(process),
    ):
        limit_memory_of(process.pid, memory_mb)
        try:
            _, stderr = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise MediaTimeout(
                "ffmpeg took longer than {timeout_s:g} s and was stopped",
                "cut a shorter span",
                timeout_s=timeout_s,
            ) from None
        except BaseException:
            process.kill()
            raise
    return process.returncode, stderr
