"""English questions with the auxiliary in front, turned into statements in the present tense.

No tagger is at hand, so the verb after "does the dog ..." is found by a list of verbs that are seen
in videos, and by place where the list has none. A wrong guess costs one letter ("the grebe preen
its feathers"), which a sentence model forgives.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from indexer.questions.english_words import (
    ADJECTIVES,
    ADVERBS,
    AUXILIARIES,
    CATENATIVES,
    DETERMINERS,
    NOT_PARTICIPLES,
    PARTICIPLES,
    PLURALS,
    PREPOSITIONS,
    PRONOUNS,
    VERBS,
)

PRESENT = {
    "was": "is",
    "were": "are",
    "had": "has",
    "did": "does",
    "could": "can",
    "would": "will",
}
_DO = frozenset(("do", "does", "did", "can", "could", "will", "would", "should", "may", "might"))
_BE = frozenset(("is", "are", "was", "were"))
_PARTICLES = frozenset(("up", "down", "out", "off", "in", "on", "over", "away", "around"))
_DENIALS = frozenset(("not", "never", "neither"))
_PREDICATE_STARTS = (
    PREPOSITIONS
    | _DENIALS
    | {
        "a",
        "an",
        "only",
        "there",
        "visible",
        "empty",
        "alone",
    }
)
_ENDS_OF_HEAD = PREPOSITIONS | {"who", "which", "that"}
_IRREGULAR_THIRD_PERSONS = {"be": "is", "have": "has", "do": "does", "go": "goes"}


def invert(text: str) -> str:
    """`does the dog push it` -> `the dog pushes it`, `was the door opened` -> `the door is opened`;
    other text comes back as it is.
    """
    words = text.split()
    aux, negated = split_auxiliary(words[0]) if words else ("", False)
    if len(words) < 2 or aux not in AUXILIARIES or words[1:] == ["not"]:
        return text
    rest = words[1:]
    if rest[0].lower() == "not":
        rest, negated = rest[1:], True
    if aux in _BE and rest and rest[0].lower() == "there":
        return _existing(rest[1:], negated)
    if aux in _DO:
        return _do_statement(rest, aux, negated)
    split = predicate_start(rest)
    present = "have" if aux == "had" and is_plural(rest[:split]) else PRESENT.get(aux, aux)
    return " ".join([*rest[:split], present, *(["not"] if negated else []), *rest[split:]])


def split_auxiliary(word: str) -> tuple[str, bool]:
    """`doesn't` -> (`does`, True), `does` -> (`does`, False)."""
    lower = word.lower().replace("’", "'")
    irregular = {"can't": "can", "cannot": "can", "won't": "will"}
    if lower in irregular:
        return irregular[lower], True
    return lower.removesuffix("n't"), lower.endswith("n't")


def third_person(verb: str) -> str:
    """`push` -> `pushes`, `carry` -> `carries`, `have` -> `has`."""
    if verb.lower() in _IRREGULAR_THIRD_PERSONS:
        return _IRREGULAR_THIRD_PERSONS[verb.lower()]
    if re.search(r"(?:s|x|z|ch|sh|[^o]o)$", verb):
        return verb + "es"
    return verb[:-1] + "ies" if re.search(r"[^aeiou]y$", verb) else verb + "s"


def subject_length(words: Sequence[str]) -> int:
    """Number of words before the finite verb of a statement, 0 where none is known:
    [the, big, dog, barks] -> 3.
    """
    lower = [word.lower().strip(",") for word in words]
    earliest = _earliest_verb(lower)
    for i in range(earliest, len(lower)):
        if lower[i] in AUXILIARIES or lower[i] in THIRD_PERSONS:
            return i
        if lower[i] in VERBS and is_plural(words[:i]):
            return i
    return 0


def verb_position(words: Sequence[str]) -> int:
    """Where the base verb stands after `does`: [the, big, dog, push, the, skateboard] -> 3."""
    lower = [word.lower().strip(",") for word in words]
    if lower[0] in PRONOUNS and not (
        lower[0] in DETERMINERS and len(lower) > 2 and lower[1] not in VERBS
    ):
        return _before_adverbs(lower, 1)
    earliest = 2 if lower[0] in DETERMINERS else 1
    for i in range(earliest, len(lower)):
        if (
            lower[i] not in VERBS
            or lower[i - 1] in DETERMINERS
            or lower[i - 1] in PREPOSITIONS - {"up", "down", "out", "off"}
        ):
            continue
        noun_before_verb = (
            i + 1 < len(lower)
            and lower[i + 1] in VERBS
            and lower[i + 1] not in _PARTICLES
            and lower[i] not in CATENATIVES
        )
        return _before_adverbs(lower, i + 1 if noun_before_verb else i)
    while earliest < len(lower) - 1 and lower[earliest - 1] in ADJECTIVES:
        earliest += 1  # [the, orange, flower, wuzzle]: the noun is still to come
    return min(earliest, len(words))


def predicate_start(words: Sequence[str]) -> int:
    """Where the predicate begins after `is`: [the, man, in, red, running, away] -> 4."""
    lower = [word.lower().strip(",") for word in words]
    earliest = (
        1
        if lower[0] in PRONOUNS and not (lower[0] in DETERMINERS and len(lower) > 2)
        else (2 if lower[0] in DETERMINERS else 1)
    )
    denials = [i for i in range(earliest, len(lower)) if lower[i] in _DENIALS]
    participles = [i for i in range(earliest, len(lower)) if is_participle(lower[i])]
    if participles:
        return min(_before_adverbs(lower, participles[0]), *denials[:1], len(words))
    places = [i for i in range(earliest, len(lower)) if _starts_predicate(lower, i)]
    return places[0] if places else len(words)


def _starts_predicate(lower: Sequence[str], i: int) -> bool:
    last = i == len(lower) - 1
    adjective = last and (lower[i] in ADJECTIVES or lower[i].endswith(("able", "ible", "ful")))
    no_longer = lower[i : i + 2] == ["no", "longer"]
    return lower[i] in _PREDICATE_STARTS or adjective or no_longer


def is_participle(word: str) -> bool:
    """`running`, `pushed`, `broken`; not `building` or `red`."""
    return word in PARTICIPLES or (
        word not in NOT_PARTICIPLES and len(word) > 4 and word.endswith(("ing", "ed"))
    )


def is_plural(subject: Sequence[str]) -> bool:
    """Whether `do` would stand with the subject: `the dogs`, `the man and the dog`, `they`."""
    lower = [word.lower() for word in subject]
    if "and" in lower:
        return True
    head_end = next(
        (i for i, word in enumerate(lower) if word in _ENDS_OF_HEAD and i > 0), len(lower)
    )
    head = lower[head_end - 1]
    return (
        head in PLURALS
        or (len(lower) > 0 and lower[0] in ("these", "those", "two", "three"))
        or bool(re.search(r"[^sui]s$", head))
    )


def is_adverb(word: str) -> bool:
    """Whether the word is a known adverb, or ends like one and is no verb."""
    return word in ADVERBS or (word.endswith("ly") and word not in VERBS)


def _existing(rest: list[str], negated: bool) -> str:
    """What is after `is there`: `isn't there a dog` -> `no dog`."""
    if not negated:
        return " ".join(rest)
    first = rest[0].lower() if rest else ""
    if first in ("anyone", "anybody"):
        return " ".join(["nobody", *rest[1:]])
    return " ".join(["no", *(rest[1:] if first in ("a", "an", "any") else rest)])


def _do_statement(rest: list[str], aux: str, negated: bool) -> str:
    split = verb_position(rest)
    if split >= len(rest):
        return " ".join(rest)
    subject, predicate = rest[:split], rest[split:]
    if predicate[0].lower() == "not":
        predicate, negated = predicate[1:], True
    singular = aux == "does" or (aux != "do" and not is_plural(subject))
    if negated:
        return " ".join([*subject, "does" if singular else "do", "not", *predicate])
    return " ".join([*subject, *(_conjugate(predicate) if singular else predicate)])


def _conjugate(predicate: list[str]) -> list[str]:
    """The first verb, and each one that `and` or `then` joins to it, in the third person. A verb
    that follows an infinitive belongs to that: `uses its paws to push off and ride`.
    """
    out = []
    infinitive = False
    for i, word in enumerate(predicate):
        lower = word.lower().strip(",")
        before = predicate[i - 1].lower().strip(",") if i else ""
        infinitive = infinitive or (lower in VERBS and before == "to")
        after_comma = i > 0 and predicate[i - 1].endswith(",")
        follows = before in ("and", "then", "or") or after_comma
        joined = follows and lower in VERBS and not infinitive
        first = all(is_adverb(w.lower()) for w in predicate[:i]) and not is_adverb(lower)
        out.append(third_person(word) if joined or first else word)
    return out


def _earliest_verb(lower: Sequence[str]) -> int:
    return 2 if lower and lower[0] in DETERMINERS and len(lower) > 1 else 1


def _before_adverbs(lower: Sequence[str], verb: int) -> int:
    """`finally push` is one predicate."""
    while verb > 1:
        if lower[verb - 2 : verb] == ["no", "longer"] and verb > 2:
            verb -= 2
        elif is_adverb(lower[verb - 1]) or lower[verb - 1] == "not":
            verb -= 1
        else:
            break
    return verb


THIRD_PERSONS = frozenset(third_person(verb) for verb in VERBS)
