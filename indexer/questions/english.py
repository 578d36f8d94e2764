"""English questions to statements in the present tense, by rules: captions, which embedders were
trained on, state what is seen now.

No tagger is at hand, so the verb after "does the dog ..." is found by a list of verbs that are seen
in videos, and by place where the list has none. A wrong guess costs one letter ("the grebe preen
its feathers"), which a sentence model forgives.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from indexer.questions.english_words import (
    ADVERBS,
    CATENATIVES,
    DETERMINERS,
    NOT_PARTICIPLES,
    PARTICIPLES,
    PLURALS,
    PREPOSITIONS,
    PRONOUNS,
    VERBS,
)

# ---- frames around the statement -----------------------------------------------------------------

_FILM = r"(?:video|videos|film|films|movie|clip|clips|footage|recording|recordings|library|collection|tape|stream|episode)"
_MOMENT = (
    r"(?:exact |precise |first |last |very )*(?:moment|part|scene|clip|time|point|place|spot|segment|section|footage|video|shot|frame|bit|"
    r"sequence|instance|passage|second|minute|timestamp|position|recording|occurrence|stretch)s?"
)
_IN_FILM = (
    r"(?: (?:in|of|within|during|throughout|on|from) (?:the|this|that|these|my|our|any|all(?: the| my| of the)?) (?:whole |entire )?"
    rf"{_FILM})?"
)
_LINK = (
    r"(?:when|where|in which|at which|during which|on which|that shows?|which shows?|that contains?|showing|containing|featuring|depicting|"
    r"with|of|that has|that have|which has|which have)"
)
_LEAD = (
    r"(?:(?:please|hey|hi|hello|ok|okay|so|and|well)[, ]+|"
    r"(?:can|could|would|will) you (?:please |kindly |maybe |just )?|"
    r"(?:i|we) (?:would like|want|need|wish) to (?:see|find|know|watch|view|look at|jump to|go to) |"
    r"(?:i|we)(?:'d| would) like to (?:see|find|know|watch|view) |"
    r"(?:i|we)(?:'m| am|'re| are) (?:looking|searching) for |"
    r"(?:i|we) (?:want|need) |do you (?:know|remember|see) |"
    r"(?:can|could|do|did) (?:you|we|i) (?:see|find|spot|show me|tell me) |"
    r"have (?:you|we|i) (?:ever )?(?:seen|got) |(?:you|we|i) (?:can |could )?see |"
    r"tell me |i wonder |let me see |let's see |let us see )"
)
_ORDER = (
    r"(?:show|find|get|give|fetch|jump to|go to|take me to|bring me to|skip to|fast forward to|search for|search|look for|look up|locate|"
    r"seek to|seek|retrieve|display|list|pull up|bring up|point me to|return|pinpoint|identify|detect|spot)(?: (?:me|us))?"
)
_AUX = r"(?:do|does|did|is|are|was|were|has|have|had|can|could|will|would|should|may|might|isn't|aren't|wasn't|weren't|doesn't|don't|didn't)"

_IN_FILM_NEEDED = _IN_FILM.removesuffix("?")
_WHEN = re.compile(
    rf"(?:(?:at|in|on|during|around|from|since|until|by) )?(?:what|which) (?:exact )?{_MOMENT}{_IN_FILM}(?= )|"
    rf"(?:exactly |just )?when(?: exactly)?{_IN_FILM}(?: (?:was|is) the (?:first|last|next) time(?: that)?)?(?= )|"
    r"(?:every|each|any) time(?: that)?(?= )|"
    r"the (?:exact |very )?(?:moment|instant|second)(?= (?:the|a|an|his|her|their|he|she|they|it|someone) )|"
    rf"where(?:abouts)?{_IN_FILM_NEEDED}(?= )|where(?:abouts)?(?= {_AUX} )|how long(?= {_AUX} )|"
    rf"how (?:early|late|soon|far in|far into{_IN_FILM_NEEDED})(?= {_AUX} )",
    re.IGNORECASE,
)
_ARTICLE = r"(?:(?:the|a|an|any|every|each|all|some|one|those|these)(?: of)?(?: the| those)? )?"
_MOMENT_WHERE = re.compile(rf"{_ARTICLE}{_MOMENT}{_IN_FILM} {_LINK} (?!it\b)", re.IGNORECASE)
_THERE = re.compile(
    rf"(?:is|are|was|were|isn't|aren't|wasn't|weren't) there(?: also| ever)?(?: (?:any|some) (?={_MOMENT} {_LINK})| any| some)? ",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:,? (?:please|thanks|thank you)|"
    rf",? (?:in|of|within|during|throughout) (?:the|this|that|these|my|our|any)(?: of the)? (?:whole |entire )?{_FILM}|"
    r" anywhere|,? if (?:any|at all|possible|there is one)|,? for me)$",
    re.IGNORECASE,
)

_AUXILIARY_WORDS = frozenset(_AUX[3:-1].split("|"))
_LEAD_PATTERN = re.compile(_LEAD, re.IGNORECASE)
_ORDER_PATTERN = re.compile(rf"{_ORDER} (?:(?:all|every) (?:of )?(?=the ))?", re.IGNORECASE)


def english_statement(text: str) -> str:
    """`When does the dog push the skateboard` -> `the dog pushes the skateboard`; a statement comes
    back as it is.
    """
    text = re.sub(r"^(when|where|who|what)['’]s\b", r"\1 is", text, flags=re.IGNORECASE)
    previous = ""
    while text != previous:
        previous = text
        text = _TAIL.sub("", text).strip(" ,")
        for pattern in (_LEAD_PATTERN, _ORDER_PATTERN):
            if (match := pattern.match(text)) and (
                pattern is _LEAD_PATTERN or _is_order(text, match)
            ):
                text = text[match.end() :]
        text = _unframed(text)
    statement = re.sub(r"^(?:any|if|whether) (?=\w)", "", _question_word(text), flags=re.IGNORECASE)
    statement = re.sub(r"(?<=\w) (?:is|are)$", "", statement)
    return re.sub(r"^any(?=one\b|body\b|thing\b)", "some", statement, flags=re.IGNORECASE)


def _is_order(text: str, match: re.Match[str]) -> bool:
    """`show dogs` is an order; `show jumping at a fair`, `search and rescue dogs` and a lone word
    are not.
    """
    rest = text[match.end() :]
    return bool(rest) and not re.match(
        r"(?:jumping|and|or|dog|party|light|is|are|of)\b", rest, re.IGNORECASE
    )


def _unframed(text: str) -> str:
    for pattern in (_WHEN, _THERE):
        if match := pattern.match(text):
            return (
                _inverted(text[match.end() :].strip())
                if pattern is _WHEN
                else text[match.end() :].strip()
            )
    if (match := _MOMENT_WHERE.match(text)) and match.end() < len(text):
        return text[match.end() :].strip()
    return text


# ---- other questions -----------------------------------------------------------------------------


def _question_word(text: str) -> str:
    """`who juggles` -> `a person juggles`, `how does he open it` -> `he opens it`, `what is he
    holding` -> `he is holding something`.
    """
    words = text.split()
    if len(words) < 2:
        return text
    first, second = words[0].lower(), words[1].lower()
    if first in ("who", "whose"):
        return _who(words)
    if first in ("how", "why") and second in _AUXILIARY_WORDS:
        return _inverted(" ".join(words[1:]))
    if first == "how" and second in ("many", "much"):
        return re.sub(r" (?:are|is|were|was) there\b", "", " ".join(words[2:]))
    if first in ("what", "which"):
        return _what(words)
    if first in _AUXILIARY_WORDS:
        return _inverted(text)
    return text


def _who(words: Sequence[str]) -> str:
    if words[0].lower() == "whose":
        return " ".join(["someone's", *words[1:]])
    rest = list(words[1:])
    if rest[0].lower() in ("does", "do", "did", "can", "will"):
        return _inverted(" ".join(rest)) + " someone"
    return " ".join(["a person", *([_PRESENT.get(rest[0].lower(), rest[0]), *rest[1:]])])


def _what(words: Sequence[str]) -> str:
    rest = list(words[1:])
    aux = rest[0].lower()
    if aux in ("is", "are", "was", "were") and len(rest) > 1:
        if rest[1].lower() in PREPOSITIONS or rest[1].lower().endswith("ing"):
            return " ".join(["something", *rest[1:]])
        stated = _inverted(" ".join(rest))
        return (
            stated
            if rest[-1].lower() in PREPOSITIONS or not rest[-1].lower().endswith("ing")
            else f"{stated} something"
        )
    if aux in _AUXILIARY_WORDS:
        stated = _inverted(" ".join(rest))
        return (
            re.sub(r"\bdo(?:es)?$", "does something", stated)
            if re.search(r"\bdo(?:es)?$", stated)
            else f"{stated} something"
        )
    position = next((i for i, word in enumerate(rest) if word.lower() in _AUXILIARY_WORDS), 0)
    if (
        words[0].lower() == "what"
        and position
        and rest[0].lower() in ("color", "colour", "kind", "type", "sort", "size", "shape", "brand")
    ):
        return " ".join(rest[position + 1 :]) if rest[1].lower() != "of" else " ".join(rest[2:])
    return " ".join(["the", *rest]) if words[0].lower() == "which" else " ".join(words)


# ---- inversion -----------------------------------------------------------------------------------

_PRESENT = {
    "was": "is",
    "were": "are",
    "had": "has",
    "did": "does",
    "could": "can",
    "would": "will",
}
_DO = frozenset(("do", "does", "did", "can", "could", "will", "would", "should", "may", "might"))
_BE = frozenset(("is", "are", "was", "were"))


def _inverted(text: str) -> str:
    """`does the dog push it` -> `the dog pushes it`, `was the door opened` -> `the door is opened`;
    other text comes back as it is.
    """
    words = text.split()
    aux, negated = (
        (words[0].lower().removesuffix("n't"), words[0].lower().endswith("n't"))
        if words
        else ("", False)
    )
    if len(words) < 2 or aux not in _AUXILIARY_WORDS or words[1:] == ["not"]:
        return text
    rest = words[1:]
    if rest[0].lower() == "not":
        rest, negated = rest[1:], True
    if aux in _BE and rest and rest[0].lower() == "there":
        return " ".join(rest[1:])
    if aux in _DO:
        return _do_statement(rest, aux, negated)
    present = _PRESENT.get(aux, aux)
    split = _predicate_start(rest)
    return " ".join([*rest[:split], present, *(["not"] if negated else []), *rest[split:]])


def _do_statement(rest: list[str], aux: str, negated: bool) -> str:
    split = _verb_position(rest)
    if split >= len(rest):
        return " ".join(rest)
    subject, predicate = rest[:split], rest[split:]
    if predicate[0].lower() == "not":
        predicate, negated = predicate[1:], True
    singular = aux == "does" or (aux != "do" and not _is_plural(subject))
    if negated:
        return " ".join([*subject, "does" if singular else "do", "not", *predicate])
    return " ".join([*subject, *(_conjugated(predicate) if singular else predicate)])


def _conjugated(predicate: list[str]) -> list[str]:
    """The first verb, and each one that `and` or `then` joins to it, in the third person."""
    out = []
    for i, word in enumerate(predicate):
        joined = (
            i > 0
            and predicate[i - 1].lower().strip(",") in ("and", "then", "or")
            and word.lower() in VERBS
        )
        follows_adverb = i > 0 and all(_is_adverb(w.lower()) for w in predicate[:i])
        is_adverb = _is_adverb(word.lower())
        out.append(
            third_person(word) if joined or ((i == 0 or follows_adverb) and not is_adverb) else word
        )
    return out


def third_person(verb: str) -> str:
    """`push` -> `pushes`, `carry` -> `carries`, `have` -> `has`."""
    irregular = {"be": "is", "have": "has", "do": "does", "go": "goes"}
    if verb.lower() in irregular:
        return irregular[verb.lower()]
    if re.search(r"(?:s|x|z|ch|sh|o)$", verb):
        return verb + "es"
    return verb[:-1] + "ies" if re.search(r"[^aeiou]y$", verb) else verb + "s"


def _verb_position(words: Sequence[str]) -> int:
    """Where the base verb stands after `does`: words = [the, big, dog, push, the, skateboard] -> 3."""
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
            i + 1 < len(lower) and lower[i + 1] in VERBS and lower[i] not in CATENATIVES
        )
        return _before_adverbs(lower, i + 1 if noun_before_verb else i)
    return min(earliest, len(words))


def _before_adverbs(lower: Sequence[str], verb: int) -> int:
    """`finally push` is one predicate."""
    while verb > 1 and (_is_adverb(lower[verb - 1]) or lower[verb - 1] == "not"):
        verb -= 1
    return verb


def _is_adverb(word: str) -> bool:
    return word in ADVERBS or (word.endswith("ly") and word not in VERBS)


def _predicate_start(words: Sequence[str]) -> int:
    """Where the predicate begins after `is`: words = [the, man, in, red, running, away] -> 4."""
    lower = [word.lower().strip(",") for word in words]
    earliest = (
        1
        if lower[0] in PRONOUNS and not (lower[0] in DETERMINERS and len(lower) > 2)
        else (2 if lower[0] in DETERMINERS else 1)
    )
    participles = [i for i in range(earliest, len(lower)) if _is_participle(lower[i])]
    if participles:
        return _before_adverbs(lower, participles[0])
    places = [
        i
        for i in range(earliest, len(lower))
        if lower[i]
        in PREPOSITIONS | {"not", "a", "an", "only", "there", "visible", "empty", "alone"}
    ]
    return places[0] if places else min(earliest, len(words))


def _is_participle(word: str) -> bool:
    return word in PARTICIPLES or (
        word not in NOT_PARTICIPLES and len(word) > 4 and word.endswith(("ing", "ed"))
    )


def _is_plural(subject: Sequence[str]) -> bool:
    lower = [word.lower() for word in subject]
    if "and" in lower:
        return True
    head_end = next(
        (i for i, word in enumerate(lower) if word in PREPOSITIONS and i > 0), len(lower)
    )
    head = lower[head_end - 1]
    return (
        head in PLURALS
        or (len(lower) > 0 and lower[0] in ("these", "those", "two", "three"))
        or bool(re.search(r"[^sui]s$", head))
    )
