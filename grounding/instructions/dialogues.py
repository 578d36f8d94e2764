"""The request to a language model to write dialogues about media that it cannot see, and its
answer as turns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grounding.datasets.questions import stable_hash
from grounding.errors import DataError
from grounding.instructions.facts import Facts
from grounding.language_model.endpoint import Message
from grounding.language_model.json_text import arrays
from grounding.records.skips import SkipRow

DEFAULT_EXAMPLES = Path(__file__).parent / "examples" / "dialogues.json"
SHOWN = 3
"""Examples in a request."""

_WRITER = (
    "You write conversations that teach an assistant to {sense}. You get notes about {what}; you "
    "yourself neither see nor hear it. Write as if both speakers {sensed} it themselves: nobody "
    "mentions notes, captions, annotations or data.\n"
)
_FORM = (
    'Answer with a JSON array and nothing else: [{"question": "...", "answer": "..."}, ...]. '
    "Say only what the notes say or what follows from them with certainty. Vary what is asked: "
    "what, who, where, when, how many, why."
)
_SPANS = (
    "Times are written {start,end} with two decimals, as fractions of the video; copy them from "
    "the "
    "notes exactly as they stand, put them behind the event that they belong to, and invent none.\n"
)
_BOXES = (
    "Places are written [x1, y1, x2, y2] with three decimals, as fractions of the image; copy them "
    "from the notes exactly as they stand, put them behind the thing that they belong to, and "
    "invent "
    "none.\n"
)
DESCRIPTIONS: Mapping[str, str] = {
    "image": _WRITER.format(
        sense="look at images and to say where things are", what="an image", sensed="saw"
    )
    + _BOXES
    + _FORM,
    "video": _WRITER.format(
        sense="watch videos and to say when things happen", what="a video", sensed="saw"
    )
    + _SPANS
    + _FORM,
    "sound": _WRITER.format(sense="listen", what="a sound", sensed="heard") + _FORM,
    "image_sound": _WRITER.format(
        sense="find in an image what it hears", what="an image and a sound", sensed="saw and heard"
    )
    + _BOXES
    + _FORM,
}
"""Media -> the task's description."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Example:
    """Facts, as a request gives them, and a dialogue about them that was written by hand."""

    facts: str
    dialogue: tuple[Exchange, ...]


def load_examples(path: str | Path = DEFAULT_EXAMPLES) -> dict[str, list[Example]]:
    """Media -> hand-made examples. Raises DataError with what is wrong."""
    try:
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
        examples = {media: [_example(one) for one in some] for media, some in raw.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} holds no examples of dialogues: {error!r}") from error
    missing = set(DESCRIPTIONS) - {media for media, some in examples.items() if some}
    if missing:
        raise DataError(f"{path} has no example for {', '.join(sorted(missing))}")
    return examples


def _example(raw: dict) -> Example:
    return Example(raw["facts"], tuple(Exchange(**turn) for turn in raw["dialogue"]))


def media_key(media: Mapping[str, str]) -> str:
    """The name of a description. Raises SkipRow for media that none is about."""
    key = "_".join(sorted(media))
    if key not in DESCRIPTIONS:
        raise SkipRow("no description for these media", key or "none")
    return key


def request(
    facts: Facts, examples: Mapping[str, Sequence[Example]], seed: int, turns: int
) -> list[Message]:
    """The description, examples that are drawn for this row, and the row. `turns` 1: a single
    question and its answer.
    """
    key = media_key(facts.media)
    fitting = [
        example for example in examples[key] if len(example.dialogue) >= min(turns, 2)
    ] or examples[key]
    chosen = sorted(fitting, key=lambda example: stable_hash(seed, facts.name, example.facts))[
        :SHOWN
    ]
    messages: list[Message] = [
        {"role": "system", "content": f"{DESCRIPTIONS[key]} {_how_many(turns)}"}
    ]
    for example in chosen:
        dialogue = [
            {"question": one.question, "answer": one.answer} for one in example.dialogue[:turns]
        ]
        messages.append({"role": "user", "content": example.facts})
        messages.append({"role": "assistant", "content": json.dumps(dialogue)})
    return [*messages, {"role": "user", "content": facts.text}]


def _how_many(turns: int) -> str:
    return (
        "Write one question and its answer."
        if turns == 1
        else f"Write two to {turns} questions with answers that build on each other."
    )


def parse_dialogue(text: str) -> list[Exchange]:
    """The first JSON array of questions and answers in the text, whatever stands around it. Raises
    SkipRow.
    """
    for value in arrays(text):
        if value and all(_is_exchange(one) for one in value):
            return [
                Exchange(" ".join(one["question"].split()), " ".join(one["answer"].split()))
                for one in value
            ]
    raise SkipRow("no dialogue in the answer", f"{text[:80]!r}")


def _is_exchange(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(name), str) for name in ("question", "answer")
    )
