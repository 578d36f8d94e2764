"""What is known about a file of video before it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from indexer.messages import Message

Track = tuple[int, str | None, str]


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """`width`, `height` in pixels as displayed (rotation and pixel aspect applied); both 0 where
    there is sound only.

    Tracks are (index among tracks of that kind, language or None, codec); those of sound can be
    decoded. `duration_s` counts from the container's start. `rotation` is how far a player turns
    the pictures clockwise: 0, 90, 180 or 270 degrees. `fps` is the average rate. `picture_index`
    and `sound_index` number the streams of the file that are shown and heard. `restarts`: the clock
    of the file starts again on the way. `picture_late_s` and `sound_late_s`: how long after the
    container these streams begin. `timed`: packets have times. `matrix`: of the colours, as
    ffmpeg names the one to take instead of one that it does not know. `undecoded`: the codecs of
    its pictures, where none of them decodes. `notes` are sentences for whoever adds the file.
    """

    duration_s: float
    width: int
    height: int
    fps: float | None
    codec: str
    audio_tracks: tuple[Track, ...]
    subtitle_tracks: tuple[Track, ...]
    container: str
    start_s: float
    rotation: int
    recorded_at: datetime | None
    title: str | None
    picture_index: int | None = None
    sound_index: int | None = None
    restarts: bool = False
    picture_late_s: float = 0.0
    sound_late_s: float = 0.0
    timed: bool = True
    matrix: str = ""
    undecoded: str = ""
    notes: tuple[Message, ...] = ()
