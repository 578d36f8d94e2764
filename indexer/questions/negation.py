"""Statements about what is not there. Embedders hardly see a negation: `the dog is not running` is
near to `the dog is running`, so that search would show the opposite of what was asked.

A negated statement is therefore told in two parts: the scene that is left without what is denied,
and the same scene with it. Search looks for what is like the first and unlike the second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from indexer.questions.chinese_words import begins_with_verb, longest_first
from indexer.questions.english_inversion import split_auxiliary, third_person


@dataclass(frozen=True, slots=True)
class Negation:
    """`scene`: what may be seen (`the dog`), empty where nothing is left; `denied`: what must not
    be seen (`the dog is running`).
    """

    scene: str
    denied: str


def english_negation(statement: str) -> Negation | None:
    """
    >>> english_negation("the dog is not running")
    Negation(scene='the dog', denied='the dog is running')
    >>> english_negation("nobody is in the room")
    Negation(scene='the room', denied='someone is in the room')
    >>> english_negation("a man without a hat")
    Negation(scene='a man', denied='a man with a hat')
    """
    if _NOT_NEGATED.search(statement):
        return None
    for pattern, read in _ENGLISH:
        if match := pattern.match(statement):
            return read(match)
    return None


def chinese_negation(statement: str) -> Negation | None:
    """
    >>> chinese_negation("房间里没有人")
    Negation(scene='房间里', denied='房间里有人')
    >>> chinese_negation("不戴帽子的男人")
    Negation(scene='男人', denied='戴帽子的男人')
    """
    if match := _ZH_EXCEPT.match(statement):
        return Negation(match["scene"], match["thing"])
    match = next((m for m in _CHINESE.finditer(statement) if not _is_word(statement, m)), None)
    if match is None:
        return None
    before, clause = statement[: match.start()], statement[match.end() :]
    also = ""
    if parts := re.match(r"(.+?)[,，](.+)", clause):
        clause, also = parts[1], parts[2]
    if _ZH_PRESENT.fullmatch(clause):
        return Negation("", before)
    exists = not begins_with_verb(clause) and (
        match[0][0] in "没沒无無" or not before or before[-1] in "里裡上中下外旁边邊内內"
    )
    stated = f"有{clause}" if exists else clause
    denied = clause if match["see"] else before + stated
    head = clause.rpartition("的")[2] if "的" in clause and not before else ""
    scene = ",".join(part for part in (before.strip(" ,，"), head, also.strip(" ,，")) if part)
    return Negation("" if _ZH_NOWHERE.fullmatch(scene) else scene, denied)


# ---- English -------------------------------------------------------------------------------------

_NOT_NEGATED = re.compile(
    r"\bnot only\b|\bnothing but\b|\bno (?:smoking|parking|entry|exit|way|stopping|trespassing|"
    r"u-turn|doubt|\w+ (?:sign|zone))\b|\bwhy not\b|\bor not\b",
    re.IGNORECASE,
)
_ALSO = (
    r"(?:(?:, ?(?:but )?(?:only |just )?|,? (?:except|apart from|other than) (?:for )?)"
    r"(?P<also>.+))?"
)
_NOBODY = re.compile(
    r"(?P<word>nobody|no one|no-one|nothing|(?:none|neither) of (?:the \w+|them|us|you))\b ?"
    rf"(?P<rest>[^,]*?){_ALSO}$",
    re.IGNORECASE,
)
_NO_THING = re.compile(
    r"(?:there (?:is|are) )?(?:no|not any|not a single|not a|not an|neither) "
    rf"(?:more |longer )?(?P<thing>[^,]+?){_ALSO}$",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"(?P<subject>\S.*?) (?:(?P<aux>is|are|was|were|has|have|does|do|can|will|could|would|should)"
    r"(?:n['’]t| not| never| no longer)|(?P<short>cannot|can['’]t|won['’]t)) "
    r"(?P<predicate>.+?)(?: any ?more| yet)?$",
    re.IGNORECASE,
)
_PRESENT = re.compile(
    r"(?:there|here|visible|present|in sight|in view|seen|shown|to be seen|appear|around|"
    r"(?:in|on|part of) the (?:picture|frame|video|scene|screen|shot|image|view|film|clip))"
    r"(?: at all)?",
    re.IGNORECASE,
)
_NEITHER = re.compile(
    r"(?P<subject>\S.*?) (?P<aux>is|are) neither (?P<one>.+?) nor (?P<other>.+)$", re.IGNORECASE
)
_EXCEPT = re.compile(
    r"(?P<scene>\S.*?),? (?:except|apart from|other than) (?:for )?(?P<thing>.+)$", re.IGNORECASE
)
_NEVER = re.compile(r"(?P<subject>\S.*?) never (?P<predicate>.+)$", re.IGNORECASE)
_WITHOUT = re.compile(
    r"(?P<scene>\S.*?),? (?:without|with no|with not a) (?:any )?(?P<thing>.+)$", re.IGNORECASE
)
_HAS_NO = re.compile(
    r"(?P<scene>\S.*?) (?:has|have|wears?|is wearing|are wearing|shows?|contains?) no "
    r"(?P<thing>.+)$",
    re.IGNORECASE,
)
_BUT_NO = re.compile(
    r"(?P<scene>\S.*?)(?:,| and| but|, and|, but) (?:no|not a|not any|nobody|no one) "
    r"(?P<thing>.+)$",
    re.IGNORECASE,
)
_PARTICIPLE = re.compile(
    r"(?P<scene>\S.*?),? (?:who (?:is|are) )?not (?P<rest>\w+(?:ing|ed)\b.*|(?:in|on|at|with) .+)$",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\b(?:in|on|at|inside|under|behind|near|beside|over|by|around|along|across)(?: of)? "
    r"(?P<place>(?:the|a|an|his|her|their|this|that|my|our) .+)$",
    re.IGNORECASE,
)
_NOWHERE = re.compile(
    r"(?:the |a |this |that |all |every )?(?:"
    r"(?:picture|frame|video|scene|screen|shot|image|view|film|clip|moment|part)s?|"
    r"you|we|i|one|it|he|she|they|something|someone|everything|anything|everyone|anyone|all)$",
    re.IGNORECASE,
)


def _affirm(match: re.Match[str]) -> str:
    subject, aux, predicate = match["subject"], match["aux"] or match["short"], match["predicate"]
    aux, _ = split_auxiliary(aux)
    if aux == "does":
        verb, _, rest = predicate.partition(" ")
        return f"{subject} {third_person(verb)} {rest}".strip()
    return f"{subject} {predicate}" if aux == "do" else f"{subject} {aux} {predicate}"


def _place(text: str) -> str:
    match = _PLACE.search(text)
    return _scene(match["place"]) if match else ""


def _scene(text: str) -> str:
    """Nothing, where the words name no scene: `the picture`, `you`."""
    return "" if _NOWHERE.fullmatch(text.strip()) else text.strip(" ,")


def _join(place: str, also: str | None) -> str:
    return ", ".join(part for part in (place, also) if part)


def _nobody(match: re.Match[str]) -> Negation:
    word = "something" if match["word"].lower() == "nothing" else "someone"
    denied = f"{word} {match['rest']}".strip()
    return Negation(_join(_place(match["rest"]), match["also"]), denied)


def _no_thing(match: re.Match[str]) -> Negation:
    return Negation(_join(_place(match["thing"]), match["also"]), match["thing"])


def _verb(match: re.Match[str]) -> Negation:
    if _PRESENT.fullmatch(match["predicate"]):
        return Negation("", match["subject"])
    return Negation(_scene(match["subject"]), _affirm(match))


def _neither(match: re.Match[str]) -> Negation:
    stated = f"{match['subject']} {match['aux']} {match['one']} or {match['other']}"
    return Negation(_scene(match["subject"]), stated)


def _never(match: re.Match[str]) -> Negation:
    return Negation(_scene(match["subject"]), f"{match['subject']} {match['predicate']}")


def _without(match: re.Match[str]) -> Negation:
    thing = match["thing"]
    joined = thing if re.match(r"\w+ing\b", thing) else f"with {thing}"
    scene = re.sub(r" (?:is|are)$", "", match["scene"])
    return Negation(_scene(scene), f"{scene} {joined}")


def _has_no(match: re.Match[str]) -> Negation:
    return Negation(_scene(match["scene"]), f"{match['scene']} with {match['thing']}")


def _other_thing(match: re.Match[str]) -> Negation:
    return Negation(_scene(match["scene"]), match["thing"])


def _not_doing(match: re.Match[str]) -> Negation:
    return Negation(_scene(match["scene"]), f"{match['scene']} {match['rest']}")


_ENGLISH = (
    (_NOBODY, _nobody),
    (_NO_THING, _no_thing),
    (_VERB, _verb),
    (_NEITHER, _neither),
    (_NEVER, _never),
    (_WITHOUT, _without),
    (_EXCEPT, _other_thing),
    (_HAS_NO, _has_no),
    (_BUT_NO, _other_thing),
    (_PARTICIPLE, _not_doing),
)


# ---- Chinese -------------------------------------------------------------------------------------

_CHINESE = re.compile(r"(?:没有|沒有|没|沒|未|无(?=人)|無(?=人)|不)再?|(?P<see>看不[到见見清])")
_ZH_NOWHERE = re.compile(
    r"(?:在)?(?:画面|畫面|视频|視頻|镜头|鏡頭|屏幕|螢幕)?(?:里|裡|中|上|内|內)?"
)
_ZH_PRESENT = re.compile(
    r"(?:在|出现在|出現在)(?:画面|畫面|视频|視頻|镜头|鏡頭|屏幕|螢幕)(?:里|裡|中|上|内|內)?|出现|出現|在场|在場"
)
_ZH_EXCEPT = re.compile(
    r"除了?(?P<thing>.+?)(?:以外|之外)?[,，]?(?:还有|還有|还|還|都|其他的?|其它的?|的)(?P<scene>.+)"
)
_NOT_NEGATIONS = longest_first(
    """
    不锈 不鏽 不断 不斷 不停 不久 不同 不小心 不得不 不仅 不僅 不但 差不多 不过 不過 忍不住
    不倒翁 不一样 不一樣 不管 不规则 不規則 不远 不遠 不少 不透明 不时 不時 不由 不慎 不住 不起眼
    不安 不明 不到 不见 不見 不清 不了 没收 沒收 淹没 淹沒 埋没 沉没 沉沒 没过 出没 出沒 未来
    未來 未知 无人机 無人機 无人驾驶
    """
)


def _is_word(statement: str, match: re.Match[str]) -> bool:
    """Whether the character belongs to a word that denies nothing: `不锈钢`, `无人机`."""
    return not match["see"] and any(
        statement.startswith(word, start)
        for word in _NOT_NEGATIONS
        for start in range(max(0, match.start() - len(word) + 1), match.start() + 1)
        if start + len(word) > match.start()
    )
