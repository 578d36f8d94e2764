"""Pictures of answers: the very frame that is the evidence, and five frames of a moment side by
side. They are made when they are first looked at, and kept.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from grounding.spans import Span
from indexer.catalog import videos
from indexer.context import Context
from indexer.media.files import MediaFiles
from indexer.media.output.thumbnails import still, strip

SIDE = 640
STRIP_FRAMES = 5
STRIP_SIZE = 160, 90
KEPT = 400  # of a video: 10 MB


def find_still(context: Context, video_id: int, place: float | Span) -> Path | None:
    """The picture of a time in seconds or of a span, where it was made already."""
    path = context.artefacts.still(video_id, _name(place))
    return path if path.exists() else None


def make_still(context: Context, video_id: int, place: float | Span) -> Path:
    """WebP of the frame shown at a time in seconds, or of `STRIP_FRAMES` frames spread over a span.
    Raises CatalogError, MediaError, StorageError.
    """
    if (known := find_still(context, video_id, place)) is not None:
        return known
    if isinstance(place, Span):
        shares = (np.arange(STRIP_FRAMES) + 0.5) / STRIP_FRAMES
        times_s = list(place.start_s + shares * place.length_s)
        picture = strip(_frames(context, video_id, times_s, 2 * STRIP_SIZE[1]), STRIP_SIZE)
    else:
        picture = still(_frames(context, video_id, [place], SIDE)[0], SIDE)
    context.artefacts.write_still(video_id, _name(place), picture, KEPT)
    return context.artefacts.still(video_id, _name(place))


def _name(place: float | Span) -> str:
    times_s = (place.start_s, place.end_s) if isinstance(place, Span) else (place,)
    return "-".join(f"{round(time_s * 1000):09d}" for time_s in times_s)


def _frames(context: Context, video_id: int, times_s: list[float], side: int) -> list[np.ndarray]:
    """The frames at these times, not much smaller than `side`."""
    with context.catalog.read() as session:
        video = videos.get_video(session, video_id)
    narrow = min(video.width, video.height) / max(video.width, video.height, 1)
    short_side = round(side * narrow) if narrow else side
    last_s = max(0.0, video.duration_s - 0.001)
    at_s = np.clip(np.array(times_s, np.float64), 0.0, last_s)
    with MediaFiles(context.settings) as media:
        return list(
            media.frames_at(context.path_of(video), at_s, short_side=max(short_side, 2)).images
        )
