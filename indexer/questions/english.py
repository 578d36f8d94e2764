"""English questions to statements in the present tense, by rules: captions, which embedders were
trained on, state what is seen now.

What asks (`find the moment where`, `at what time`) is cut off first; what is left is put into the
order of a statement (english_inversion.py). A question about several events gives several.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from indexer.questions.english_events import english_events, told_events
from indexer.questions.english_inversion import (
    PRESENT,
    invert,
    is_participle,
    is_plural,
    split_auxiliary,
    subject_length,
)
from indexer.questions.english_words import AUXILIARIES, DETERMINERS, PREPOSITIONS, PRONOUNS

# ---- what asks -----------------------------------------------------------------------------------

_FILM = (
    r"(?:video|videos|film|films|movie|clip|clips|footage|recording|recordings|library|collection|"
    r"tape|stream|episode)"
)
_MOMENT = (
    r"(?:exact |precise |first |last |very |specific |archive |archival |stock |raw )*"
    r"(?:moment|part|scene|clip|time|point|place|spot|segment|section|footage|video|shot|frame|bit|sequence|instance|passage|second|minute|"
    r"timestamp|time stamp|timecode|position|recording|occurrence|stretch|timing|b-?roll)s?"
)
_IN_FILM = (
    r"(?: (?:in|of|within|during|throughout|on|from) "
    r"(?:the|this|that|these|my|our|any|all(?: the| my| of the)?) (?:whole |entire )?"
    rf"{_FILM})?"
)
_IN_EVENT = (
    r"(?: (?:in|of|during|throughout) (?:the|this|that|our) (?:game|match|race|show|lesson|lecture|"
    r"talk|concert|ceremony|performance|play|programme|program|session|meeting|party))?"
)
_LINK = (
    r"(?:(?:right |just |exactly )?when|where|in which|at which|during which|on which|that shows?|"
    r"which shows?|that contains?|showing|containing|featuring|depicting|with|of|about|for when|"
    r"for|that has|that have|which has|which have)"
)
_WHO = r"(?:he|she|they|someone|somebody|everyone|everybody)"  # the part she sings
_LEAD = (
    r"(?:(?:please|hey|hi|hello|ok|okay|so|and|well|um|also|then)[, ]+|"
    r"(?:can|could|do|did) (?:you|u|we|i) (?:last |first |ever )?"
    r"(?:see|find|spot|show me|tell me) |"
    r"(?:can|could|would|will) (?:you|u) (?:please |kindly |maybe |just )?|"
    r"(?:(?:do|does|did) (?:you|we|i|they|anyone|anybody) (?:still |also )?have|"
    r"(?:(?:have (?:you|we) )?got)) "
    rf"(?=(?:any|some|a|an|the|more)(?:thing)? |{_MOMENT} (?:of|with|about|where) )|any signs? of |"
    r"(?:i|we)(?:'m| am|'re| are) trying to (?:find|see|locate|get to) |"
    rf"(?:i|we) (?:remember|recall) (?=(?:a|an|the|that|some) {_MOMENT} {_LINK} )|"
    r"(?:any|some)thing (?:with|showing|that shows|that has|where|in which) |"
    rf"(?:looking|searching) for (?=(?:(?:any|some|a|an|the) )?{_MOMENT} )|"
    r"(?:when|where) (?:is|are|was|were) "
    rf"(?=(?:the|that|a|an|any|those) {_MOMENT} (?:{_LINK}|{_WHO}) )|"
    r"(?:i|we) (?:would like|want|need|wish) to "
    r"(?:see|find|know|watch|view|look at|jump to|go to) |"
    r"(?:i|we)(?:'d| would) like to (?:see|find|know|watch|view) |"
    r"(?:i|we)(?:'m| am|'re| are) (?:looking|searching) for |"
    r"(?:i|we) (?:want|need) |do you (?:know|remember|see) |"
    r"have (?:you|we|i) (?:ever )?(?:seen|got) |"
    r"(?:you|we|i) (?:can |could )?(?:last |first )?(?:see|find|spot) |"
    rf"(?:the|this) {_FILM} (?:shows?|contains?|features?|depicts?) |"
    rf"(?:in|within|throughout) (?:the|this|that|my) {_FILM},? "
    r"(?=(?:when|where|what|at|does|do|is|are|who)\b)|"
    r"tell me |i wonder |let me see |let's see |let us see |any idea |"
    r"(?:does|do) (?:anyone|anybody|you) know |"
    r"(?:what|which) (?:is|are|was|were) "
    r"(?=the (?:exact )?(?:moment|time ?stamp|time|timecode)s? ))"
)
_ORDER = (
    r"(?:show|find|get|give|fetch|jump to|go to|take me to|bring me to|skip to|fast forward to|"
    r"search for|search|look for|look up|locate|seek to|seek|retrieve|display|list|pull up|"
    r"bring up|point me to|return|pinpoint|identify|detect|spot)(?: (?:me|us))?"
)
_AUX = (
    r"(?:do|does|did|is|are|was|were|has|have|had|can|could|will|would|should|may|might|"
    r"(?:is|are|was|were|does|do|did|has|have|had|can|could|wo|would|should)n['’]t|cannot)"
)

_IN_FILM_NEEDED = _IN_FILM.removesuffix("?")
_SHOWS = r"(?:shows?|contains?|features?|depicts?|has|have)"
_WHEN = re.compile(
    rf"(?:(?:at|in|on|during|around|from|since|until|by) )?(?:what|which) (?:exact )?{_MOMENT}"
    rf"{_IN_FILM}{_IN_EVENT}(?: {_SHOWS})?(?= )|"
    rf"(?:what|which) {_FILM} {_SHOWS}(?= )|"
    rf"(?:exactly |just |since |until |till |from )?when(?:ever)?(?:,? exactly,?)?{_IN_FILM}"
    rf"{_IN_EVENT}(?: (?:would|do) you (?:say|think)(?: that)?(?= ))?"
    r"(?: (?:was|is) the (?:first|last|next) time(?: that)?)?(?= )|"
    r"(?:every|each|any|the (?:first|last|next|second)) time(?: that)?(?= )|"
    r"the (?:exact |very )?(?:moment|instant|second)(?: that)?"
    r"(?= (?:the|a|an|his|her|their|he|she|they|it|someone) )|"
    rf"where(?:abouts)?{_IN_FILM_NEEDED}(?= )|where(?:abouts)?(?= {_AUX} )|"
    rf"how long(?: (?:does|did|will) it take)?(?: until| till| before)(?= )|how long(?= {_AUX} )|"
    rf"how (?:often|many times)(?= {_AUX} )|"
    rf"how far into (?:the|this|that) {_FILM}(?= {_AUX} )|"
    rf"how (?:early|late|soon|far in)(?= {_AUX} )",
    re.IGNORECASE,
)
_ARTICLE = (
    r"(?:(?:the|a|an|any|every|each|all|some|one|those|these|that|this)(?: of)?(?: the| those)? )?"
)
_MOMENT_WHERE = re.compile(
    rf"{_ARTICLE}{_MOMENT}{_IN_FILM} (?:{_LINK} (?!it\b)|(?={_WHO} ))", re.IGNORECASE
)
_THERE = re.compile(
    r"(?:is|are|was|were|isn't|aren't|wasn't|weren't) there(?: also| ever)?"
    rf"(?: (?:any|some) (?={_MOMENT} {_LINK})| any| some)? ",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:(?<!say)(?<!says)(?<!said)(?<!saying),? (?:please|pls|plz|thanks|thank you)|"
    r",? (?:in|of|within|during|throughout) (?:the|this|that|these|my|our|any)(?: of the)? "
    rf"(?:whole |entire )?{_FILM}|"
    r",? (?:when|where) (?:is|was) (?:that|this|it)|"
    r" anywhere|,? if (?:any|at all|possible|there is one)|,? for me)$",
    re.IGNORECASE,
)

_LEAD_PATTERN = re.compile(_LEAD, re.IGNORECASE)
_ORDER_PATTERN = re.compile(
    rf"{_ORDER} (?:(?:all|every) (?:of )?(?=the )|(?:to )?where (?=\w+ \w))?", re.IGNORECASE
)
_COUNT = re.compile(r"(?:how (?:many|often)|what number of|the number of|count)\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[?!]+(?: |$)|(?<=\w\w)\. ")
_SECOND_WHEN = re.compile(
    r"(?:[,;]|,?;? (?:and|or|but))(?: also| then)? "
    r"(?=(?:(?:at|in) (?:what|which) \w+|when|where|how often|how many times|who|"
    rf"(?:what|why|how) {_AUX})\b)",
    re.IGNORECASE,
)

_MEANWHILE = r"(?:before|after|while|once|during) [^,]+"
_BEFORE_WHEN = re.compile(  # before the train leaves, when does he wave
    rf"^({_MEANWHILE}), ((?:when|where|(?:at|in) (?:what|which) \w+) .+)$", re.IGNORECASE
)
_WHEN_LAST = re.compile(  # a dog barks. When does that happen
    r"(?<=\w)(?: ?[,.;:!–—]+| -+) ?(?:and |so )?"
    rf"(?:when|(?:at|in) what {_MOMENT}|what time)(?:,? exactly)?"
    r"(?: (?:is|was|does|did) (?:that|this|it|all this)(?: happen| occur| take place)?)?[ ?.!]*$",
    re.IGNORECASE,
)
_WITHIN_WHEN = re.compile(rf"^(when|where), ({_MEANWHILE}), (.+)$", re.IGNORECASE)


def english_statements(text: str) -> list[str]:
    """`When does the dog jump and when does it bark` -> [`the dog jumps`, `the dog barks`]; a
    statement comes back as it is.
    """
    statements: list[str] = []
    subject = ""
    told = _WHEN_LAST.sub("", text)
    for question in _questions(told):
        for statement in _events(question, when=told != text):
            named = _with_subject(statement, subject)
            subject = subject or _subject(named)
            statements.append(named)
    return statements


def _events(question: str, *, when: bool) -> list[str]:
    return [event for one in _statements(question) for event in told_events(one, when=when)]


def counts(text: str) -> bool:
    """Whether a question asks for a number: `how many dogs are there`, `how often does he jump`."""
    return bool(_COUNT.match(_without_orders(text)))


def _questions(text: str) -> list[str]:
    """The parts that ask for themselves; what does not ask is not cut."""
    sentences = [part.strip(" ?!.,") for part in _SENTENCE_END.split(text)]
    out: list[str] = []
    for sentence in [part for part in sentences if _asks(part)] or [text]:
        parts = _SECOND_WHEN.split(sentence)
        out += parts if _asks(parts[0]) else [sentence]
    return out


def _asks(text: str) -> bool:
    bare = _without_orders(text)
    return _strip_frame(bare) != bare or _question_word(bare) != bare


def _statements(question: str) -> list[str]:
    text = re.sub(r"^(when|where|who|what)['’]?s\b", r"\1 is", question, flags=re.IGNORECASE)
    text = _BEFORE_WHEN.sub(r"\2 \1", _WITHIN_WHEN.sub(r"\1 \3 \2", text))
    previous = ""
    while text != previous:
        previous = text
        text = _without_orders(_TAIL.sub("", text).strip(" ,"))
        if match := _WHEN.match(text):
            events = english_events(text[match.end() :].strip())
            if len(events) > 1:
                return [_finish(invert(event)) for event in events]
            text = invert(events[0])
        else:
            text = _strip_frame(text)
    return [_finish(_question_word(text))]


def _without_orders(text: str) -> str:
    for pattern in (_LEAD_PATTERN, _ORDER_PATTERN):
        if (match := pattern.match(text)) and (pattern is _LEAD_PATTERN or _is_order(text, match)):
            text = text[match.end() :]
    return text


def _is_order(text: str, match: re.Match[str]) -> bool:
    """`show dogs` is an order; `show jumping at a fair`, `search and rescue dogs` and a lone word
    are not.
    """
    rest = text[match.end() :]
    return bool(rest) and not re.match(
        r"(?:jumping|and|or|dog|party|light|is|are|of)\b", rest, re.IGNORECASE
    )


def _strip_frame(text: str) -> str:
    """Without what asks for a time or a place in a video."""
    for pattern in (_WHEN, _THERE, _MOMENT_WHERE):
        if (match := pattern.match(text)) and match.end() < len(text):
            return text[match.end() :].strip()
    return text


def _finish(text: str) -> str:
    statement = re.sub(r"^(?:any|if|whether) (?=\w)", "", text, flags=re.IGNORECASE)
    statement = re.sub(r"(?<=\w) (?:is|are)(?: (?:that|this|it|these|those))?$", "", statement)
    statement = re.sub(r" ever(?= )", "", statement)
    statement = re.sub(r"^first (?=(?:the|a|an|he|she|they|it) )", "", statement)
    return re.sub(r"^any(?=one\b|body\b|thing\b)", "some", statement, flags=re.IGNORECASE)


def _subject(statement: str) -> str:
    """`the dog` of `the dog jumps`; empty for a pronoun, or where no verb is known."""
    words = statement.split()
    length = subject_length(words)
    return "" if words and words[0].lower() in PRONOUNS else " ".join(words[:length])


def _with_subject(statement: str, subject: str) -> str:
    """A pronoun says who was named before: `it barks` -> `the dog barks`."""
    first, _, rest = statement.partition(" ")
    return f"{subject} {rest}" if subject and rest and first.lower() in _NAMED_BEFORE else statement


_NAMED_BEFORE = frozenset(("he", "she", "it", "they"))

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
    if first in ("how", "why") and _is_auxiliary(second):
        return invert(" ".join(words[1:]))
    if first == "how" and second in ("many", "much"):
        return _how_many(words[2:])
    if first == "how" and len(words) > 3 and _is_auxiliary(words[2]):  # how tall is the tower
        return invert(" ".join(words[2:]))
    if first == "count" and second in DETERMINERS:
        return " ".join(words[1:])
    if first in ("what", "which"):
        return _what(words)
    if _is_auxiliary(first):
        return invert(text)
    return text


def _is_auxiliary(word: str) -> bool:
    return split_auxiliary(word)[0] in AUXILIARIES


def _how_many(words: Sequence[str]) -> str:
    """`dogs are there` -> `dogs`, `apples does he eat` -> `he eats apples`."""
    text = re.sub(r" (?:are|is|were|was) there\b", "", " ".join(words))
    counted, aux, rest = text.partition(next((f" {w} " for w in _DOES if f" {w} " in text), "\0"))
    return f"{invert(aux.strip() + ' ' + rest)} {counted}" if rest else text


_DOES = ("does", "do", "did", "can", "will")


def _who(words: Sequence[str]) -> str:
    if words[0].lower() == "whose":
        return " ".join(["someone's", *words[1:]])
    rest = list(words[1:])
    if rest[0].lower() in ("does", "do", "did", "can", "will"):
        return invert(" ".join(rest)) + " someone"
    return " ".join(["a person", *([PRESENT.get(rest[0].lower(), rest[0]), *rest[1:]])])


def _what(words: Sequence[str]) -> str:
    rest = list(words[1:])
    aux = rest[0].lower()
    if aux in ("is", "are", "was", "were") and len(rest) > 1:
        if rest[1].lower() in PREPOSITIONS or is_participle(rest[1].lower()):
            return " ".join(["something", *rest[1:]])
        stated = invert(" ".join(rest))
        asks_object = rest[-1].lower().endswith("ing") and rest[-1].lower() not in PREPOSITIONS
        return f"{stated} something" if asks_object else stated
    if _is_auxiliary(aux):
        stated = invert(" ".join(rest))
        does = re.sub(r"\bdo(?:es)?$", "does something", stated)
        return does if does != stated else _with_object(stated.split())
    position = next((i for i, word in enumerate(rest) if _is_auxiliary(word)), 0)
    if words[0].lower() == "what" and position and rest[0].lower() in _QUALITIES:
        return " ".join(rest[position + 1 :]) if rest[1].lower() != "of" else " ".join(rest[2:])
    if words[0].lower() == "which":
        return " ".join(["the", *rest])
    return _what_thing(rest, position) if 0 < position <= MOST_NOUN_WORDS else " ".join(words)


def _what_thing(words: Sequence[str], position: int) -> str:
    """`animal is eating the leaves` -> `an animal is eating the leaves`, `instrument does she play`
    -> `she plays an instrument`. `position`: of the auxiliary.
    """
    noun = words[:position]
    if not is_plural(noun):
        noun = ["an" if noun[0][0].lower() in "aeiou" else "a", *noun]
    rest = words[position:]
    if rest[0].lower() in _DOES:
        return " ".join([invert(" ".join(rest)), *noun])
    return " ".join([*noun, PRESENT.get(rest[0].lower(), rest[0]), *rest[1:]])


def _with_object(words: list[str]) -> str:
    """`the chef puts in the pan` -> `the chef puts something in the pan`."""
    verb = subject_length(words)
    at = verb + 1 if 0 < verb < len(words) - 1 and words[verb + 1] in PREPOSITIONS else len(words)
    return " ".join([*words[:at], "something", *words[at:]])


MOST_NOUN_WORDS = 2  # `what musical instrument does she play`
_QUALITIES = frozenset(("color", "colour", "kind", "type", "sort", "size", "shape", "brand"))
