"""Moments as files for other programs: a table, an edit decision list (CMX 3600), a playlist."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from indexer.search.types import Moment

EDL_RATE = 25


def as_csv(moments: Sequence[Moment]) -> bytes:
    """UTF-8 with a byte order mark, which Excel needs to read it as such. A part that a person cut
    out by hand has no score: there it is NaN.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["video_id", "title", "file", "collection", "start_s", "end_s", "score", "evidence"]
    )
    for moment in moments:
        evidence = "; ".join(f"{e.kind}: {e.text}" if e.text else e.kind for e in moment.evidence)
        score = "" if math.isnan(moment.score) else f"{moment.score:.4f}"
        numbers = [f"{moment.span.start_s:.3f}", f"{moment.span.end_s:.3f}", score]
        writer.writerow(
            [
                moment.video_id,
                _cell(moment.title),
                _cell(moment.path),
                _cell(moment.collection),
                *numbers,
                _cell(evidence),
            ]
        )
    return out.getvalue().encode("utf-8-sig")


def as_edl(moments: Sequence[Moment]) -> bytes:
    """One cut after the other, at 25 frames a second; the clip's name is in a comment, as editors
    expect.
    """
    lines = ["TITLE: Seekpoint", "FCM: NON-DROP FRAME", ""]
    at = 0
    for number, moment in enumerate(moments, 1):
        start, end = round(moment.span.start_s * EDL_RATE), round(moment.span.end_s * EDL_RATE)
        end = max(end, start + 1)
        times = " ".join(_timecode(frame) for frame in (start, end, at, at + end - start))
        lines += [
            f"{number:03d}  AX       V     C        {times}",
            f"* FROM CLIP NAME: {_line(moment.path.rpartition('/')[2])}",
            "",
        ]
        at += end - start
    return "\n".join(lines).encode()


def as_playlist(moments: Sequence[Moment]) -> bytes:
    """Extended M3U with the start and stop times that VLC and mpv understand."""
    lines = ["#EXTM3U"]
    for moment in moments:
        lines += [
            f"#EXTINF:{moment.span.length_s:.0f},{_line(moment.title)}",
            f"#EXTVLCOPT:start-time={moment.span.start_s:.3f}",
            f"#EXTVLCOPT:stop-time={moment.span.end_s:.3f}",
            _line(moment.path),
        ]
    return ("\n".join(lines) + "\n").encode()


def _timecode(frames: int) -> str:
    seconds, frame = divmod(frames, EDL_RATE)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frame:02d}"


def _cell(text: str) -> str:
    """A spreadsheet must not take a file's name for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _line(text: str) -> str:
    """One line: a name with a line break must not become an entry of its own."""
    return "".join(c if c.isprintable() else " " for c in text)
