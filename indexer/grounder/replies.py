"""What language models write, read as spans, boxes, events and texts.

Models think aloud, put JSON into fences and forget brackets. What can be read is read; ReplyError
says why the rest cannot. Times are seconds from the start of the window; whoever knows the window
clamps them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grounding.language_model.json_text import values
from grounding.lego.generate.answers import Box

MAX_TITLE = 80  # characters
MAX_TEXT = 4000  # of an answer or an event; more is a model that runs on
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_ANSWER = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL)
_TIME = r"(\d{1,20}(?::\d{1,2}){0,2}(?:\.\d{1,20})?)"
_UNIT = r"\s{0,9}(?:s|secs?|seconds?)?\s{0,9}"
_RANGE = re.compile(rf"(?<!\d){_TIME}{_UNIT}(?:-|–|—|to|and|until)\s{{0,9}}{_TIME}")

Pair = tuple[float, float]


class ReplyError(ValueError):
    """An answer that is not what was asked for."""


@dataclass(frozen=True, slots=True)
class TimedText:
    """A sentence about `start_s` to `end_s` of the window."""

    start_s: float
    end_s: float
    text: str


def read_spans(text: str) -> list[Pair]:
    """{"spans": [[start, end], ...]}, or the list alone."""
    return _pairs(_member(text, "spans"))


def read_spans_in_words(text: str) -> list[Pair]:
    """ "... 12.4 - 18.7 seconds", the first first, or as `read_spans`; empty where no time is
    named.
    """
    answer = _spoken(text)
    try:
        return read_spans(answer)
    except ReplyError:
        found = (tuple(map(_seconds, match.groups())) for match in _RANGE.finditer(answer))
        return [pair for pair in found if _is_pair(pair)]  # type: ignore[return-value]


def read_shown(text: str) -> float:
    """{"shown": bool, "confidence": number} as the probability that it is shown."""
    found = _object(text, "shown")
    shown, confidence = found["shown"], found.get("confidence", 1.0)
    if isinstance(shown, str):
        shown = {"yes": True, "true": True, "no": False, "false": False}.get(shown.lower())
    if not isinstance(shown, bool):
        raise ReplyError('"shown" is neither true nor false')
    sure = _number(confidence)
    if sure is None:
        raise ReplyError('"confidence" is not a number')
    sure = min(max(sure / 100 if sure > 1 else sure, 0.5), 1.0)
    return sure if shown else 1 - sure


def read_events(text: str) -> list[TimedText]:
    """{"events": [{"start", "end", "text"}, ...]}, or the list alone."""
    found = _member(text, "events")
    events = [event for event in map(_event, found) if event is not None]
    if found and not events:
        raise ReplyError("no event has a start, an end and a text")
    return events


def read_boxes(text: str) -> list[Box]:
    """{"boxes": [[left, top, right, bottom], ...]} in thousandths, or the list alone, or objects
    with "bbox_2d" as Qwen-VL writes them; none twice, none empty.
    """
    return _boxes(_member(text, "boxes"))


def read_answer(text: str) -> tuple[str, list[Pair]]:
    """{"answer": "...", "spans": [...]}; the spans may lack."""
    found = _object(text, "answer")
    return _sentence(found["answer"]), _pairs(found.get("spans") or [])


def read_frame_answer(text: str) -> tuple[str, list[Box]]:
    """{"answer": "...", "boxes": [...]}; the boxes may lack."""
    found = _object(text, "answer")
    return _sentence(found["answer"]), _boxes(found.get("boxes") or [])


def read_title(text: str) -> str:
    """{"title": "..."}, or a line of text, without quotes and full stop."""
    try:
        title = _sentence(_object(text, "title")["title"])
    except ReplyError:
        lines = [line for line in _spoken(text).splitlines() if line.strip()]
        if len(lines) != 1 or "{" in lines[0]:
            raise
        title = lines[0]
    title = " ".join(title.strip(" \"'“”*#").rstrip(".").split())
    if not title or len(title) > MAX_TITLE:
        raise ReplyError(f"a title has 1 to {MAX_TITLE} characters")
    return title


def _spoken(text: str) -> str:
    """Without what a model only thought."""
    spoken = _THOUGHT.sub(" ", text)
    answer = _ANSWER.search(spoken)
    return (answer[1] if answer else spoken).strip()


def _object(text: str, member: str) -> Mapping[str, Any]:
    found = (value for value in values(_spoken(text)) if isinstance(value, dict))
    best = next((value for value in found if member in value), None)
    if best is None:
        raise ReplyError(f'there is no JSON object with "{member}"')
    return best


def _member(text: str, member: str) -> Sequence[Any]:
    for value in values(_spoken(text)):
        if isinstance(value, dict) and isinstance(value.get(member), list):
            return value[member]
        if isinstance(value, list):
            return value
    raise ReplyError(f'there is no JSON object with a list "{member}"')


def _pairs(found: Sequence[Any]) -> list[Pair]:
    """Of a list of pairs, or of one pair alone. Raises ReplyError where nothing in a list that is
    not empty is a pair.
    """
    if not isinstance(found, list):
        raise ReplyError("spans are no list")
    numbers = list(_numbers_in(found))
    entries = [found] if len(found) == 2 and len(numbers) == 2 else found
    pairs = [pair for pair in map(_pair, entries) if _is_pair(pair)]
    if entries and not pairs:
        raise ReplyError("no span has a start before its end")
    return pairs  # type: ignore[return-value]


def _numbers_in(found: Sequence[Any]) -> Iterator[float]:
    for value in found:
        number = _seconds(value)
        if number is not None:
            yield number


def _pair(value: Any) -> tuple[float | None, ...]:
    if isinstance(value, dict):
        return _seconds(_first(value, "start", "start_s", "start_time")), _seconds(
            _first(value, "end", "end_s", "end_time")
        )
    return tuple(map(_seconds, value)) if isinstance(value, list) else ()


def _is_pair(pair: Sequence[float | None]) -> bool:
    return len(pair) == 2 and None not in pair and pair[0] < pair[1]  # type: ignore[operator]


def _first(value: Mapping[str, Any], *names: str) -> Any:
    return next((value[name] for name in names if name in value), None)


def _event(value: Any) -> TimedText | None:
    if not isinstance(value, dict):
        return None
    pair, text = _pair(value), _first(value, "text", "event", "description", "caption")
    if not _is_pair(pair) or not isinstance(text, str) or not text.strip():
        return None
    return TimedText(pair[0], pair[1], shorten(" ".join(text.split())))  # type: ignore[arg-type]


def _boxes(found: Any) -> list[Box]:
    if not isinstance(found, list):
        raise ReplyError("boxes are no list")
    entries = [found] if len(found) == 4 and len(list(_numbers_in(found))) == 4 else found
    boxes = [box for box in map(_box, entries) if box is not None]
    if entries and not boxes:
        raise ReplyError("no box has a left, a top, a right and a bottom")
    return list(dict.fromkeys(box for box in boxes if box.x1 < box.x2 and box.y1 < box.y2))


def _box(value: Any) -> Box | None:
    if isinstance(value, dict):
        value = _first(value, "bbox_2d", "box_2d", "box", "bbox")
    numbers = [_number(one) for one in value] if isinstance(value, list) else []
    if len(numbers) != 4 or None in numbers:
        return None
    # Fractions are meant where no number is above one: a box of a thousandth has no meaning.
    scale = 1.0 if max(numbers) <= 1 else 1000.0  # type: ignore[type-var]
    x1, y1, x2, y2 = (min(max(one / scale, 0.0), 1.0) for one in numbers)  # type: ignore[operator]
    return Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))


def _sentence(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ReplyError("the text is empty")
    return shorten(value.strip())


def shorten(text: str) -> str:
    """Its first MAX_TEXT characters."""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _seconds(value: Any) -> float | None:
    """A number of seconds, also as text: "12.5", "12.5 s", "1:05"."""
    if not isinstance(value, str):
        return _number(value)
    parts = re.fullmatch(rf"\s*{_TIME}{_UNIT}", value)
    if parts is None:
        return None
    seconds = 0.0
    for part in parts[1].split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) and abs(value) < 1e9 else None
