"""LEGO's record: a conversation about at most one image, video and sound each. A file of them is
JSON lines or one JSON array.

{"id": "charades_sta/3MSZA/0", "video": "videos/3MSZA.mp4", "conversations": [
    {"from": "human", "value": "<video>\\nWhen does the dog jump?"}, {"from": "gpt", "value": "The
    dog jumps in {0.09,0.15}."}]}

Times are fractions of the clip, boxes fractions of the padded square (docs/reference/records.md).
The form is that of the published code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import ijson

from grounding.errors import DataError
from grounding.records.finite_json import FiniteJson
from grounding.records.skips import Skip, SkipRow, refuse

MARKERS: Mapping[str, str] = {"image": "<image>", "video": "<video>", "sound": "<sound>"}
"""What stands for a medium in the words of a turn; the names of `grounding.lego.model.registry`."""
MEDIA_ORDER = ("sound", "video", "image")
"""Several media stand in this order, each on a line of its own, as in
`grounding.lego.preprocess.prompts`.
"""
ROLES: tuple[Literal["human"], Literal["gpt"]] = ("human", "gpt")
_RESERVED = re.compile(r"###|<(?:im|vi|so)_(?:patch|start|end)>")
_KNOWN = {"id", "conversations", "truth", *MARKERS}

OnSkip = Callable[[Skip], None]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn."""

    role: Literal["human", "gpt"]
    text: str

    def to_json(self) -> dict[str, str]:
        """As in a file."""
        return {"from": self.role, "value": self.text}


@dataclass(frozen=True, slots=True)
class Record:
    """Raises SkipRow with a reason unless it is a whole conversation that a prompt can be
    made of.
    """

    messages: tuple[Message, ...]
    media: Mapping[str, str] = field(default_factory=dict)
    """image, video, sound -> path, absolute or below a folder that the reader of the media knows.
    Empty: words only.
    """
    id: str = ""
    truth: Mapping[str, Any] = field(default_factory=dict)
    """What the answers were made from, unrounded (docs/reference/records.md): evaluation and the
    filters compare with it.
    """
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else the row held; kept when it is written again."""

    def __post_init__(self) -> None:
        _check_messages(self.messages)
        _check_media(self.media, self.messages)

    @property
    def question(self) -> str:
        """The first question without the markers of its media."""
        return without_markers(self.messages[0].text)

    @property
    def answer(self) -> str:
        """The first answer."""
        return self.messages[1].text

    def to_json(self) -> dict[str, Any]:
        """As in a file; `from_json` of it is equal."""
        named: dict[str, Any] = {"id": self.id} if self.id else {}
        named |= {name: self.media[name] for name in MARKERS if name in self.media}
        named["conversations"] = [message.to_json() for message in self.messages]
        return named | ({"truth": self.truth} if self.truth else {}) | dict(self.extra)

    @classmethod
    def from_json(cls, raw: Any) -> Record:
        """Raises SkipRow where the row is not a record."""
        if not isinstance(raw, dict):
            raise SkipRow("not a record", f"a {type(raw).__name__} instead of an object")
        media = {name: raw[name] for name in MARKERS if raw.get(name) is not None}
        truth = raw.get("truth") or {}
        if not isinstance(truth, dict):
            raise SkipRow("not a record", f"truth is a {type(truth).__name__} instead of an object")
        extra = {key: value for key, value in raw.items() if key not in _KNOWN}
        return cls(_messages(raw.get("conversations")), media, str(raw.get("id", "")), truth, extra)


def read_records(path: str | Path, on_skip: OnSkip = refuse) -> Iterator[Record]:
    """The records of a JSON array or of JSON lines. A row that is not a record goes to `on_skip`; a
    broken array ends in a DataError.
    """
    for where, row in read_rows(path, on_skip):
        try:
            yield Record.from_json(row)
        except SkipRow as skip:
            on_skip(skip.at(where))


def read_rows(path: str | Path, on_skip: OnSkip = refuse) -> Iterator[tuple[str, Any]]:
    """(where, JSON value) for every element of an array, or every line that is not blank. Memory
    does not grow with the file.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} does not exist")
    with path.open("rb") as file:
        start = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    yield from _array_rows(path) if start.startswith(b"[") else _line_rows(path, on_skip)


