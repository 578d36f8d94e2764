"""What a file is, without decoding more than one picture."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import av.error
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from indexer.errors import MediaError
from indexer.media.decode.decoder import declared_duration_s, origin_s, picture_stream, scan_packets
from indexer.media.geometry import Orientation, displayed_size, orientation
from indexer.media.open import MAX_PIXELS, check_pixels, media_errors, open_container, packets
from indexer.paths import printable
from indexer.video_info import Track, VideoInfo

_PACKETS_TO_TRY = 100  # until one picture is decoded, for its orientation


def probe(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> VideoInfo:
    """Raises MediaError for what is not a readable file with pictures or sound."""
    with media_errors(path), open_container(path, max_pixels) as container:
        video = picture_stream(container)
        audio = _tracks(container, "audio")
        if video is None and not audio:
            raise MediaError(
                "{path} has neither video nor sound that can be decoded",
                "check that it plays elsewhere",
                path=printable(path),
            )
        duration_s = _duration_s(container, path)
        turn = _orientation(path, video, max_pixels) if video else Orientation()
        width, height = _size(video, turn) if video else (0, 0)
        if not (width and height):
            if not audio:
                raise MediaError(
                    "{path} holds no picture that can be decoded",
                    _too_large_hint(max_pixels),
                    path=printable(path),
                )
            video, width, height = None, 0, 0
        return VideoInfo(
            duration_s=duration_s,
            width=width,
            height=height,
            fps=float(video.average_rate) if video and video.average_rate else None,
            codec=video.codec_context.name if video else audio[0][2],
            audio_tracks=audio,
            subtitle_tracks=_tracks(container, "subtitle"),
            container=container.format.name,
            start_s=float(origin_s(container)),
            rotation=-turn.quarters % 4 * 90,
            recorded_at=_recorded_at(container.metadata.get("creation_time")),
            title=container.metadata.get("title", "").strip() or None,
        )


def _too_large_hint(max_pixels: int) -> str:
    return (
        f"Check that it plays elsewhere; pictures of more than {max_pixels} pixels are refused "
        "(SEEKPOINT_MAX_FRAME_PIXELS)"
    )


def _tracks(container: InputContainer, kind: str) -> tuple[Track, ...]:
    streams = [s for s in container.streams if s.type == kind]
    return tuple(
        (i, _language(s), s.codec_context.name if s.codec_context else "unknown")
        for i, s in enumerate(streams)
    )


def _language(stream: Stream) -> str | None:
    language = stream.metadata.get("language", "und")
    return language if language != "und" else None


def _duration_s(container: InputContainer, path: str | os.PathLike[str]) -> float:
    """Of the container; else to the end of the stream that ends last; else from reading all packets
    (a browser's own recordings).

    Raw streams have no times at all: then the number of packets by the rate.
    """
    declared_s = declared_duration_s(container)
    if declared_s is not None:
        return declared_s
    origin = origin_s(container)
    ends = [
        (s.start_time or 0) * s.time_base + s.duration * s.time_base - origin
        for s in container.streams
        if s.duration and s.time_base
    ]
    if ends:
        return float(max(ends))
    with open_container(path) as again:
        end_s, pictures = scan_packets(again)
    video = picture_stream(container)
    rate = (video.average_rate or video.guessed_rate) if video else None
    return end_s or (float(pictures / rate) if rate else 0.0)


def _size(video: VideoStream, turn: Orientation) -> tuple[int, int]:
    context = video.codec_context
    return displayed_size(
        context.width, context.height, video.sample_aspect_ratio, turn.quarters % 2 == 1
    )


def _orientation(path: str | os.PathLike[str], video: VideoStream, max_pixels: int) -> Orientation:
    """From the first picture, which has the display matrix; upright where none decodes."""
    context = video.codec_context
    check_pixels(path, context.width, context.height, max_pixels)
    context.options = {**context.options, "max_pixels": str(max_pixels)}
    context.thread_count = 1
    source = packets(video.container, video)  # pyright: ignore[reportArgumentType]
    for _ in range(_PACKETS_TO_TRY):
        try:
            packet = next(source, None)
            frames = context.decode(packet)  # None makes it give up what it holds back
        # Damage is the reader's to report; the next packet may be sound.
        except av.error.FFmpegError:
            continue
        if packet is None or frames:
            return orientation(frames[0]) if frames else Orientation()
    return Orientation()


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
