"""What a language model is asked about pictures: the wording, the JSON that answers, and how it is
read.

Times are seconds from the start of the window, written before each picture: textual times between
the pictures ground best (TimeLens, arXiv 2512.14698, section 4). Boxes are thousandths of the
picture, as Qwen3-VL was trained to write them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from indexer.grounder import replies

T = TypeVar("T")
REVISION = 1  # counts changes of wording that make stored events worth replacing

_SECONDS = {"type": "number", "minimum": 0}
_SPAN = {"type": "array", "items": _SECONDS, "minItems": 2, "maxItems": 2}
_TEXT = {"type": "string"}
_BOX = {
    "type": "array",
    "items": {"type": "integer", "minimum": 0, "maximum": 1000},
    "minItems": 4,
    "maxItems": 4,
}


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


@dataclass(frozen=True, slots=True)
class Task(Generic[T]):
    """`wording` is a template with the fields `asked` and `length_s`; `read` raises ReplyError for
    an answer that is none.
    """

    name: str
    wording: str
    schema: Mapping[str, Any]
    read: Callable[[str], T]
    answer_tokens: int = 512

    def ask(self, asked: str = "", length_s: float = 0.0) -> str:
        """The wording about something, for pictures of `length_s` seconds."""
        return self.wording.format(asked=asked, length_s=length_s)


_TIMES = (
    "These are pictures of a video of {length_s:.1f} seconds; before each stands its time in "
    "seconds. "
)
WHEN = Task(
    "when",
    _TIMES + "When does this happen: {asked}\nAnswer with JSON: "
    '{{"spans": [[start, end], ...]}} with the start and end of each time that it happens, in '
    "seconds, the most certain first; an empty list where it does not happen.",
    _object(spans=_list(_SPAN)),
    replies.read_spans,
)
WHEN_IN_WORDS = Task(
    "when",
    "Please find the visual event described by the sentence '{asked}', determining its starting "
    "and ending times. The format should be: 'The event happens in <start time> - <end time> "
    "seconds'.",
    WHEN.schema,
    replies.read_spans_in_words,
    answer_tokens=64,
)
"""The wording that TimeLens was trained with (its model card)."""
SHOWN = Task(
    "shown",
    _TIMES + "Do they show this: {asked}\nAnswer with JSON: "
    '{{"shown": true or false, "confidence": number}} where confidence, from 0.5 to 1, is the '
    "probability that your answer is right.",
    _object(shown={"type": "boolean"}, confidence={"type": "number", "minimum": 0, "maximum": 1}),
    replies.read_shown,
    answer_tokens=64,
)
SHOWN_IN_A_WORD = "Do these pictures show this: {asked}\nAnswer with yes or no only."
EVENTS = Task(
    "events",
    _TIMES + "Describe in English what happens, event by event, in order. Answer with JSON: "
    '{{"events": [{{"start": seconds, "end": seconds, "text": "one sentence"}}, ...]}}. '
    "Tell what can be seen and nothing else; write one event where nothing changes.",
    _object(events=_list(_object(start=_SECONDS, end=_SECONDS, text=_TEXT))),
    replies.read_events,
    answer_tokens=1024,
)
WHERE = Task(
    "where",
    "Where in the picture is this: {asked}\nAnswer with JSON: "
    '{{"boxes": [[left, top, right, bottom], ...]}} in thousandths of the picture\'s width and '
    "height, one for each that there is; an empty list where there is none.",
    _object(boxes=_list(_BOX)),
    replies.read_boxes,
)
ANSWER = Task(
    "answer",
    _TIMES + "{asked}\nAnswer in the language of the question, in one or two sentences, with "
    'JSON: {{"answer": "...", "spans": [[start, end], ...]}} where spans are the times in seconds '
    "that show it, an empty list where none does.",
    _object(answer=_TEXT, spans=_list(_SPAN)),
    replies.read_answer,
)
ANSWER_FRAME = Task(
    "answer_frame",
    "{asked}\nAnswer about the picture in the language of the question, in one or two sentences, "
    'with JSON: {{"answer": "...", "boxes": [[left, top, right, bottom], ...]}} where boxes, in '
    "thousandths of the picture's width and height, are around what the answer names, an empty "
    "list where it names nothing.",
    _object(answer=_TEXT, boxes=_list(_BOX)),
    replies.read_frame_answer,
)
CHAPTER = Task(
    "chapter",
    _TIMES + "They are one part of a longer video. {asked}Name the part, as a chapter in a table "
    'of contents: two to seven words. Answer with JSON: {{"title": "..."}}',
    _object(title=_TEXT),
    replies.read_title,
    answer_tokens=64,
)
HEARD = (
    'This is said or written in it:\n"""\n{words}\n"""\nThe title is in the language of these '
    "words. "
)
CORRECTION = "That is not the JSON that was asked for: {reason}. Answer again, with the JSON alone."
