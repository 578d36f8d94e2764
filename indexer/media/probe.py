"""What a file is, from its header, a picture and a piece of sound."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import av.error
from av.container import InputContainer
from av.format import Flags
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from indexer.errors import MediaError
from indexer.media.clock import restarting_clock
from indexer.media.duration import duration_s, origin_s
from indexer.media.geometry import Orientation, displayed_size, known_matrix, orientation
from indexer.media.open import MAX_PIXELS, check_pixels, media_errors, open_container, packets
from indexer.media.tracks import (
    INTERLEAVED_PACKETS,
    is_decodable_sound,
    picture_codecs,
    picture_stream,
    sound_stream,
)
from indexer.messages import Message
from indexer.paths import printable
from indexer.video_info import Track, VideoInfo

_PACKETS_TO_TRY = 1000  # until one picture or one piece of sound is decoded


def probe(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> VideoInfo:
    """Raises MediaError for what is not a readable file with a picture or sound that decodes."""
    with media_errors(path), open_container(path, max_pixels) as container:
        video, sound = picture_stream(container), sound_stream(container, path)
        if sound is not None and not _has_sound(path, sound.index):
            sound = None
        picture = _first_picture(path, video, max_pixels) if video else None
        turn = orientation(picture) if picture else Orientation()
        width, height = _size(video, picture, turn) if video and picture else (0, 0)
        if not (width and height):
            width, height = 0, 0
            if sound is None:
                raise _nothing_decodes(path, container, max_pixels)
        shown = video if width else None
        return VideoInfo(
            duration_s=max(duration_s(container, path), _late_end_s(container, shown, picture)),
            width=width,
            height=height,
            fps=float(shown.average_rate) if shown and shown.average_rate else None,
            codec=(shown or sound).codec_context.name,  # pyright: ignore[reportOptionalMemberAccess]
            audio_tracks=_sound_tracks(container) if sound else (),
            subtitle_tracks=_tracks(container.streams.subtitles),
            container=container.format.name,
            start_s=float(origin_s(container)),
            rotation=-turn.quarters % 4 * 90,
            recorded_at=_recorded_at(container.metadata.get("creation_time")),
            title=container.metadata.get("title", "").strip() or None,
            picture_index=shown.index if shown else None,
            sound_index=sound.index if sound else None,
            restarts=restarting_clock(path) is not None,
            picture_late_s=_late_s(container, shown),
            sound_late_s=_late_s(container, sound),
            timed=not container.format.flags & Flags.no_timestamps.value,
            matrix=known_matrix(picture) if picture else "",
            undecoded="" if picture else ", ".join(picture_codecs(container)),
            notes=_notes(path, container, picture),
        )


def _late_s(container: InputContainer, stream: Stream | None) -> float:
    if stream is None or stream.start_time is None or not stream.time_base:
        return 0.0
    return max(0.0, float(stream.start_time * stream.time_base - origin_s(container)))


def _late_end_s(
    container: InputContainer, shown: VideoStream | None, picture: VideoFrame | None
) -> float:
    """When the last picture ends in a container without presentation times: pictures come as late
    as the first one, which the length that it declares does not count. 0 elsewhere.
    """
    if container.format.name != "avi" or shown is None or picture is None or not picture.dts:
        return 0.0
    rate = shown.average_rate
    late_s = float(picture.dts * (shown.time_base or 0))
    return float(shown.frames / rate) + late_s if rate else 0.0


def _notes(
    path: str | os.PathLike[str], container: InputContainer, picture: VideoFrame | None
) -> tuple[Message, ...]:
    if picture is None:
        codecs = ", ".join(picture_codecs(container))
        if not codecs:
            return ()
        note = Message(
            "{path}: its pictures ({codecs}) cannot be decoded, only its sound is searched",
            {"path": printable(path), "codecs": codecs},
        )
        return (note,)
    if known_matrix(picture):
        note = Message(
            "{path}: its colours (matrix {number}) are shown by the nearest known ones",
            {"path": printable(path), "number": int(picture.colorspace)},
        )
        return (note,)
    return ()


def _nothing_decodes(
    path: str | os.PathLike[str], container: InputContainer, max_pixels: int
) -> MediaError:
    codecs = ", ".join(picture_codecs(container))
    if codecs:
        return MediaError(
            "{path} holds no picture that can be decoded ({codecs})",
            _too_large_hint(max_pixels),
            path=printable(path),
            codecs=codecs,
        )
    return MediaError(
        "{path} has neither video nor sound that can be decoded",
        "check that it plays elsewhere",
        path=printable(path),
    )


def _too_large_hint(max_pixels: int) -> Message:
    return Message(
        "check that it plays elsewhere; pictures of more than {max_pixels} pixels "
        "(SEEKPOINT_MAX_FRAME_PIXELS) or that take too much memory (SEEKPOINT_READER_MEMORY_MB) "
        "are refused",
        {"max_pixels": max_pixels},
    )


def _sound_tracks(container: InputContainer) -> tuple[Track, ...]:
    every = enumerate(container.streams.audio)
    decodable = [(number, stream) for number, stream in every if is_decodable_sound(stream)]
    return tuple((i, _language(s), s.codec_context.name) for i, s in decodable)


def _tracks(streams: Sequence[Stream]) -> tuple[Track, ...]:
    return tuple(
        (i, _language(s), s.codec_context.name if s.codec_context else "unknown")
        for i, s in enumerate(streams)
    )


def _language(stream: Stream) -> str | None:
    language = stream.metadata.get("language", "und")
    return language if language != "und" else None


def _size(video: VideoStream, picture: VideoFrame, turn: Orientation) -> tuple[int, int]:
    context = video.codec_context
    size = (context.width or picture.width, context.height or picture.height)
    return displayed_size(*size, video.sample_aspect_ratio, turn.quarters % 2 == 1)


def _first_picture(
    path: str | os.PathLike[str], video: VideoStream, max_pixels: int
) -> VideoFrame | None:
    """Which has the display matrix; None where none decodes."""
    context = video.codec_context
    check_pixels(path, context.width, context.height, max_pixels)
    context.options = {**context.options, "max_pixels": str(max_pixels)}
    context.thread_count = 1
    container: Any = video.container
    return _first_frame(packets(container, video), context)


def _has_sound(path: str | os.PathLike[str], index: int) -> bool:
    """Whether a piece of the track decodes, or it may be that it begins late."""
    with open_container(path) as container:
        stream = container.streams[index]
        own: list[Packet] = []
        more = False
        with suppress(av.error.FFmpegError):  # it breaks off: what comes before may be sound
            for number, packet in enumerate(packets(container)):
                if packet.stream_index == index and len(own) < _PACKETS_TO_TRY:
                    own.append(packet)
                if more := number >= INTERLEAVED_PACKETS:
                    break
        return _first_frame(iter(own), stream.codec_context) is not None or (more and not own)


def _first_frame(source: Iterator[Packet], context: Any) -> Any:
    for _ in range(_PACKETS_TO_TRY):
        # Damage is the reader's to report; the next packet may be sound.
        try:
            packet = next(source, None)
            frames = context.decode(packet)  # None makes it give up what it holds back
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:
            continue
        if packet is None or frames:
            return frames[0] if frames else None
    return None


def _recorded_at(text: str | None) -> datetime | None:
    """When it was recorded, in UTC; None where the container says nothing, or the epoch that unset
    clocks write.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC) if moment.year > 1970 else None
