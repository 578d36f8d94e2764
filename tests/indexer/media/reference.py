"""What ffmpeg's own decoding shows of a file: the truth that our readers are compared with."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np

_TIME = re.compile(r" pts_time:(-?[0-9.]+)")


def ffmpeg_pictures(
    path: Path,
    index: int = 0,
    size: tuple[int, int] = (192, 128),
    start_s: float | None = None,
    heard: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(times_s (N,) float64 from the file's start on, images (N, H, W, 3) uint8) of one stream.

    `start_s` is when the file's clock begins; without it ffmpeg makes the clock begin at 0, and
    continuous where it restarts; how depends on whether it reads the sound, the stream `heard`,
    too.
    """
    width, height = size
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-hide_banner", "-nostdin", "-loglevel", "info", "-nostats"),
        *(("-copyts",) if start_s is not None else ()),
        *("-i", str(path), "-map", f"0:{index}"),
        *("-vf", f"showinfo,scale={width}:{height}", "-fps_mode", "passthrough"),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"),
        *(() if heard is None else ("-map", f"0:{heard}", "-f", "null", "-")),
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    images = np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)
    times_s = np.array([float(one) for one in _TIME.findall(done.stderr.decode())])
    return times_s[: len(images)] - (start_s or 0.0), images


def ffmpeg_sound(path: Path, index: int, rate_hz: int = 16_000) -> np.ndarray:
    """Mono samples (N,) float32 of one stream, from its first one on."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-hide_banner", "-nostdin", "-loglevel", "error", "-i", str(path), "-map", f"0:{index}"),
        *("-ac", "1", "-ar", str(rate_hz), "-f", "f32le", "pipe:1"),
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return np.frombuffer(done.stdout, np.float32)
