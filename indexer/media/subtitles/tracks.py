"""The cues of the subtitle tracks inside a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av.error
from av.stream import Disposition

from indexer.media.duration import origin_s
from indexer.media.open import media_errors, open_container
from indexer.media.subtitles.cues import MAX_CUES, Cue, without_overrides


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """`language` as the file names it, or empty; `forced`: signs and foreign dialogue alone."""

    language: str
    forced: bool
    cues: list[Cue]


def read_tracks(path: str | os.PathLike[str]) -> list[SubtitleTrack]:
    """Those of text, in the order of the file; pictures of text (DVD, Blu-ray) have no cues. Raises
    MediaError.
    """
    with media_errors(path), open_container(path) as container:
        streams = [s for s in container.streams.subtitles if s.codec_context]
        return [
            SubtitleTrack(
                stream.language or "",
                Disposition.forced in stream.disposition,
                list(_cues(container, stream)),
            )
            for stream in streams
        ]


def _cues(container: Any, stream: Any) -> Iterator[Cue]:
    origin = origin_s(container)
    container.seek(0)
    count = 0
    for packet in container.demux(stream):
        if packet.pts is None:
            continue
        try:
            texts = [ass_text(rect.ass) for rect in packet.decode() if rect.type == b"ass"]
        except av.error.FFmpegError:  # one damaged cue
            continue
        start_s = float(packet.pts * packet.time_base - origin)
        end_s = start_s + float((packet.duration or 0) * packet.time_base)
        for text in texts:
            yield Cue(start_s, end_s, text)
        count += len(texts)
        if count >= MAX_CUES:
            return


def ass_text(line: bytes) -> str:
    """The last of the nine fields of FFmpeg's ASS event, without override codes."""
    return without_overrides(line.decode("utf-8", "replace").split(",", 8)[-1])