def _line_rows(path: Path, on_skip: OnSkip) -> Iterator[tuple[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            where = f"{path}:{number}"
            try:
                row = json.loads(line.decode("utf-8-sig"))
            except (ValueError, RecursionError) as error:
                on_skip(Skip("not JSON", where, str(error)))
                continue
            yield where, row


def _array_rows(path: Path) -> Iterator[tuple[str, Any]]:
    number = 0
    with path.open("rb") as file:
        if file.read(3) != b"\xef\xbb\xbf":
            file.seek(0)
        try:
            for number, row in enumerate(ijson.items(FiniteJson(file), "item", use_float=True), 1):
                yield f"{path}[{number - 1}]", row
        except (ijson.JSONError, ValueError) as error:
            raise DataError(
                f"{path} is broken after {number} rows: {json_fault(error)}; nothing behind that "
                "place can be read"
            ) from error


def json_fault(error: Exception) -> str:
    """What a parser says is wrong with a file, on one line."""
    return " ".join(str(error).split())


def with_markers(question: str, media: Mapping[str, str] | Sequence[str]) -> str:
    """The markers of the media in the model's order, each on a line of its own, then the question.

    >>> with_markers("Where is it?", ["image", "sound"])
    '<sound>\\n<image>\\nWhere is it?'
    """
    return "\n".join([*(MARKERS[name] for name in MEDIA_ORDER if name in media), question])


def without_markers(text: str) -> str:
    """The text without the markers of media and the spaces around it."""
    for marker in MARKERS.values():
        text = text.replace(marker, "")
    return text.strip()


def single_turn(question: str, answer: str, media: Mapping[str, str], **named: Any) -> Record:
    """A record of one question, to which the markers are added, and its answer."""
    return Record(
        (Message("human", with_markers(question, media)), Message("gpt", answer)), media, **named
    )


def _messages(raw: Any) -> tuple[Message, ...]:
    if not isinstance(raw, list) or not raw:
        raise SkipRow("no conversation")
    return tuple(_message(turn) for turn in raw)


def _message(raw: Any) -> Message:
    role, text = (raw.get("from"), raw.get("value")) if isinstance(raw, dict) else (None, None)
    if role not in ROLES or not isinstance(text, str):
        raise SkipRow("not a turn", f"{raw!r:.80}; expected from: human or gpt, value: text")
    return Message(role, text)


def _check_messages(messages: Sequence[Message]) -> None:
    if not messages or len(messages) % 2:
        raise SkipRow("no answer at the end", f"{len(messages)} turns")
    for i, message in enumerate(messages):
        if message.role != ROLES[i % 2]:
            raise SkipRow("turns do not alternate", f"turn {i + 1} is from {message.role}")
        if not without_markers(message.text):
            raise SkipRow("empty turn", f"turn {i + 1}")
        try:
            message.text.encode()
        except UnicodeEncodeError as error:
            raise SkipRow("half a character", f"turn {i + 1}: {error.reason}") from error
        reserved = _RESERVED.search(message.text)
        if reserved:
            raise SkipRow(
                "reserved words",
                f"turn {i + 1} contains {reserved.group()}, which has a meaning in prompts",
            )


def _check_media(media: Mapping[str, str], messages: Sequence[Message]) -> None:
    for name, path in media.items():
        if name not in MARKERS:
            raise SkipRow("unknown medium", f"{name}; known are {', '.join(MARKERS)}")
        if not isinstance(path, str) or not path.strip():
            raise SkipRow("medium without a path", name)
    for name, marker in MARKERS.items():
        in_questions, in_answers = (
            sum(m.text.count(marker) for m in messages if m.role == role) for role in ROLES
        )
        if in_answers:
            raise SkipRow("marker in an answer", marker)
        if in_questions != (name in media):
            raise SkipRow(
                "markers and media do not belong together",
                f"{marker} stands {in_questions} times, {name}: {media.get(name)!r}",
            )
