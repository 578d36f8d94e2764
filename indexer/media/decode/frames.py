"""Pictures that carry their own times, and the one function that samples them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grounding.spans import Span


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Frames:
    """Pictures with the time at which a player shows each, and for how long.

    images       (N, H, W, 3) uint8 RGB, upright
    times_s      (N,) float64, presentation time minus the container's start
    durations_s  (N,) float64, until the next picture of the video (not of this sample)
    """

    images: np.ndarray
    times_s: np.ndarray
    durations_s: np.ndarray

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.shape[-1] != 3 or self.images.dtype != np.uint8:
            raise ValueError(
                f"images must be (N, H, W, 3) uint8, not {self.images.shape} {self.images.dtype}"
            )
        if not len(self.images) == len(self.times_s) == len(self.durations_s):
            raise ValueError(
                f"{len(self.images)} images, {len(self.times_s)} times and "
                f"{len(self.durations_s)} durations do not agree"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        span = f", times_s {self.times_s[0]:.3f} to {self.times_s[-1]:.3f}" if len(self) else ""
        return f"Frames(images {self.images.shape}{span})"

    @classmethod
    def empty(cls, height: int = 0, width: int = 0) -> Frames:
        """No pictures, of this size."""
        return cls(np.empty((0, height, width, 3), np.uint8), np.empty(0), np.empty(0))


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of a video of which one picture alone was read: the keyframe that begins at
    `picture_s`, which may lie before the stretch.
    """

    span: Span
    picture_s: float


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which pictures of a span somebody wants: those on the grid k / rate_hz, scaled to
    `short_side` pixels (None: as they are).

    `keyframes_only`: of the keyframes alone. `budget`: only where something happens everything
    is decoded, at most this share of the time; of the rest come keyframes alone. None: all is.
    """

    rate_hz: float
    short_side: int | None
    keyframes_only: bool = False
    budget: float | None = None
