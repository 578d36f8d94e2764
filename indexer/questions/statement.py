"""A question becomes a caption: embedders find a statement and miss a question (recall .26 against
.02), so "when does X happen?" is asked as "X".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from indexer.questions.chinese import chinese_statement
from indexer.questions.english import english_statement

Hint = Literal["", "speech", "screen"]


@dataclass(frozen=True, slots=True)
class Question:
    text: str  # as asked
    caption: str  # what to embed
    hint: Hint = ""  # the modality that the wording asks for
    phrases: tuple[str, ...] = ()  # quoted: to be found word for word
    words: str = (
        ""  # what to look for in speech and screen text: what is said or written, else the caption
    )


def read_question(text: str) -> Question:
    """Caption, hint and phrases of a question in English or Chinese; other languages lose their
    "when" and question marks only.
    """
    plain = _normal(text)
    phrases = _quoted(plain)
    caption = (
        chinese_statement(plain)
        if _HAN.search(plain)
        else english_statement(_OTHER_WHEN.sub("", plain).strip(" ?!.¿¡"))
    )
    caption = caption or plain
    hint, content = _steering(caption)
    return Question(text, caption, hint, phrases, " ".join(phrases) or content or caption)


_HAN = re.compile(r"[\u3400-\u9fff]")
_QUOTES = re.compile(
    r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|「([^」]+)」|『([^』]+)』|«([^»]+)»|(?<![\w'])'([^']{2,}?)'(?!\w)|‘([^’]{2,})’(?!\w)"
)
_OTHER_WHEN = re.compile(
    r"^¿?(?:cuándo|cuando(?=.*\?)|en qué momento|quand est-ce qu(?:e |')|quand(?=.*\?)|à quel moment|wann|um welche zeit|quando(?=.*\?)|"
    r"em que momento|in quale momento|wanneer|когда|kiedy|ne zaman)\s+",
    re.IGNORECASE,
)

_WRITTEN_THING = (
    r"(?:text|sign|slide|slides|caption|title|screen|poster|banner|label|subtitle|subtitles|board|whiteboard|blackboard|billboard|headline|logo|"
    r"word|words|letters|message|display|placard|plate|sticker|credits|chyron|ticker|scoreboard|menu|page|document|t-shirt|shirt)"
)
_SCREEN = (
    re.compile(
        rf"\b{_WRITTEN_THING}\b(?: \w+){{0,2}}? (?:that |which )?"
        r"(?:say|says|saying|said|read|reads|reading|spells|spell|spelling)(?:[:,]? that)?[:,]? (?P<said>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<said>.+?)(?: is| are|,)? (?:written|shown as text|displayed as text|spelled out)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<said>.+?)(?: is| are| appears?)? on (?:the|a|this|that) "
        r"(?:slide|screen|whiteboard|blackboard|sign|poster|banner|title card)$",
        re.IGNORECASE,
    ),
    re.compile(
        r"^on (?:the|a) (?:slide|slides|screen|sign|board|whiteboard|poster|banner)s?,? (?P<said>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"^(?:the )?(?:words?|title|caption|subtitle|headline|text)s?:? "
        r"(?P<said>(?!of\b|is\b|are\b|appears?\b|on\b|in\b).+?)(?: appears?\b.*)?$",
        re.IGNORECASE,
    ),
    re.compile(
        r".*?(?:写着|寫著|写有|寫有|显示着|字幕是|字幕|标题是|標題是|标题|標題)(?P<said>.+)"
    ),
    re.compile(
        r"(?:在)?(?:屏幕|螢幕|幻灯片|幻燈片|投影片|黑板|白板|招牌|标牌|標牌)(?:上|里|裡)?(?:的|有|出现|出現|显示|顯示)?(?P<said>.+)"
    ),
)
_SPEECH = (
    re.compile(
        r".*?\b(?:say|says|said|saying|mention|mentions|mentioned|mentioning|announce|announces|announced|announcing|quote|quotes|"
        r"explain|explains|explained|explaining|discuss|discusses|discussed|discussing)\b"
        r"(?: to (?:him|her|them|us|me))?(?: that|:|,)? (?P<said>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r".*?\b(?:talk|talks|talked|talking|speak|speaks|speaking|spoke|lecture|lectures|asks?|asked|tells?(?: \w+)?|hear|hears|heard)\b"
        r"(?: \w+)? about (?P<said>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<said>.+?) (?:is|are|gets?|being|has been) (?:mentioned|discussed|said|explained|talked about|spoken about|announced)\b",
        re.IGNORECASE,
    ),
    re.compile(r"(?:someone|somebody|we|you) hears? (?P<said>.+)", re.IGNORECASE),
    re.compile(
        r".*?(?:说到|說到|提到|谈到|談到|讲到|講到|提及|谈论|談論|讨论|討論|说起|說起|解释|解釋|介绍|介紹|说|說)(?:了|过|過)?[:：,，]?(?P<said>.+)"
    ),
)


def _steering(caption: str) -> tuple[Hint, str]:
    """Whether the wording asks for written or spoken words, and which words; screen first, for a
    sign "says" something too.
    """
    patterns: tuple[tuple[Hint, tuple[re.Pattern[str], ...]], ...] = (
        ("screen", _SCREEN),
        ("speech", _SPEECH),
    )
    for hint, group in patterns:
        for pattern in group:
            if match := pattern.match(caption) or (
                pattern is _SCREEN[0] and pattern.search(caption)
            ):
                said = match["said"].strip(" .,:：，\"'“”‘’「」")
                return hint, "" if said == "something" else said
    return "", ""


def _normal(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip().rstrip("?!.？！。 ")


def _quoted(text: str) -> tuple[str, ...]:
    found = (
        "".join(group or "" for group in match.groups()).strip() for match in _QUOTES.finditer(text)
    )
    return tuple(phrase for phrase in found if phrase)
