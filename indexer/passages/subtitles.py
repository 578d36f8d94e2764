"""Subtitles that a video already has, in the file or beside it, as speech passages; and passages as
subtitles.
"""

from __future__ import annotations

import html
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
# of the video that subtitles cover at least; fewer are signs and foreign dialogue alone, and speech
# is recognised
_FULL_SHARE = 0.05
_CONTIGUOUS_S = 0.1
_ISO_639 = (  # -2 (and the bibliographic codes of old files) to -1
    "ara:ar bul:bg cat:ca ces:cs cze:cs chi:zh zho:zh cmn:zh dan:da deu:de ger:de ell:el gre:el eng:en est:et fas:fa per:fa "
    "fin:fi fra:fr fre:fr heb:he hin:hi hrv:hr hun:hu ind:id ita:it jpn:ja kor:ko lav:lv lit:lt nld:nl dut:nl nor:no nob:no "
    "pol:pl por:pt ron:ro rum:ro rus:ru slk:sk slo:sk slv:sl spa:es srp:sr swe:sv tha:th tur:tr ukr:uk vie:vi "
)
_ISO = {pair[:3]: pair[4:] for pair in _ISO_639.split()}


_CODE_PAGES = {  # of files that are not UTF-8, by the language in their names
    **dict.fromkeys(
        ["da", "de", "en", "es", "fi", "fr", "id", "it", "nl", "no", "pt", "sv"], "cp1252"
    ),
    **dict.fromkeys(["cs", "hr", "hu", "pl", "ro", "sk", "sl"], "cp1250"),
    **dict.fromkeys(["bg", "ru", "sr", "uk"], "cp1251"),
    "el": "cp1253",
    "tr": "cp1254",
    "he": "cp1255",
    "ar": "cp1256",
}
_KINDS = frozenset(
    {"forced", "sdh", "cc", "hi", "default", "full", "auto", "orig"}
)  # what media servers put behind the language
_TIME_TAG = re.compile(r"<\d+(?::\d\d){1,2}\.\d{3}>")  # captions that light up word by word
_ASIDE = re.compile(r"^(?:NOTE|STYLE|REGION)\b.*?(?:\n[ \t]*\n|\Z)", re.DOTALL | re.MULTILINE)
_DRAWING = re.compile(r"\{[^}]*\\p[1-9][^}]*\}.*?(?:\{[^}]*\\p0[^}]*\}|\Z)", re.DOTALL)


def find_subtitles(
    path: str | os.PathLike[str], duration_s: float, language: str = ""
) -> list[Passage]:
    """The subtitles that stand in for recognition: files beside the video first, then its tracks;
    empty when it has none that suffice.

    `language` (such as de) is preferred, then English, then what comes first. A side file or a
    track that cannot be read is passed over as long as another can; when none can, MediaError of
    the first.
    """
    failures: list[MediaError] = []
    candidates: list[list[Passage]] = []
    for side in side_files(path):
        try:
            candidates.append(read_side_file(side))
        except MediaError as error:
            failures.append(error)
    found = _preferred(candidates, duration_s, language) or _preferred(
        read_tracks(path), duration_s, language
    )
    if not found and failures:
        raise failures[0]
    return [replace(p, end_s=min(p.end_s, duration_s)) for p in found if p.start_s < duration_s]


def side_files(path: str | os.PathLike[str]) -> list[Path]:
    """`talk.srt`, `talk.en.vtt`, ... beside `talk.mp4`, in order of their names."""
    video = Path(path)
    try:
        texts, others = _listed(video.parent, video.parent.stat().st_mtime_ns)
    except OSError:  # a folder that may be passed through but not listed
        return []
    return [p for p in texts if _belongs(p.stem, video.stem, others) and p.is_file()]


@lru_cache(maxsize=64)
def _listed(folder: Path, changed_ns: int) -> tuple[tuple[Path, ...], frozenset[str]]:
    """Files that are called like subtitles, and the stems of all others; listed once for all videos
    of a folder, until a name changes.
    """
    del changed_ns
    files = sorted(folder.iterdir())
    texts = tuple(p for p in files if p.suffix.lower() in SIDE_SUFFIXES)
    return texts, frozenset(p.stem for p in files if p.suffix.lower() not in SIDE_SUFFIXES)


def side_files_changed_s(path: str | os.PathLike[str]) -> float:
    """When the last of the side files came to its place or was written (Unix time); 0 where there
    is none.
    """
    return max(
        (
            max(status.st_mtime, status.st_ctime)
            for status in (side.stat() for side in side_files(path))
        ),
        default=0.0,
    )


def read_side_file(path: Path) -> list[Passage]:
    """The cues of an SRT, VTT, ASS or SSA file. Raises MediaError when it is none or is too large."""
    from pysubs2 import SSAFile

    if path.stat().st_size > _MAX_BYTES:
        raise MediaError(
            "{path} has more than {detail} MB",
            "Subtitles are text; check that it is one of them",
            path=path,
            detail=_MAX_BYTES // 1_000_000,
        )
    endings = path.stem.lower().split(".")[1:]
    language = next((known for known in map(_language, reversed(endings)) if known), None)
    text = _decode(path.read_bytes(), language)
    try:
        subtitles = SSAFile.from_string(
            _ASIDE.sub("", text) if path.suffix.lower() == ".vtt" else text
        )
    except (
        Exception
    ) as error:  # the parser tries many formats, and raises whatever a strange file leads to
        said = f"{type(error).__name__}: {error}"
        raise MediaError(
            "cannot read {path} as subtitles: {said}",
            "SRT, VTT, ASS and SSA are read",
            path=path,
            said=said,
        ) from error
    events = [e for e in subtitles if not e.is_comment and not e.is_drawing]
    return _cues(((e.start / 1000, e.end / 1000, e.plaintext) for e in events), language)


