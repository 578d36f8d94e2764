"""Subtitles that a video already has, in the file or beside it, as speech passages; and passages as subtitles."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

from grounding.spans import Span
from indexer.errors import MediaError
from indexer.passages.base import Passage

SIDE_SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")
_MAX_BYTES = 20_000_000
_FULL_SHARE = 0.05  # of the video that subtitles cover at least; fewer are signs and foreign dialogue alone, and speech is recognised
_CONTIGUOUS_S = 0.1
_ISO_639 = (  # -2 (and the bibliographic codes of old files) to -1
    "ara:ar bul:bg cat:ca ces:cs cze:cs chi:zh zho:zh cmn:zh dan:da deu:de ger:de ell:el gre:el eng:en est:et fas:fa per:fa "
    "fin:fi fra:fr fre:fr heb:he hin:hi hrv:hr hun:hu ind:id ita:it jpn:ja kor:ko lav:lv lit:lt nld:nl dut:nl nor:no nob:no "
    "pol:pl por:pt ron:ro rum:ro rus:ru slk:sk slo:sk slv:sl spa:es srp:sr swe:sv tha:th tur:tr ukr:uk vie:vi "
)
_ISO = {pair[:3]: pair[4:] for pair in _ISO_639.split()}


def find_subtitles(path: str | os.PathLike[str], duration_s: float, language: str = "") -> list[Passage]:
    """The subtitles that stand in for recognition: files beside the video first, then its tracks; empty when it has none that suffice.

    `language` (such as de) is preferred, then English, then what comes first. A side file or a track that cannot be read is passed over
    as long as another can; when none can, MediaError of the first.
    """
    failures: list[MediaError] = []
    candidates: list[list[Passage]] = []
    for side in side_files(path):
        try:
            candidates.append(read_side_file(side))
        except MediaError as error:
            failures.append(error)
    found = _preferred(candidates, duration_s, language) or _preferred(read_tracks(path), duration_s, language)
    if not found and failures:
        raise failures[0]
    return [replace(p, end_s=min(p.end_s, duration_s)) for p in found if p.start_s < duration_s]


def side_files(path: str | os.PathLike[str]) -> list[Path]:
    """`talk.srt`, `talk.en.vtt`, ... beside `talk.mp4`, in order of their names."""
    video = Path(path)
    try:
        beside = _texts_in(video.parent, video.parent.stat().st_mtime_ns)
    except OSError:  # a folder that may be passed through but not listed
        return []
    return [p for p in beside if _belongs(p.stem, video.stem) and p.is_file()]


@lru_cache(maxsize=64)
def _texts_in(folder: Path, changed_ns: int) -> tuple[Path, ...]:
    """Files in a folder that are called like subtitles; listed once for all of its videos, until a name in it changes."""
    del changed_ns
    return tuple(sorted(p for p in folder.iterdir() if p.suffix.lower() in SIDE_SUFFIXES))


def side_files_changed_s(path: str | os.PathLike[str]) -> float:
    """When the last of the side files came to its place or was written (Unix time); 0 where there is none."""
    return max((max(status.st_mtime, status.st_ctime) for status in (side.stat() for side in side_files(path))), default=0.0)


def read_side_file(path: Path) -> list[Passage]:
    """The cues of an SRT, VTT, ASS or SSA file. Raises MediaError when it is none or is too large."""
    from pysubs2 import SSAFile
    from pysubs2.exceptions import Pysubs2Error

    if path.stat().st_size > _MAX_BYTES:
        raise MediaError(f"{path} has more than {_MAX_BYTES // 1_000_000} MB", "Subtitles are text; check that it is one of them")
    text = _decode(path.read_bytes())
    try:
        subtitles = SSAFile.from_string(text)
    except (Pysubs2Error, ValueError, IndexError, OverflowError) as error:
        raise MediaError(f"cannot read {path} as subtitles: {error}", "SRT, VTT, ASS and SSA are read") from error
    ending = path.stem.rpartition(".")[2].lower()
    events = [e for e in subtitles if not e.is_comment and not e.is_drawing]
    return _cues(((e.start / 1000, e.end / 1000, e.plaintext) for e in events), _language(ending) if "." in path.stem else None)


def read_tracks(path: str | os.PathLike[str]) -> list[list[Passage]]:
    """The cues of each text track, those marked as forced last; pictures of text (DVD, Blu-ray) are left out. Raises MediaError."""
    from av.stream import Disposition

    from indexer.media.safety import media_errors, open_container

    with media_errors(path), open_container(path) as container:
        streams = [s for s in container.streams.subtitles if s.codec_context]
        streams.sort(key=lambda s: Disposition.forced in s.disposition)
        tracks = [_cues(_track_cues(container, stream), _language(stream.language or "")) for stream in streams]
    return [track for track in tracks if track]


def write_srt(passages: Iterable[Passage], file: TextIO) -> None:
    """SubRip, in order of time; a cue lasts at least a millisecond."""
    for number, one in enumerate(sorted(passages, key=lambda p: (p.start_s, p.end_s)), 1):
        end_s = max(one.end_s, one.start_s + 0.001)
        text = " ".join(one.text.split()).replace("-->", "->")
        file.write(f"{number}\n{_srt_time(one.start_s)} --> {_srt_time(end_s)}\n{text}\n\n")


def write_json_lines(passages: Iterable[Passage], file: TextIO, **about: object) -> None:
    """One JSON object a line; `about` (video, path, collection ...) comes first in each. Words are [start_s, end_s, text]."""
    for one in passages:
        row: dict[str, object] = {**about, "kind": one.kind, "start_s": one.start_s, "end_s": one.end_s, "text": one.text}
        row |= {"language": one.language, "confidence": one.confidence}
        if one.words is not None:
            row["words"] = [[w.start_s, w.end_s, w.text] for w in one.words]
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _belongs(stem: str, video: str) -> bool:
    return stem == video or (stem.startswith(video + ".") and "." not in stem[len(video) + 1 :])


def _preferred(tracks: Iterable[list[Passage]], duration_s: float, language: str) -> list[Passage]:
    full = [track for track in tracks if sum(p.span.length_s for p in track) >= _FULL_SHARE * duration_s]
    order = [language, "en"]
    return min(full, key=lambda t: order.index(t[0].language) if t[0].language in order else len(order), default=[])


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(data).best()
        return str(best) if best is not None else data.decode("latin-1")


def _language(name: str) -> str | None:
    """ISO 639-1 from `en`, `eng`, `en-GB`; None for anything else (`forced`, `und`)."""
    short = re.split(r"[-_]", name.lower())[0]
    return _ISO.get(short, short if short in _ISO.values() else None)


def _track_cues(container: Any, stream: Any) -> Iterable[tuple[float, float, str]]:
    import av.error

    from indexer.media.pictures import origin_s

    origin = origin_s(container)
    container.seek(0)
    for packet in container.demux(stream):
        if packet.pts is None:
            continue
        try:
            texts = [_ass_text(rect.ass) for rect in packet.decode() if rect.type == b"ass"]
        except av.error.FFmpegError:  # one damaged cue
            continue
        start_s = float(packet.pts * packet.time_base - origin)
        end_s = start_s + float((packet.duration or 0) * packet.time_base)
        yield from ((start_s, end_s, text) for text in texts)


def _ass_text(line: bytes) -> str:
    """The last of the nine fields of FFmpeg's ASS event, without override codes."""
    text = line.decode("utf-8", "replace").split(",", 8)[-1]
    return re.sub(r"\{[^}]*\}", "", text).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")


