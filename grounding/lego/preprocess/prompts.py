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
"""The label of a token that the loss leaves out, as transformers has it."""
MEDIA_ORDER = ("sound", "video", "image")
"""Several media in one turn stand in this order (published demo); any other modality follows."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side says."""

    role: Literal["Human", "Assistant"]
    text: str | None
    """None: the answer that the model is to write."""


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


def encode_with_labels(
    turns: Sequence[Turn], tokenizer: LegoTokenizer
) -> tuple[list[int], list[int]]:
    """Ids of an answered conversation, and labels: the ids of each answer and its closing `###`,
    `IGNORED` elsewhere. Raises PromptError where an answer shares a token with what surrounds it.
    """
    ids = tokenizer.encode(render(turns))
    labels = [IGNORED] * len(ids)
    for i, turn in enumerate(turns):
        if turn.role == "Assistant" and turn.text is not None:
            before, after = (
                tokenizer.encode(render([*turns[:i], Turn("Assistant", text)]))
                for text in (None, turn.text)
            )
            if ids[: len(after)] != after or after[: len(before)] != before:
                raise PromptError(
                    "the answer {text} does not begin and end at token borders",
                    text=repr(turn.text[:60]),
                )
            labels[len(before) : len(after)] = after[len(before) :]
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
    """A person's words without spaces around them. Raises PromptError for an empty question and
    for one with a token that structures a prompt.
    """
    reserved = (
        STOP,
        *tokenizer.special_tokens,
        *(modality.marker for modality in modalities.values()),
    )
    found = next((token for token in reserved if token in question), None)
    if found is not None:
        raise PromptError(
            "a question must not contain {found}, which has a meaning in prompts: {question}",
            found=repr(found),
            question=repr(question[:80]),
        )
    if not question.strip():
        raise PromptError("the question is empty")
    return question.strip()
