"""A clip as EVA-CLIP reads it: up to 64 frames spread evenly, the whole of each scaled to a
square, normalised.

The public code feeds inference through its training transform: a random crop, bicubic overshoot
that wraps around when it is cast to uint8. Here the whole frame is kept and overshoot is clamped;
`wrap` repeats the public cast, for comparison with it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from grounding.lego.preprocess.image import CLIP_MEAN, CLIP_STD, check_pixels
from grounding.lego.preprocess.sampling import frame_indices


def clip_tensor(frames: np.ndarray, size: int, max_frames: int) -> Tensor:
    """`(N, H, W, 3) uint8` of any length and size -> `(3, T, size, size)` float32 with T <=
    max_frames.
    """
    check_pixels("a clip", frames, "N, H, W, 3")
    chosen = frames[frame_indices(len(frames), max_frames)[:max_frames]]
    return scale(
        _shrink(torch.from_numpy(np.ascontiguousarray(chosen)).permute(0, 3, 1, 2), size), size
    )


def scale(frames: Tensor, size: int, *, wrap: bool = False) -> Tensor:
    """`(T, 3, H, W) uint8` -> `(3, T, size, size)` float32: bicubic, cut to whole grey levels,
    normalised with CLIP's mean.
    """
    sized = functional.interpolate(
        frames.float(), (size, size), mode="bicubic", align_corners=False, antialias=False
    )
    levels = sized.to(torch.int32) % 256 if wrap else sized.clamp(0, 255).to(torch.int32)
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in (CLIP_MEAN, CLIP_STD))
    return (levels.permute(1, 0, 2, 3) / 255 - mean) / std


def _shrink(frames: Tensor, size: int) -> Tensor:
    """From twice the wanted size on, plain bicubic skips pixels; the public code lets its video
    reader scale such frames first.
    """
    if min(frames.shape[-2:]) < 2 * size:
        return frames
    sized = functional.interpolate(
        frames.float(), (size, size), mode="bicubic", align_corners=False, antialias=True
    )
    return sized.round().clamp(0, 255).to(torch.uint8)
