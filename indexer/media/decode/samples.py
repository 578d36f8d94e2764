"""The pictures of a span that somebody wants, chosen and scaled while it is decoded."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from indexer.errors import MediaError
from indexer.media.decode.decoder import EPSILON_S, Picture
from indexer.media.decode.frames import Frames
from indexer.media.geometry import Scaler
from indexer.media.shots import ShotPictures
from indexer.paths import printable

_GRID_EPSILON = 1e-9


class Sizes(Protocol):
    """A file, how large its pictures become, and how many bytes of them there may be at once."""

    path: str | os.PathLike[str]
    max_bytes: int

    def scaler(self, picture: Picture, short_side: int | None) -> Scaler:
        """What brings a picture to `short_side` pixels; None: as it is."""
        ...


class Chosen:
    """Scaled pictures as they are chosen; the decoded ones are let go at once."""

    def __init__(self, sizes: Sizes, short_side: int | None) -> None:
        self._sizes, self._short_side = sizes, short_side
        self._images: list[np.ndarray] = []
        self._times_s: list[float] = []
        self._durations_s: list[float] = []

    def __len__(self) -> int:
        return len(self._images)

    def add(self, picture: Picture) -> None:
        """Takes a picture, scaled."""
        self.add_scaled(self.scaled(picture), picture.time_s, picture.duration_s)

    def scaled(self, picture: Picture) -> np.ndarray:
        """(H, W, 3) uint8 RGB, without taking it."""
        return self._sizes.scaler(picture, self._short_side).rgb(picture.frame)

    def add_scaled(self, image: np.ndarray, time_s: float, duration_s: float) -> None:
        """Takes an image (H, W, 3) uint8 RGB. Raises MediaError where that makes too many bytes."""
        if (len(self._images) + 1) * image.nbytes > self._sizes.max_bytes:
            raise MediaError(
                "{path}: more than {count} pictures of {height} x {width} at once",
                "ask for a shorter span, a lower rate or a smaller short_side",
                path=printable(self._sizes.path),
                count=len(self._images),
                height=image.shape[1],
                width=image.shape[0],
            )
        self._images.append(image)
        self._times_s.append(time_s)
        self._durations_s.append(duration_s)

    def frames(self) -> Frames:
        """All that was taken, in the order of taking."""
        if not self._images:
            return Frames.empty()
        return Frames(np.stack(self._images), np.array(self._times_s), np.array(self._durations_s))


@dataclass(slots=True)
class Sample:
    """The pictures of one sampling. `unseen` is the first picture of a shot that has none chosen
    yet.
    """

    chosen: Chosen
    start_s: float
    end_s: float
    rate_hz: float
    unseen: Picture | None = None

    def offer(self, picture: Picture, *, is_first: bool, starts_shot: bool) -> None:
        """Takes the next picture of the span if it is one of those that are sampled."""
        if starts_shot:
            self.end_shot()
            self.unseen = picture
        if on_grid(picture, is_first, self.start_s, self.end_s, self.rate_hz):
            self.chosen.add(picture)
            self.unseen = None

    def end_shot(self) -> None:
        """Takes the first picture of the shot that ends, if none of it was taken."""
        if self.unseen is not None:
            self.chosen.add(self.unseen)
            self.unseen = None


def collect(
    shots: ShotPictures, start_s: float, end_s: float, samples: Sequence[Sample]
) -> list[float]:
    """Offers the pictures of the span to each sample and returns its cuts."""
    cuts: list[float] = []
    for shot in shots:
        picture = shot.picture
        if picture.time_s >= end_s - EPSILON_S:
            break
        starts_shot = bool(shot.starts_shot) and picture.time_s >= start_s - EPSILON_S
        if starts_shot:
            cuts.append(picture.time_s)
        for sample in samples:
            sample.offer(picture, is_first=shot.is_first, starts_shot=starts_shot)
        if picture.end_s > end_s + EPSILON_S:
            break
        shots.advance()
    for sample in samples:
        sample.end_shot()
    return cuts


def on_grid(picture: Picture, is_first: bool, start_s: float, end_s: float, rate_hz: float) -> bool:
    """Whether this is the picture shown at some k / rate_hz in [start_s, end_s). The first of all
    is shown before its time too.
    """
    shown_from_s = -math.inf if is_first else picture.time_s - EPSILON_S
    grid_s = math.ceil(max(start_s, shown_from_s) * rate_hz - _GRID_EPSILON) / rate_hz
    return grid_s < min(end_s - _GRID_EPSILON, picture.end_s - EPSILON_S)