def _cues(events: Iterable[tuple[float, float, str]], language: str | None) -> list[Passage]:
    """Cues in order of time, one passage each. Captions that roll repeat the line above: it is told once."""
    passages: list[Passage] = []
    before: list[str] = []
    for start_s, end_s, text in sorted(events):
        lines = [" ".join(line.split()) for line in text.splitlines()]
        lines = [line for line in lines if line]
        rolled = _rolled(before, lines) if passages and start_s - passages[-1].end_s <= _CONTIGUOUS_S else 0
        before = lines
        if not lines or end_s <= max(0.0, start_s):
            continue
        if rolled == len(lines):
            passages[-1] = replace(passages[-1], end_s=max(passages[-1].end_s, end_s))
            continue
        span = Span(max(0.0, start_s), end_s)
        passages.append(Passage("speech", span.start_s, span.end_s, " ".join(lines[rolled:]), language))
    return passages


def _rolled(before: list[str], lines: list[str]) -> int:
    """How many of the first `lines` ended the cue before."""
    return next((n for n in range(min(len(before), len(lines)), 0, -1) if before[-n:] == lines[:n]), 0)


def _srt_time(seconds: float) -> str:
    whole = round(max(0.0, seconds) * 1000)
    return f"{whole // 3_600_000:02d}:{whole // 60_000 % 60:02d}:{whole // 1000 % 60:02d},{whole % 1000:03d}"
