"""Drawn scenes as files: PNG, FFV1 in Matroska (no loss), WAV."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
from PIL import Image

from grounding.synthetic.sounds import RATE_HZ

FRAMES_PER_S = 4


def write_picture(path: Path, pixels: np.ndarray) -> None:
    """`(H, W, 3) uint8` as PNG."""
    Image.fromarray(pixels).save(path, compress_level=1)


def write_clip(path: Path, frames: np.ndarray) -> None:
    """`(N, H, W, 3) uint8`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=FRAMES_PER_S)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "bgr0"
        stream.thread_count = 1  # type: ignore[union-attr]
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def write_sound(path: Path, samples: np.ndarray) -> None:
    """`(N,) float32` in [-1, 1]."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((samples * 32767).round().astype("<i2").tobytes())
