"""Subtitle files of text: SubRip (SRT), WebVTT, and ASS with its older form SSA.

The parsers are our own: those of pysubs2 take time that grows with the square of what they read, so
that a small file holds a process for a minute.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from charset_normalizer import from_bytes

from indexer.errors import MediaError, os_reason
from indexer.media.open import check_regular_file
from indexer.media.subtitles.cues import (
    DIRECTION,
    MAX_CUES,
    MAX_LINE,
    Cue,
    without_overrides,
    without_tags,
)
from indexer.media.subtitles.webvtt import parse_webvtt
from indexer.paths import printable

_MAX_BYTES = 20_000_000
_STAMP = r"(\d{1,6}):(\d{1,2}):(\d{1,2})(?:[,.:](\d{1,3}))?"
_TIMES = re.compile(
    rf"\s{{0,100}}(-?){_STAMP}\s{{0,100}}[-\u2010-\u2015]{{1,3}}>\s{{0,100}}(-?){_STAMP}(?!\d)"
)
_SPACED_MARK = re.compile(r"\s{1,5}([:,.])\s{0,5}|([:,.])\s{1,5}")
_MAX_TIMES = 300  # characters; some programs write coordinates behind the times
_ASS_STAMP = re.compile(r"\s{0,100}(-?)(\d{1,6}):(\d{1,2}):(\d{1,2})[.:](\d{1,3})")
_ASS_FIELDS = ["Start", "End", "Text"]
_DEFAULT_FIELDS = [
    "Layer",
    "Start",
    "End",
    "Style",
    "Name",
    "MarginL",
    "MarginR",
    "MarginV",
    "Effect",
    "Text",
]


def read_text_file(path: str | os.PathLike[str], code_page: str = "") -> list[Cue]:
    """The cues of a file; `code_page` is tried for one that is not UTF-8. Raises MediaError where
    it has none, or is too large.
    """
    file = check_regular_file(path)
    if file.stat().st_size > _MAX_BYTES:
        raise MediaError(
            "{path} has more than {limit_mb} MB",
            "subtitles are text; check that it is one of them",
            path=printable(path),
            limit_mb=_MAX_BYTES // 1_000_000,
        )
    cues = parse_text(decode_text(_bytes_of(file), code_page))
    if not cues:
        raise MediaError(
            "cannot read {path} as subtitles: {reason}",
            "convert it to SRT, VTT, ASS or SSA",
            path=printable(path),
            reason="it has no cue",
        )
    return cues


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise MediaError(
            "cannot read {name}: {reason}",
            "check the path and its permissions",
            name=printable(file),
            reason=os_reason(error),
        ) from None


def parse_text(text: str) -> list[Cue]:
    """The format is told by the content: file names are often wrong about it."""
    beginning = text[:1000].lstrip("\ufeff \t\r\n")
    if beginning.startswith("WEBVTT"):
        return parse_webvtt(text)
    if "[Script Info]" in beginning or "\n[Events]" in text:
        return parse_ass(text)
    return parse_srt(text) or parse_webvtt(text)


def parse_srt(text: str) -> list[Cue]:
    """SubRip. A cue ends where the next one begins, so that empty lines in it are no end."""
    cues: list[Cue] = []
    times: tuple[float, float] | None = None
    lines: list[str] = []
    for line in text.replace("\x00", "\ufffd").splitlines():
        found = _times_of(line)
        if found is None:
            lines.append(line)
            continue
        if times is not None:
            cues.append(Cue(*times, _srt_text(lines, before_times=True)))
            if len(cues) >= MAX_CUES:
                return cues
        times, lines = found, []
    if times is not None:
        cues.append(Cue(*times, _srt_text(lines, before_times=False)))
    return cues


def _times_of(line: str) -> tuple[float, float] | None:
    """Of a line of times, as translators and their programs leave it: with marks of direction, with
    spaces inside the stamps (`00: 00: 01, 000`), with a dash for the arrow's hyphens.
    """
    beginning = line[:_MAX_TIMES]
    if ">" not in beginning or ":" not in beginning:
        return None
    if not beginning.isascii():
        beginning = DIRECTION.sub("", beginning)
    match = _TIMES.match(_SPACED_MARK.sub(lambda mark: mark[1] or mark[2], beginning))
    if match is None:
        return None
    return _srt_seconds(match.groups()[:5]), _srt_seconds(match.groups()[5:])


def _srt_text(lines: list[str], *, before_times: bool) -> str:
    """Without the number of the next cue, which stands in the line before its times."""
    if before_times and lines and lines[-1].strip().isdecimal():
        lines = lines[:-1]
    return without_tags(_without_alignment("\n".join(lines)))


def _without_alignment(text: str) -> str:
    """Some programs write ASS codes, such as `{\\an8}`, into SubRip."""
    return without_overrides(text) if "{\\" in text else text


def _srt_seconds(parts: tuple[str | None, ...]) -> float:
    """From the sign, hours, minutes, seconds and their decimals."""
    hours, minutes, seconds = (int(part or 0) for part in parts[1:4])
    value = hours * 3600 + minutes * 60 + seconds + float(f"0.{parts[4] or 0}")
    return -value if parts[0] else value


def parse_ass(text: str) -> list[Cue]:
    """The dialogue of ASS or SSA; comments and drawings are left out."""
    cues: list[Cue] = []
    for fields in _dialogue(text.replace("\x00", "\ufffd")):
        start, end = (_ASS_STAMP.match(fields[name]) for name in ("Start", "End"))
        if start and end:
            plain = without_overrides(fields["Text"])
            cues.append(Cue(_srt_seconds(start.groups()), _srt_seconds(end.groups()), plain))
            if len(cues) >= MAX_CUES:
                break
    return cues


def _dialogue(text: str) -> Iterator[dict[str, str]]:
    names = _DEFAULT_FIELDS
    for line in text.splitlines():
        kind, _, rest = line[:200_000].partition(":")
        if kind == "Format":
            listed = [name.strip() for name in rest[:MAX_LINE].split(",")]
            # Those of the styles have no times.
            if all(name in listed for name in _ASS_FIELDS):
                names = listed
        elif kind == "Dialogue":
            values = rest.split(",", len(names) - 1)
            if len(values) == len(names):
                yield dict(zip(names, values, strict=True))


def decode_text(data: bytes, code_page: str = "") -> str:
    """UTF-8 if it is that but for a damaged place, else `code_page`, else the likeliest one."""
    if codec := _utf_16_without_mark(data):
        return data.decode(codec, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("utf-8-sig", "replace")
    broken = text.count("\ufffd")
    if 4 * broken <= sum(not c.isascii() for c in text) - broken:
        return text
    if code_page and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode(code_page, "replace")
    best = from_bytes(data).best()
    return str(best) if best is not None else data.decode("latin-1")


def _utf_16_without_mark(data: bytes) -> str:
    """The codec of such a file: what its stamps are made of has zeros for every other byte."""
    beginning = data[:2000]
    if beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ""
    even, odd = beginning[::2].count(0), beginning[1::2].count(0)
    if odd > 0.15 * len(beginning) and even < 0.01 * len(beginning):
        return "utf-16-le"
    if even > 0.15 * len(beginning) and odd < 0.01 * len(beginning):
        return "utf-16-be"
    return ""
