"""Chinese questions to statements, by deletion: word order does not change in a Chinese question,
so what asks is cut out.
"""

from __future__ import annotations

import re

_FILM = r"(?:视频|視頻|影片|录像|錄像|錄影|片子|电影|電影|画面|畫面|片段)"
_WHEN = (
    rf"(?:是)?(?:在)?(?:{_FILM}(?:的)?)?(?:什么时候|什麼時候|什么时间|什麼時間|甚么时候|何时|何時|啥时候|哪个时间点?|哪個時間點?|哪个时刻|哪個時刻|哪一刻|哪一段|哪段|"
    r"第?几分(?:钟)?第?几秒|第?幾分(?:鐘)?第?幾秒|第几秒(?:钟)?|第幾秒(?:鐘)?|第几分钟|第幾分鐘|几点|哪个(?:位置|部分|地方)|哪個(?:位置|部分|地方)|哪里|哪裡|哪儿|(?:什么|什麼)(?:地方|位置))"
)
_LEAD = re.compile(
    r"^(?:请问|請問|请|請|麻烦你?|麻煩你?|能不能|能否|可以|可不可以|你能|帮我|幫我|帮忙|幫忙|给我|給我|我想要?看?|我要看?|我在找|想看|想找|"
    r"查找|查一下|找一下|找出来?|找出|找到|找找|寻找|尋找|搜索|搜寻|搜尋|搜一下|定位到?|显示出?(?=.*的)|顯示出?(?=.*的)|播放|跳转?到|跳轉?到|转到|轉到|展示|"
    r"看看|看一下|告诉我|告訴我|列出|所有的?|找|看)+"
)
_IN_FILM = re.compile(
    rf"^(?:在)?(?:这个|這個|这段|這段|该|該|整个|整個)?{_FILM}(?:里面|裡面|里|裡|中|内|內|当中)(?:的)?[,，、]?"
)
_TAIL = re.compile(
    rf"(?:的)?(?:那个|那個|那一|那|这个|這個|这一|這一)?(?:{_FILM}|镜头|鏡頭|时刻|時刻|瞬间|瞬間|部分|场景|場景|时候|時候|时间点?|時間點?|地方|那段|那一段|片断|一幕|"
    r"位置)(?:在哪里?|在哪裡|在哪儿|是哪个|是哪個)?$"
)
_EXISTS = re.compile(r"有没有|有沒有|是否有|是不是有|是否|是不是|有无|有無|存不存在|是否存在|存在")
_PARTICLES = re.compile(r"(?:[吗嗎呢吧啊呀]|(?<![什甚怎那这這])[么麼])+$")
_PUNCTUATION = " ?？。！!，,、；;:："


def chinese_statement(text: str) -> str:
    """`狗什么时候推滑板？` -> `狗推滑板`; a statement comes back as it is."""
    original = text = text.strip(_PUNCTUATION)
    previous = ""
    while text != previous:
        previous = text
        text = _PARTICLES.sub("", text).strip(_PUNCTUATION)
        text = _cut(_LEAD, text)
        text = _cut(_IN_FILM, text)
        text = re.sub(_WHEN, "", text)
        text = _EXISTS.sub("", text)
        if (
            text != original
            or _LEAD.match(original)
            or text.endswith(("的时候", "的時候", "的时刻", "的片段"))
        ):
            text = _cut(_TAIL, text)
        text = re.sub(r"(?<=.)的$", "", text)
    text = re.sub(r"^(?:谁|誰)(?:在)?", "有人", text)
    return text or original


def _cut(pattern: re.Pattern[str], text: str) -> str:
    """Without the match, unless nothing would be left."""
    return pattern.sub("", text).strip(_PUNCTUATION) or text
