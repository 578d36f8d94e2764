"""Passages as subtitles, and as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TextIO

from indexer.passages.base import Passage


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


def _srt_time(seconds: float) -> str:
    rest_s, milliseconds = divmod(round(max(0.0, seconds) * 1000), 1000)
    return f"{rest_s // 3600:02d}:{rest_s // 60 % 60:02d}:{rest_s % 60:02d},{milliseconds:03d}"