def read_tracks(path: str | os.PathLike[str]) -> list[list[Passage]]:
    """The cues of each text track, those marked as forced last; pictures of text (DVD, Blu-ray) are
    left out. Raises MediaError.
    """
    from av.stream import Disposition

    from indexer.media.open import media_errors, open_container

    with media_errors(path), open_container(path) as container:
        streams = [s for s in container.streams.subtitles if s.codec_context]
        streams.sort(key=lambda s: Disposition.forced in s.disposition)
        tracks = [
            _cues(_track_cues(container, stream), _language(stream.language or ""))
            for stream in streams
        ]
    return [track for track in tracks if track]


def write_srt(passages: Iterable[Passage], file: TextIO) -> None:
    """SubRip, in order of time; a cue lasts at least a millisecond."""
    for number, one in enumerate(sorted(passages, key=lambda p: (p.start_s, p.end_s)), 1):
        end_s = max(one.end_s, one.start_s + 0.001)
        text = " ".join(one.text.split()).replace("-->", "->")
        file.write(f"{number}\n{_srt_time(one.start_s)} --> {_srt_time(end_s)}\n{text}\n\n")


def write_json_lines(passages: Iterable[Passage], file: TextIO, **about: object) -> None:
    """One JSON object a line; `about` (video, path, collection ...) comes first in each. Words are
    [start_s, end_s, text].
    """
    for one in passages:
        row: dict[str, object] = {
            **about,
            "kind": one.kind,
            "start_s": one.start_s,
            "end_s": one.end_s,
            "text": one.text,
        }
        row |= {"language": one.language, "confidence": one.confidence}
        if one.words is not None:
            row["words"] = [[w.start_s, w.end_s, w.text] for w in one.words]
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _belongs(stem: str, video: str, others: frozenset[str]) -> bool:
    """`talk`, `talk.en`, `talk.en.forced`, `talk.whatever`; not what belongs to another file, such
    as `talk.part2`.
    """
    if stem == video:
        return True
    endings = stem[len(video) + 1 :].split(".")
    if not stem.startswith(video + ".") or any(
        ".".join([video, *endings[:n]]) in others for n in range(1, len(endings) + 1)
    ):
        return False
    return len(endings) == 1 or all(
        _language(ending) or ending.lower() in _KINDS for ending in endings
    )


def _preferred(tracks: Iterable[list[Passage]], duration_s: float, language: str) -> list[Passage]:
    full = [
        track for track in tracks if sum(p.span.length_s for p in track) >= _FULL_SHARE * duration_s
    ]
    order = [language, "en"]
    return min(
        full,
        key=lambda t: order.index(t[0].language) if t[0].language in order else len(order),
        default=[],
    )


def _decode(data: bytes, language: str | None) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("utf-8-sig", "replace")
    broken = text.count("\ufffd")
    if 4 * broken <= sum(not c.isascii() for c in text) - broken:  # UTF-8 with a damaged place
        return text
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")) and language in _CODE_PAGES:
        return data.decode(_CODE_PAGES[language], "replace")
    from charset_normalizer import from_bytes

    best = from_bytes(data).best()
    return str(best) if best is not None else data.decode("latin-1")


def _language(name: str) -> str | None:
    """ISO 639-1 from `en`, `eng`, `en-GB`; None for anything else (`forced`, `und`)."""
    short = re.split(r"[-_]", name.lower())[0]
    return _ISO.get(short, short if short in _ISO.values() else None)


def _track_cues(container: Any, stream: Any) -> Iterable[tuple[float, float, str]]:
    import av.error

    from indexer.media.duration import origin_s

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
    text = _DRAWING.sub("", line.decode("utf-8", "replace").split(",", 8)[-1])
    return (
        re.sub(r"\{[^}]*\}", "", text).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
    )


def _cues(events: Iterable[tuple[float, float, str]], language: str | None) -> list[Passage]:
    """Cues in order of time, one passage each. Captions that roll repeat the line above: it is told
    once.
    """
    passages: list[Passage] = []
    before: list[str] = []
    for start_s, end_s, text in sorted(events):
        lines = [" ".join(_said(line).split()) for line in text.splitlines()]
        lines = [line for line in lines if line]
        rolled = (
            _rolled(before, lines)
            if passages and start_s - passages[-1].end_s <= _CONTIGUOUS_S
            else 0
        )
        before = lines
        if not lines or end_s <= max(0.0, start_s):
            continue
        if rolled == len(lines):
            passages[-1] = replace(passages[-1], end_s=max(passages[-1].end_s, end_s))
            continue
        span = Span(max(0.0, start_s), end_s)
        passages.append(
            Passage("speech", span.start_s, span.end_s, " ".join(lines[rolled:]), language)
        )
    return passages


def _said(line: str) -> str:
    """Without marks of time and direction, and with characters for their names."""
    return re.sub("[\u200e\u200f\u202a-\u202e]", "", html.unescape(_TIME_TAG.sub("", line)))


def _rolled(before: list[str], lines: list[str]) -> int:
    """How many of the first `lines` ended the cue before."""
    return next(
        (n for n in range(min(len(before), len(lines)), 0, -1) if before[-n:] == lines[:n]), 0
    )


def _srt_time(seconds: float) -> str:
    whole = round(max(0.0, seconds) * 1000)
    return f"{whole // 3_600_000:02d}:{whole // 60_000 % 60:02d}:{whole // 1000 % 60:02d},{whole % 1000:03d}"
