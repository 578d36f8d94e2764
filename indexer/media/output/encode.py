"""Writing small videos from arrays (the demo library, tests): constant rate H.264 in MP4."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def write_video(path: Path, images: Iterable[np.ndarray], rate: Fraction | int = 25) -> None:
    """Images (H, W, 3) uint8 RGB with even sides, all of one size, one after the other at `rate` a
    second; plays in browsers.
    """
    temporary = path.with_name(f".{path.stem}.part.mp4")
    with av.open(str(temporary), "w", options={"movflags": "+faststart"}) as container:
        stream = None
        for image in images:
            if stream is None:
                stream = container.add_stream(
                    "libx264", rate=rate, options={"preset": "veryfast", "crf": "23", "g": "50"}
                )
                stream.height, stream.width = image.shape[:2]
                stream.pix_fmt = "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        if stream is None:
            raise ValueError(f"no image to write to {path}")
        container.mux(stream.encode())
    temporary.replace(path)
