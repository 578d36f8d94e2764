"""Pictures and text as Qwen3-VL reads them.

transformers makes the inputs of videos with torchvision, which Seekpoint does without. Here they
are made with numpy and Pillow; tests compare them with its processors.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

MIN_PIXELS, MAX_PIXELS = 64 * 64, 1280 * 1280  # of a picture
_SPECIAL = re.compile(r"<\|[^|<>]*\|>")  # tokens that structure a prompt


@dataclass(frozen=True, slots=True)
class Vision:
    """Patches (P, C * T * S * S) float32 and their grid (frames, rows, columns), `frames` in pairs.

    `times_s`: of each pair, None for a picture alone.
    """

    patches: np.ndarray
    grid: tuple[int, int, int]
    times_s: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Layout:
    """What a checkpoint says of its inputs: sizes of patches in pixels and frames, and the
    tokens that stand for them.
    """

    patch: int
    merge: int
    temporal: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    image_token: int
    video_token: int

    @classmethod
    def read(cls, folder: Path, config: dict[str, Any]) -> Layout:
        """From config.json and, where it is there, preprocessor_config.json."""
        vision = config.get("vision_config", {})
        path = folder / "preprocessor_config.json"
        prepared = json.loads(path.read_text()) if path.is_file() else {}
        return cls(
            patch=vision.get("patch_size", 16),
            merge=vision.get("spatial_merge_size", 2),
            temporal=vision.get("temporal_patch_size", 2),
            mean=tuple(prepared.get("image_mean", (0.5, 0.5, 0.5))),
            std=tuple(prepared.get("image_std", (0.5, 0.5, 0.5))),
            image_token=config.get("image_token_id", 151655),
            video_token=config.get("video_token_id", 151656),
        )

    @cached_property
    def _scale(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.mean, np.float32), np.array(self.std, np.float32)

    def picture(self, image: np.ndarray) -> Vision:
        """Of (H, W, 3) uint8: as a video of one frame, which is shown twice."""
        return self._vision(image[None], None)

    def video(self, images: np.ndarray, times_s: Sequence[float]) -> Vision:
        """Of (N, H, W, 3) uint8; an odd last frame is shown twice."""
        times = [*times_s, *times_s[len(times_s) - len(times_s) % self.temporal :][-1:]]
        pairs = [times[at : at + self.temporal] for at in range(0, len(images), self.temporal)]
        return self._vision(images, tuple((pair[0] + pair[-1]) / 2 for pair in pairs))

    def _vision(self, images: np.ndarray, times_s: tuple[float, ...] | None) -> Vision:
        factor = self.patch * self.merge
        height, width = fitting_size(images.shape[1], images.shape[2], factor)
        mean, std = self._scale
        frames = np.stack([_resize(image, height, width) for image in images])
        missing = -len(frames) % self.temporal
        frames = np.concatenate([frames, np.repeat(frames[-1:], missing, axis=0)])
        pixels = (frames.astype(np.float32) / 255 - mean) / std
        count, rows, columns = len(frames) // self.temporal, height // factor, width // factor
        # (pair, frame, row, m, y, column, m, x, channel) -> patches of neighbouring rows together
        pieces = pixels.reshape(
            count, self.temporal, rows, self.merge, self.patch, columns, self.merge, self.patch, 3
        ).transpose(0, 2, 5, 3, 6, 8, 1, 4, 7)
        grid = (count, rows * self.merge, columns * self.merge)
        patches = pieces.reshape(count * grid[1] * grid[2], -1)
        return Vision(np.ascontiguousarray(patches), grid, times_s)

    def text(self, vision: Vision) -> str:
        """What stands for it in a prompt: placeholders, for a video with the time of each pair."""
        tokens = vision.grid[1] * vision.grid[2] // self.merge**2
        if vision.times_s is None:
            return f"<|vision_start|>{'<|image_pad|>' * tokens}<|vision_end|>"
        pads = f"<|vision_start|>{'<|video_pad|>' * tokens}<|vision_end|>"
        return "".join(f"<{time_s:.1f} seconds>{pads}" for time_s in vision.times_s)

    def tensors(
        self, visions: Sequence[Vision], input_ids: torch.Tensor, dtype: torch.dtype
    ) -> dict[str, torch.Tensor]:
        """The inputs of the model beside ids (B, T): patches and grids in the order of the rows,
        all pictures or all videos; and which tokens stand for them.
        """
        kinds = torch.zeros_like(input_ids)
        kinds[input_ids == self.image_token] = 1
        kinds[input_ids == self.video_token] = 2
        found = {"input_ids": input_ids, "mm_token_type_ids": kinds}
        if visions:
            is_video = visions[0].times_s is not None
            patches = torch.from_numpy(np.concatenate([one.patches for one in visions]))
            grids = torch.tensor([one.grid for one in visions], device=input_ids.device)
            name, grid = (
                ("pixel_values_videos", "video_grid_thw")
                if is_video
                else ("pixel_values", "image_grid_thw")
            )
            found |= {name: patches.to(input_ids.device, dtype), grid: grids}
        return found


def turn(role: str, text: str) -> str:
    """A finished turn of a conversation."""
    return f"<|im_start|>{role}\n{text}<|im_end|>\n"


ASSISTANT = "<|im_start|>assistant\n"
"""The turn that the model is to write."""


def plain(text: str) -> str:
    """Text of others without the tokens that structure a prompt.

    >>> plain("a dog<|im_end|> and a cat")
    'a dog  and a cat'
    """
    return _SPECIAL.sub(" ", text)


def fitting_size(height: int, width: int, factor: int) -> tuple[int, int]:
    """The nearest height and width that are multiples of `factor`, within the bounds of pixels and
    near the same shape (Qwen2-VL's `smart_resize`).
    """
    wide, high = max(width, 1), max(height, 1)
    rows, columns = round(high / factor) * factor, round(wide / factor) * factor
    if rows * columns > MAX_PIXELS:
        shrink = math.sqrt(high * wide / MAX_PIXELS)
        rows = max(factor, math.floor(high / shrink / factor) * factor)
        columns = max(factor, math.floor(wide / shrink / factor) * factor)
    elif rows * columns < MIN_PIXELS:
        grow = math.sqrt(MIN_PIXELS / (high * wide))
        rows = math.ceil(high * grow / factor) * factor
        columns = math.ceil(wide * grow / factor) * factor
    return rows, columns


def _resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    if image.shape[:2] == (height, width):
        return image
    picture = Image.fromarray(image)
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))
