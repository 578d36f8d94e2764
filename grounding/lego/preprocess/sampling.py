"""Which frames of a clip LEGO reads."""

from __future__ import annotations

import numpy as np


def frame_indices(frames: int, wanted: int) -> np.ndarray:
    """Indices `(N,) int64` of a uniform sample as the public code takes it: every frame if there
    are at most `wanted`; never the last otherwise.

    For a few lengths floating point yields one index more than wanted (wanted 100, 113 frames);
    `clip_tensor` takes the first ones.
    """
    count = min(wanted, frames)
    return np.arange(0, frames, frames / count).astype(int) if count else np.zeros(0, int)
