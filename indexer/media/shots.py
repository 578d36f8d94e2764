"""Decoded pictures one by one, each with whether it starts a shot: decided a few pictures late,
handed out in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from indexer.media.decode.decoder import Picture, PictureTrack
from indexer.media.shot_boundaries import (
    AHEAD,
    FLASH_PICTURES,
    KEYFRAME_MIN_SCORE,
    MIN_SCORE,
    PAST,
    SmallPicture,
    difference,
    is_cut,
    is_flash,
    small_picture,
)

# pictures before one that the decision on it depends on: a score compares two
NEEDED_BEFORE = PAST + 1


@dataclass(slots=True)
class ShotPicture:
    """A decoded picture and what is known of a cut before it."""

    picture: Picture
    small: SmallPicture
    score: float  # difference to the picture before; 0 where there was none
    is_first: bool  # of the file
    starts_shot: bool | None = None  # None until it was asked for


class ShotPictures:
    """Holds AHEAD decoded pictures back to decide about the one before them; among keyframes a
    fixed threshold decides at once.
    """

    def __init__(self, track: PictureTrack) -> None:
        self._from_start = track.at_start
        self._keyframes = track.keyframes_only
        self._source = track.pictures()
        self._last: ShotPicture | None = None
        self._scores: deque[float] = deque(maxlen=PAST)
        self._smalls: deque[SmallPicture] = deque(maxlen=1 + FLASH_PICTURES)
        self._ahead: deque[ShotPicture] = deque()

    @property
    def is_settled(self) -> bool:
        """Whether enough pictures were passed, so that it decides as if it had begun earlier."""
        return len(self._scores) == PAST

    def __iter__(self) -> Iterator[ShotPicture]:
        """The same picture again until `advance` is called: one that outlasts a span begins the
        next span too.
        """
        while (shot := self._peek()) is not None:
            yield shot

    def advance(self) -> None:
        """Goes on to the next picture."""
        passed = self._ahead.popleft()
        if self._smalls:
            self._scores.append(passed.score)
        self._smalls.append(passed.small)

    def _peek(self) -> ShotPicture | None:
        while len(self._ahead) <= (0 if self._keyframes else AHEAD):
            picture = next(self._source, None)
            if picture is None:
                break
            self._ahead.append(self._score(picture))
        if not self._ahead:
            return None
        shot = self._ahead[0]
        if shot.starts_shot is None:
            shot.starts_shot = self._decide(shot)
        return shot

    def _score(self, picture: Picture) -> ShotPicture:
        small = small_picture(picture.frame)
        is_first = self._from_start and self._last is None
        self._last = ShotPicture(
            picture, small, difference(small, self._last.small) if self._last else 0.0, is_first
        )
        return self._last

    def _decide(self, shot: ShotPicture) -> bool:
        if shot.score < MIN_SCORE or not self._smalls:
            return False
        if self._keyframes:
            return shot.score >= KEYFRAME_MIN_SCORE
        following = list(self._ahead)[1:]
        if not is_cut(tuple(self._scores), shot.score, [later.score for later in following]):
            return False
        return not is_flash(tuple(self._smalls), shot.small, [later.small for later in following])
