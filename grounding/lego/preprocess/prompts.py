"""The one form of a conversation, for asking and for training alike: system text, then turns
between `###`.

The public code trains on another text than it asks with, and its label mask drifts by a token a
turn; here both come from `render`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from grounding.errors import PromptError
from grounding.lego.model.modality import Modality
from grounding.lego.preprocess.tokenizer import LegoTokenizer

SYSTEM = (
    "A chat between a curious human and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the human's questions."
)
STOP = "###"
IGNORED = -100
MEDIA_ORDER = ("sound", "video", "image")
"""Several media in one turn stand in this order (published demo); any other modality follows."""

WHEN = "Please give me the timestamp when {}?"
EVENTS = "Please describe the events in the video in order and include the time span of each in {start,end} format."
WHERE = "Where is {} in this image? Include the object positions in [x0, y0, x1, y1] format."
WHERE_SOUND = "Where is the sound's point of emission in this image? Include the object positions in [x0, y0, x1, y1] format."
DESCRIBE: Mapping[str, str] = {
    "image": "Please describe the image and include the object positions in [x0, y0, x1, y1] format.",
    "video": "Write a concise summary of the video clip.",
    "sound": "Provide a clear and focused description of the audio's content.",
}
_QUESTION_STARTS = (
    "when",
    "at what",
    "at which",
    "please",
    "in which",
    "during",
    "what time",
    "find",
    "give",
    "identify",
    "locate",
)


@dataclass(frozen=True, slots=True)
class Turn:
    role: Literal["Human", "Assistant"]
    text: str | None
    """None: the answer that is asked for."""


def render(turns: Iterable[Turn], system: str = SYSTEM) -> str:
    """`system###Human: ...###Assistant: ...###Human: ...###Assistant:`; an answered last turn ends
    with `###`.
    """
    parts = [system]
    answered = False
    for turn in turns:
        parts.append(f"{turn.role}:" if turn.text is None else f"{turn.role}: {turn.text}")
        answered = turn.role == "Assistant" and turn.text is not None
    return STOP.join(parts) + (STOP if answered else "")


def labelled(turns: Sequence[Turn], tokenizer: LegoTokenizer) -> tuple[list[int], list[int]]:
    """Ids of an answered conversation, and labels: the ids of each answer and its closing `###`,
    -100 elsewhere.
    """
    ids = tokenizer.encode(render(turns))
    labels = [IGNORED] * len(ids)
    for i, turn in enumerate(turns):
        if turn.role == "Assistant" and turn.text is not None:
            asked, answered = (
                tokenizer.encode(render([*turns[:i], Turn("Assistant", text)]))
                for text in (None, turn.text)
            )
            if ids[: len(answered)] != answered or answered[: len(asked)] != asked:
                raise PromptError(
                    f"the answer {turn.text[:60]!r} does not begin and end at token borders"
                )
            labels[len(asked) : len(answered)] = answered[len(asked) :]
    return ids, labels


def expand_markers(text: str, modalities: Mapping[str, Modality]) -> str:
    """`<video>` and its like become placeholders of the right length."""
    for modality in modalities.values():
        text = text.replace(modality.marker, modality.placeholder.text(modality.tokens))
    return text


def media_question(question: str, names: Iterable[str], modalities: Mapping[str, Modality]) -> str:
    """The placeholders of the named media, each on a line of its own, then the question."""
    ordered = sorted(
        names, key=lambda name: MEDIA_ORDER.index(name) if name in MEDIA_ORDER else len(MEDIA_ORDER)
    )
    lines = [modalities[name].placeholder.text(modalities[name].tokens) for name in ordered]
    return "\n".join([*lines, question])


def check_question(
    question: str, tokenizer: LegoTokenizer, modalities: Mapping[str, Modality]
) -> str:
    """A person's words must not contain what structures a prompt."""
    reserved = (
        STOP,
        *tokenizer.special_tokens,
        *(modality.marker for modality in modalities.values()),
    )
    found = next((token for token in reserved if token in question), None)
    if found is not None:
        raise PromptError(
            f"a question must not contain {found!r}, which has a meaning in prompts: {question[:80]!r}"
        )
    if not question.strip():
        raise PromptError("the question is empty")
    return question.strip()


def when_question(question: str) -> str:
    """A question stays as it is; a statement ("the dog turns around") becomes one in the published
    wording.
    """
    words = question.strip()
    if words.endswith("?") or words.lower().startswith(_QUESTION_STARTS):
        return words
    return WHEN.format(words.rstrip("."))
