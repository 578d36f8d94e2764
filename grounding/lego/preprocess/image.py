"""A picture as CLIP reads it: padded to a square with CLIP's mean colour, scaled with Pillow's
bicubic filter, normalised.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from grounding.errors import CheckpointError, MediaError

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, slots=True)
class ImageTransform:
    """How pictures become the tensors that a CLIP tower reads."""

    size: int = 336
    """Side in pixels."""
    mean: tuple[float, ...] = CLIP_MEAN
    std: tuple[float, ...] = CLIP_STD

    @classmethod
    def read(cls, clip_folder: Path) -> ImageTransform:
        """From `preprocessor_config.json`, whose sizes are numbers in old files and dictionaries in
        new ones.
        """
        file = clip_folder / "preprocessor_config.json"
        if not file.is_file():
            raise CheckpointError("{file} does not exist; it comes with CLIP's weights", file=file)
        try:
            raw: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            crop = raw["crop_size"]
            size = crop["height"] if isinstance(crop, dict) else crop
            return cls(int(size), tuple(raw["image_mean"]), tuple(raw["image_std"]))
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                "{file} does not say how CLIP's pictures are prepared: {error}",
                file=file,
                error=repr(error),
            ) from error

    def __call__(self, image: np.ndarray) -> Tensor:
        """`(H, W, 3) uint8` of any size -> `(3, size, size)` float32."""
        square = Image.fromarray(pad_to_square(image, self.mean))
        scaled = np.asarray(
            square.resize((self.size, self.size), Image.Resampling.BICUBIC), dtype=np.float32
        )
        normal = (scaled / np.float32(255) - np.asarray(self.mean, np.float32)) / np.asarray(
            self.std, np.float32
        )
        return torch.from_numpy(np.ascontiguousarray(normal.transpose(2, 0, 1)))


def pad_to_square(image: np.ndarray, mean: Sequence[float] = CLIP_MEAN) -> np.ndarray:
    """`(H, W, 3) uint8` in the middle of a square of side max(H, W); an odd rest goes to the bottom
    or the right.
    """
    check_pixels("an image", image)
    height, width = image.shape[:2]
    if height == width:
        return image
    side = max(height, width)
    square = np.empty((side, side, 3), np.uint8)
    square[:] = [int(value * 255) for value in mean]
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return square


def check_pixels(what: str, pixels: np.ndarray, layout: str = "H, W, 3") -> None:
    """Raises MediaError unless `pixels` is uint8, not empty, and as `layout` says."""
    if (
        pixels.ndim != len(layout.split(","))
        or pixels.shape[-1] != 3
        or pixels.dtype != np.uint8
        or 0 in pixels.shape
    ):
        raise MediaError(
            "{what} has the shape {pixels_shape} and dtype {pixels_dtype}; expected "
            "({layout}) uint8",
            what=what,
            pixels_shape=pixels.shape,
            pixels_dtype=pixels.dtype,
            layout=layout,
        )
