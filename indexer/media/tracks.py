"""Which track of a file is shown and which is heard. Index, clip, copy and player all ask here."""

from __future__ import annotations

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream


def picture_stream(container: InputContainer) -> VideoStream | None:
    """The stream that a player shows: the default one, else the first. Cover pictures and streams
    that no decoder knows are passed over.
    """
    streams = [stream for stream in picture_streams(container) if stream.codec_context]
    default = (stream for stream in streams if stream.disposition & Disposition.default)
    return next(default, streams[0] if streams else None)


def picture_streams(container: InputContainer) -> list[VideoStream]:
    """All that are no cover picture, whether a decoder knows them or not."""
    return [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]


def sound_stream(container: InputContainer) -> AudioStream | None:
    """The first sound track that can be decoded."""
    return next((s for s in container.streams.audio if is_decodable_sound(s)), None)


def is_decodable_sound(stream: Stream) -> bool:
    """Whether a decoder knows the track, and there was something of it when the file was opened: a
    track that is announced and empty has no sampling rate.
    """
    return bool(stream.codec_context and getattr(stream.codec_context, "sample_rate", 0))
