"""Which kind of evidence the wording of a question asks for: words that are spoken, or written on
the screen, or a sound.
"""

from __future__ import annotations

import re
from typing import Literal

Hint = Literal["", "speech", "screen", "sound"]

_WRITTEN_THING = (
    r"(?:text|sign|slide|slides|caption|title|screen|poster|banner|label|subtitle|subtitles|board|"
    r"whiteboard|blackboard|billboard|headline|logo|word|words|letters|message|display|placard|"
    r"plate|sticker|credits|chyron|ticker|scoreboard|menu|page|document|t-shirt|shirt)"
)
_SCREEN = (
    re.compile(
        rf".*?\b{_WRITTEN_THING}\b"
        r"(?: (?:in|on|at|of|above|behind|over|by) (?:the|a|an|his|her|their) \w+)?"
        r"(?: \w+){0,2}? (?:that |which )?"
        r"(?:say|says|saying|said|read|reads|reading|spells|spell|spelling)(?:[:,]? that)?[:,]? "
        r"(?P<content>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<content>.+?)(?: is| are|,)? "
        r"(?:written|shown as text|displayed as text|spelled out)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<content>.+?)(?: is| are| appears?)? on (?:the|a|this|that) "
        r"(?:slide|screen|whiteboard|blackboard|sign|poster|banner|title card)$",
        re.IGNORECASE,
    ),
    re.compile(
        r"^on (?:the|a) (?:slide|slides|screen|sign|board|whiteboard|poster|banner)s?,? "
        r"(?P<content>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"^(?:the )?(?:words?|title|caption|subtitle|headline|text)s?:? "
        r"(?P<content>(?!of\b|is\b|are\b|appears?\b|on\b|in\b).+?)(?: appears?\b.*)?$",
        re.IGNORECASE,
    ),
    re.compile(
        r".*?(?:写着|寫著|写了|寫了|写有|寫有|显示着|字幕是|字幕|标题是|標題是|标题|標題)(?P<content>.+)"
    ),
    re.compile(
        r"(?:在)?(?:屏幕|螢幕|幻灯片|幻燈片|投影片|黑板|白板|招牌|标牌|標牌)(?:上|里|裡)?"
        r"(?:的|有|出现|出現|显示|顯示)?(?P<content>.+)"
    ),
)
_HEAR = r"(?:someone|somebody|people|we|you|i) (?:can )?hears? "
_SPEECH = (
    re.compile(
        r".*?\b(?:say|says|said|saying|mention|mentions|mentioned|mentioning|announce|announces|"
        r"announced|announcing|quote|quotes|explain|explains|explained|explaining|discuss|"
        r"discusses|discussed|discussing)\b"
        r"(?: to (?:him|her|them|us|me))?(?: that|:|,)? (?P<content>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r".*?\b(?:talk|talks|talked|talking|speak|speaks|speaking|spoke|lecture|lectures|asks?|"
        r"asked|tells?(?: \w+)?|hear|hears|heard)\b"
        r"(?: \w+)? about (?P<content>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<content>.+?) (?:is|are|gets?|being|has been) (?:mentioned|discussed|said|explained|"
        r"talked about|spoken about|announced)\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"{_HEAR}(?:(?:the )?(?:words?|names?|phrase|sentence) (?P<content>.+)|"
        r"(?P<quote>[\"“„«].+))",
        re.IGNORECASE,
    ),
    re.compile(
        r".*?(?:说到|說到|提到|谈到|談到|讲到|講到|提及|谈论|談論|讨论|討論|说起|說起|解释|解釋|介绍|介紹|说(?!话)|說(?!話))"
        r"(?:了|过|過)?[:：,，]?(?P<content>.+)"
    ),
)
_SOUND = (
    re.compile(rf"{_HEAR}(?P<content>.+)", re.IGNORECASE),
    re.compile(r"(?P<content>.+?) (?:is|are|can be) (?:heard|audible)$", re.IGNORECASE),
    re.compile(r"(?:the )?(?:sounds?|noises?) of (?P<content>.+)", re.IGNORECASE),
    re.compile(r"(?:能够?|可以)?(?:听到|听见|聽到|聽見)(?:了)?(?P<content>.+)"),
)
_GROUPS: tuple[tuple[Hint, tuple[re.Pattern[str], ...]], ...] = (
    ("screen", _SCREEN),  # first: a sign "says" something too
    ("speech", _SPEECH),
    ("sound", _SOUND),  # last: "you hear him say" asks for what is said
)


_AROUND = " .,:：，\"'“”‘’「」"


def modality(statement: str) -> tuple[Hint, str]:
    """The kind of evidence that the statement names, and the words to look for; ("", "") where it
    names none.

    >>> modality("she says that we need more money")
    ('speech', 'we need more money')
    """
    for hint, patterns in _GROUPS:
        for pattern in patterns:
            if match := pattern.match(statement):
                named = match.groupdict()
                content = (named["content"] or named.get("quote") or "").strip(_AROUND)
                return hint, "" if content == "something" else content
    return "", ""
