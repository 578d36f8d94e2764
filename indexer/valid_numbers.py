"""Numbers from outside that make sense."""

from __future__ import annotations

import math

from indexer.errors import UsageError


def require_top(top: int) -> None:
    """Of the moments that are wanted at most. Raises UsageError."""
    if top < 1:
        raise UsageError(
            "{top} moments cannot be shown", "ask for one moment or more (`top`)", top=top
        )


def require_newest(newest: int | None) -> None:
    """Of the videos that are wanted at most; None: all. Raises UsageError."""
    if newest is not None and newest < 0:
        raise UsageError(
            "{newest} videos cannot be listed", "ask for none or more (`newest`)", newest=newest
        )


def require_time(at_s: float) -> None:
    """Of a time in a video, in seconds. Raises UsageError."""
    if not (math.isfinite(at_s) and at_s >= 0):
        raise UsageError(
            "there is no time {at_s} s in a video", "times begin at 0 (`at_s`)", at_s=at_s
        )
