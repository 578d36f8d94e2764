"""What browsers play as it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from av.stream import Stream

from indexer.media.duration import LONG_S, declared_duration_s, duration_s
from indexer.media.open import media_errors, open_container
from indexer.media.tracks import picture_stream, picture_streams, sound_stream

MP4, WEBM = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"
VIDEO = {MP4: {"h264", "vp9", "av1"}, WEBM: {"vp8", "vp9", "av1"}}
SOUND = {MP4: {"aac", "mp3", "opus", "flac"}, WEBM: {"opus", "vorbis"}}
SOUND_ONLY = {"mp3", "flac", "wav", "ogg", MP4}
SOUND_ONLY_CODECS = {"mp3", "aac", "flac", "vorbis", "opus", "pcm_s16le"}
PIXELS = {"yuv420p", "yuvj420p"}
START_SLACK_S = 0.01


def is_playable(path: str | os.PathLike[str]) -> bool:
    """Whether Chromium, Firefox and Safari play the file, with the times that we mean. Raises
    MediaError.

    A file whose clock does not begin at 0 is shown by some with that offset and by others without.
    """
    with media_errors(path), open_container(path) as container:
        videos, sounds = container.streams.video, container.streams.audio
        kind = container.format.name
        if abs((container.start_time or 0) / 1_000_000) > START_SLACK_S:
            return False
        declared_s = declared_duration_s(container) or 0.0
        if declared_s > LONG_S and declared_s > duration_s(container, path) + 1.0:
            return False  # a player would go on to where a broken clock leads
        if not picture_streams(container):  # a cover is none, and stands in no player's way
            first = sounds and _is_first(sounds, sound_stream(container, path))
            return bool(first) and kind in SOUND_ONLY and _codec(sounds[0]) in SOUND_ONLY_CODECS
        # Browsers take the first track of each kind, and fail on sound that they cannot decode.
        if not _is_first(videos, picture_stream(container)):
            return False
        if sounds and not _is_first(sounds, sound_stream(container, path)):
            return False
        picture = videos[0].codec_context
        sound_ok = not sounds or _codec(sounds[0]) in SOUND.get(kind, ())
        return _codec(videos[0]) in VIDEO.get(kind, ()) and picture.pix_fmt in PIXELS and sound_ok


def _is_first(streams: Sequence[Stream], chosen: Stream | None) -> bool:
    return chosen is not None and streams[0].index == chosen.index


def _codec(stream: Any) -> str:
    """`av1`, whichever library decodes it."""
    return stream.codec_context.codec.canonical_name
