"""Decoded pictures one by one, each with whether it starts a shot: decided a few pictures late, handed out in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from indexer.media.cuts import KEYFRAME_SCORE, WINDOW, difference, is_cut, small_picture
from indexer.media.pictures import Picture, PictureTrack

NEEDED_BEFORE = WINDOW + 1  # pictures before one that the decision on it depends on: a score compares two


@dataclass(slots=True)
class ShotPicture:
    picture: Picture
    small: np.ndarray
    score: float | None  # difference to the picture before; None where there was none
    is_first: bool  # of the file
    starts_shot: bool = False


class ShotPictures:
    """Looks WINDOW pictures ahead of the one that is handed out; with keyframes alone a fixed threshold decides at once."""

    def __init__(self, track: PictureTrack, *, from_start: bool) -> None:
        self._window = 0 if track.keyframes_only else WINDOW
        self._source = track.pictures()
        self._from_start = from_start
        self._last: ShotPicture | None = None
        self._past: deque[float | None] = deque([None] * self._window, maxlen=self._window)
        self._ahead: deque[ShotPicture] = deque()

    def __iter__(self) -> Iterator[ShotPicture]:
        """Hands out the next picture until `advance` is called: a picture that outlasts a span begins the next one too."""
        while (shot := self.peek()) is not None:
            yield shot

    def peek(self) -> ShotPicture | None:
        while len(self._ahead) <= self._window:
            picture = next(self._source, None)
            if picture is None:
                break
            self._ahead.append(self._scored(picture))
        if not self._ahead:
            return None
        self._ahead[0].starts_shot = self._decide()
        return self._ahead[0]

    def advance(self) -> None:
        self._past.append(self._ahead.popleft().score)

    def _scored(self, picture: Picture) -> ShotPicture:
        small = small_picture(picture.frame)
        score = difference(small, self._last.small) if self._last is not None else None
        self._last = ShotPicture(picture, small, score, is_first=self._from_start and self._last is None)
        return self._last

    def _decide(self) -> bool:
        score = self._ahead[0].score
        if not self._window:
            return score is not None and score >= KEYFRAME_SCORE
        scores = [*self._past, *(shot.score for shot in list(self._ahead)[: self._window + 1])]
        if len(scores) <= 2 * self._window or None in scores:
            return False
        return is_cut(scores)  # pyright: ignore[reportArgumentType]
