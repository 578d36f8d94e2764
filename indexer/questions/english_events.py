"""One English question about several events, cut into one question for each.

Only questions in the order of a question are cut (`does he enter and then sit down`), and only
between what would be two scenes: other subjects, or one after the other. Verbs that share subject
and time (`open and close the door`, `leap up and catch the ball`) stay together, as in a caption.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from indexer.questions.english_inversion import (
    THIRD_PERSONS,
    is_adverb,
    is_participle,
    predicate_start,
    split_auxiliary,
    subject_length,
    verb_position,
)
from indexer.questions.english_words import AUXILIARIES, DETERMINERS, VERBS

_THEN = re.compile(
    r"(?:[,.] | and,? |, and |; | - )"
    r"(?:then|after that|afterwards|after this|later|finally)(?: on)?,? ",
    re.IGNORECASE,
)
_FIRST = re.compile(
    r"^(?:at )?first(?:ly| of all)?,? (?=(?:the|a|an|his|her|their|its|one|he|she|they|it|we|i|you|"
    r"some\w+|every\w+|people|two|three|[A-Z]\w+) )",
    re.IGNORECASE,
)
_AND_SUBJECT = re.compile(
    r",? (?:and|while) (?=(?:the|a|an|his|her|their|its|another|one|he|she|they|it|someone|"
    r"somebody|everyone|everybody|people) )",
    re.IGNORECASE,
)
_SUBJECT_PRONOUNS = frozenset(("he", "she", "they", "it"))
_BE = frozenset(("is", "are", "was", "were"))


def english_events(question: str) -> list[str]:
    """Questions with their auxiliary in front: `does he enter and then sit down` -> [`does he
    enter`, `does he sit down`]. What has none in front comes back alone, as it is.
    """
    words = question.split()
    if len(words) < 2 or split_auxiliary(words[0])[0] not in AUXILIARIES:
        return [question]
    first, *later = _THEN.split(question)
    if any(_is_noun_phrase(step) for step in later):  # open the fridge and then the oven
        return _split_coordinated(question)
    subject = _subject(words)
    steps = [first, *(_complete(step, words[0], subject) for step in later)]
    return [event for step in steps for event in _split_coordinated(step)]


def told_events(text: str, *, when: bool = False) -> list[str]:
    """Statements that are told in their order: `First the door opens, then a man walks in` -> [`the
    door opens`, `a man walks in`]. One that does not say what is first is cut only where a question
    asks `when` of it.
    """
    first, *later = _THEN.split(_FIRST.sub("", text))
    ordered = when or first.endswith(" first") or bool(_FIRST.match(text))
    if not later or not ordered or any(_is_noun_phrase(step) for step in later):
        return [text]
    first = first.removesuffix(" first")
    subject = " ".join(first.split()[: subject_length(first.split())])
    return [first, *(_repeat_subject(step, subject) for step in later)]


def _repeat_subject(step: str, subject: str) -> str:
    """A later step that begins with its verb has the subject of the first."""
    verb = next((word for word in step.lower().split() if not is_adverb(word)), "")
    return f"{subject} {step}" if verb in THIRD_PERSONS or is_participle(verb) else step


def _is_noun_phrase(step: str) -> bool:
    """Whether a later step has no verb: it shares the one before."""
    words = [word.lower().strip(",") for word in step.split()]
    return words[0] in DETERMINERS and not any(
        word in VERBS or word in THIRD_PERSONS or is_participle(word) for word in words[1:]
    )


def _subject(words: Sequence[str]) -> str:
    """Of a question that begins with its auxiliary."""
    rest = words[1:]
    end = (predicate_start if _is_be(words[0]) else verb_position)(rest)
    return " ".join(rest[:end])


def _complete(step: str, auxiliary: str, subject: str) -> str:
    """A later step as a question of its own: with the auxiliary, and a subject."""
    words = step.split()
    if split_auxiliary(words[0])[0] in AUXILIARIES:
        return step
    verb = next((word.lower() for word in words if not is_adverb(word.lower())), "")
    if verb in VERBS or is_participle(verb):
        return f"{auxiliary} {subject} {step}"
    if verb in THIRD_PERSONS:
        return f"{subject} {step}"
    states = any(word.lower() in THIRD_PERSONS for word in words[1:])
    return step if states else f"{auxiliary} {step}"


def _split_coordinated(question: str) -> list[str]:
    """`does the dog jump and the cat sleep` -> [`does the dog jump`, `does the cat sleep`]."""
    words = question.split()
    for match in _AND_SUBJECT.finditer(question):
        left, right = question[: match.start()].split(), question[match.end() :].split()
        if words[0].lower() in _BE:
            two = _has_participle(left[1:]) and _has_participle(right)
        else:
            two = len(left) > 2 and _is_clause(left, right)
        if two:
            return [" ".join(left), *_split_coordinated(" ".join([words[0], *right]))]
    return [question]


def _has_participle(words: Sequence[str]) -> bool:
    start = predicate_start(words) if len(words) > 1 else len(words)
    return start < len(words) and words[start].lower().strip(",").endswith("ing")


def _is_clause(left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether `right` has a verb of its own. After an object a lone verb may be a noun: `paint the
    wall and the door handle`.
    """
    verb = verb_position(right)
    if verb >= len(right) or right[verb].lower().strip(",") not in VERBS:
        return False
    start = verb_position(left[1:]) + 1
    if start >= len(left):
        return False
    has_object = any(word.lower() in DETERMINERS for word in left[start + 1 :])
    return right[0].lower() in _SUBJECT_PRONOUNS or not has_object or verb < len(right) - 1


def _is_be(word: str) -> bool:
    return split_auxiliary(word)[0] in _BE
