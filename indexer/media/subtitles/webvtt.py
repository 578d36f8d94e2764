"""WebVTT as the specification says to parse it (https://www.w3.org/TR/webvtt1/#file-parsing): cues
with or without identifiers and settings; notes, styles and regions are passed over.

No cue is lost for what is wrong elsewhere in the file, and one without its first line is read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.media.subtitles.cues import MAX_CUES, MAX_LINE, Cue, without_tags

_STAMP = r"(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})[.,](\d{3})"
_TIMING = re.compile(rf"[ \t]{{0,100}}{_STAMP}[ \t]{{0,100}}-->[ \t]{{0,100}}{_STAMP}(?!\d)")


def parse_webvtt(text: str) -> list[Cue]:
    """The cues in the order of the file."""
    cues: list[Cue] = []
    for block in _blocks(text):
        cue = _cue(block)
        if cue is not None:
            cues.append(cue)
            if len(cues) >= MAX_CUES:
                break
    return cues


def _blocks(text: str) -> Iterator[list[str]]:
    """Lines between empty ones. A second line of times begins another block, with the identifier
    that may stand before it left behind, and so does one after two lines of a header or a note.
    """
    text = text.replace("\x00", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    block: list[str] = []
    timed = False
    for line in text.split("\n"):
        times = "-->" in line[:MAX_LINE]
        if not line or (times and (timed or len(block) >= 2)):
            if block:
                yield block
            block, timed = [], False
        if line:
            block.append(line)
            timed = timed or times
    if block:
        yield block


def _cue(block: list[str]) -> Cue | None:
    """None where the first two lines have no times: a header, note, style or region."""
    for number, line in enumerate(block[:2]):
        match = _TIMING.match(line[:MAX_LINE])
        if match:
            start, end = match.groups()[:4], match.groups()[4:]
            return Cue(_seconds(start), _seconds(end), without_tags("\n".join(block[number + 1 :])))
        if "-->" in line:
            return None
    return None


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in parts)
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000
