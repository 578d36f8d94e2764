"""Questions with true answers, and files of predictions: our own JSON lines, QVHighlights' and
Charades-STA's formats.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from grounding.spans import ScoredSpan, Span
from indexer.errors import UsageError, os_reason

_CHARADES_LINE = re.compile(
    r"(?P<video>\S+) (?P<start>\d+(?:\.\d+)?) (?P<end>\d+(?:\.\d+)?)##(?P<query>.*)"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One question with its true answer; no windows: nothing in the library answers it.

    `video`: file name, with or without its extension; empty where no video is meant.
    """

    video: str
    query: str
    windows: tuple[Span, ...]
    kind: str = ""
    scope: str = "moment"
    corpus_unique: bool = True
    id: str = ""
    duration_s: float | None = None
    clip_ids: tuple[int, ...] = ()
    saliency: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """One line of a submission: spans as listed, and the saliency of each clip of 2 s."""

    video: str
    query: str
    spans: tuple[ScoredSpan, ...]
    id: str = ""
    saliency: tuple[float, ...] = ()


def load_rows(path: Path) -> list[Row]:
    """Rows of a file in any of the three formats, told apart line by line. A line that fits none is
    a `UsageError` that names it.
    """
    return [_read_row(text, where) for text, where in _lines(path)]


def load_predictions(path: Path) -> list[Prediction]:
    """JSON lines with `pred_relevant_windows` (QVHighlights) or `spans`: [[start, end, score],
    ...], best first.
    """
    return [_read_prediction(_parse(text, where), where) for text, where in _lines(path)]


def video_stem(video: str) -> str:
    """The name by which ground truth and library meet: `3MSZA.mp4` and `3MSZA` are one,
    `id_210.0_360.0` keeps its digits.
    """
    name = PurePath(video)
    return name.stem if re.fullmatch(r"\.[A-Za-z][A-Za-z0-9]{1,4}", name.suffix) else name.name


def identity(row: Row) -> dict[str, Any]:
    """What tells a row from the others, as JSON has it."""
    windows = [[w.start_s, w.end_s] for w in row.windows]
    return {
        "id": row.id,
        "video": row.video,
        "query": row.query,
        "kind": row.kind,
        "scope": row.scope,
        "windows": windows,
    }


def clamp(row: Row, durations: Mapping[str, float]) -> Row:
    """The row with its windows inside its video; a window that lies after the end of the video
    becomes empty and cannot be hit.
    """
    duration_s = durations.get(video_stem(row.video), row.duration_s)
    if duration_s is None:
        return row
    return replace(
        row, windows=tuple(w.clamp(0.0, duration_s) for w in row.windows), duration_s=duration_s
    )


def _read_row(text: str, where: str) -> Row:
    charades = _CHARADES_LINE.fullmatch(text)
    if charades:
        window = _span((float(charades["start"]), float(charades["end"])), where)
        return Row(charades["video"], charades["query"], (window,), id=where.rpartition(":")[2])
    record = _parse(text, where)
    windows = _field(record, ("windows", "relevant_windows"), where)
    duration_s = record.get("duration")
    return Row(
        video=_video(record, where, needed=bool(windows)),
        query=str(_field(record, ("query",), where)),
        windows=tuple(_span(window, where) for window in windows),
        kind=str(record.get("kind", "")),
        scope=str(record.get("scope", "moment")),
        corpus_unique=bool(record.get("corpus_unique", True)),
        id=str(record.get("id", record.get("qid", ""))),
        duration_s=None if duration_s is None else float(duration_s),
        clip_ids=tuple(record.get("relevant_clip_ids", ())),
        saliency=tuple(tuple(marks) for marks in record.get("saliency_scores", ())),
    )


def _read_prediction(record: dict[str, Any], where: str) -> Prediction:
    listed = _field(record, ("pred_relevant_windows", "spans"), where)
    spans = tuple(_parse_scored_span(entry, place, where) for place, entry in enumerate(listed))
    return Prediction(
        video=str(_field(record, ("video", "vid"), where)),
        query=str(_field(record, ("query",), where)),
        spans=spans,
        id=str(record.get("id", record.get("qid", ""))),
        saliency=tuple(record.get("pred_saliency_scores", ())),
    )


def _parse_scored_span(entry: Sequence[Any], place: int, where: str) -> ScoredSpan:
    """`[start, end, score]`; without a score the place in the list says which is better."""
    return ScoredSpan(_span(entry[:2], where), float(entry[2]) if len(entry) > 2 else -float(place))


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "cannot read {path}: {reason}",
            "give a file of ground truth or predictions",
            path=path,
            reason=os_reason(error),
        ) from None
    except UnicodeDecodeError:
        raise UsageError(
            "{path} is not UTF-8 text", "give a file of JSON lines or Charades-STA lines", path=path
        ) from None
    numbered = [
        (line.strip(), f"{path}:{number}")
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip()
    ]
    if not numbered:
        raise UsageError(
            "{path} has no rows", "give a file of JSON lines or Charades-STA lines", path=path
        )
    yield from numbered


def _parse(text: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise UsageError(
            "{where}: {text!r} is not a row",
            'rows are JSON objects, or Charades-STA lines "ID START END##QUERY"',
            where=where,
            text=text[:60],
        )
    return record


def _field(record: dict[str, Any], names: Sequence[str], where: str) -> Any:
    for name in names:
        if name in record:
            return record[name]
    raise UsageError(
        "{where}: the row has no {names}",
        "docs/guides/measure.md shows what a row needs",
        where=where,
        names=" or ".join(names),
    )


def _video(record: dict[str, Any], where: str, *, needed: bool) -> str:
    """Name of the video; a row that nothing answers may leave it empty or out."""
    if not needed:
        return str(record.get("video", record.get("vid")) or "")
    video = str(_field(record, ("video", "vid"), where) or "")
    if not video:
        raise UsageError(
            "{where}: the row has windows and no video",
            "name the video that they are in, or give the row no windows",
            where=where,
        )
    return video


def _span(pair: Sequence[Any], where: str) -> Span:
    try:
        start_s, end_s = (float(value) for value in pair)
        return Span(start_s, end_s)
    except (TypeError, ValueError):
        raise UsageError(
            "{where}: {pair!r} is not a span",
            "a span is [start, end] in seconds, the start first",
            where=where,
            pair=pair,
        ) from None
