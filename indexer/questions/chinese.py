"""Chinese questions to statements, by deletion: word order does not change in a Chinese question,
so what asks is cut out. A question about several events gives several statements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from indexer.questions.chinese_words import VERB, begins_with_verb, has_verb, without_adverbs

_FILM = (
    r"(?:视频|視頻|影片|录像|錄像|錄影|片子|电影|電影|"
    r"画面|畫面|片段|短片|短视频|镜头里|录像带|素材)"
)
_WHEN_WORD = (
    r"(?:什么时候|什麼時候|什么时间点?|什麼時間點?|甚么时候|甚麼時候|何时|何時|啥时候|啥時候|啥时间|"
    r"哪个时间[点段]?|哪個時間[點段]?|哪个时刻|哪個時刻|哪个时段|哪個時段|哪个瞬间|哪個瞬間|哪一?刻|"
    r"哪一?段(?:时间|视频|視頻|影片)?|哪一?(?:秒|分钟|分|帧|幀|幕)|哪几秒|哪幾秒|"
    r"第?(?:几|多少)分(?:钟|鐘)?第?(?:几|多少)秒(?:钟|鐘)?|第?幾分(?:鐘)?第?幾秒(?:鐘)?|"
    r"第(?:几|幾|多少)(?:秒|分|帧|幀)(?:钟|鐘)?|几点几分|幾點幾分|几点|幾點|多久(?:之?[后後])?|"
    r"(?:哪[个些]|哪個)(?:位置|部分|地方|片段|场景|場景|视频|視頻|影片|镜头|鏡頭)|"
    r"(?<=[是在])[几幾](?:分|秒)(?:钟|鐘)?|"
    r"哪里|哪裡|哪儿|哪兒|(?:什么|什麼)(?:地方|位置|時刻|时刻))"
)
_WHEN = re.compile(
    r"(?:是|发生|發生|出现(?=在)|出現(?=在))?(?:在|于|於|从|從|自)?"
    rf"(?:{_FILM}(?:里面|里|裡|中|的)+|(?!画面|畫面|镜头){_FILM})?"
    rf"{_WHEN_WORD}(?:里面|里|裡|中|内|內)?"
)
_BE_WHEN = re.compile(rf"是(?:在|于|於)?(?:{_FILM}(?:的)?)?{_WHEN_WORD}")
_LEAD = re.compile(
    r"^(?:请问一?下?|請問一?下?|请|請|麻烦你?|麻煩你?|能不能|能否|可以|可不可以|你能|你可以|你知道|"
    r"知不知道|知道|帮我|幫我|帮忙|幫忙|给我|給我|我想要?(?:看|知道|找)?|我要(?:看|找)?|我在找|"
    r"想(?:要)?(?:看|找|知道)|查找|查一下|找一下|找出来?|找出|找到|找找|寻找|尋找|搜索|搜寻|搜尋|"
    r"搜一下|有哪些|定位到?|显示出?(?=.*的)|顯示出?(?=.*的)|给出|給出|播放|跳转?到|跳轉?到|转到|轉到|快进到|展示|"
    r"看看|看一下|告诉我|告訴我|列出|标出|標出|指出|说出|說出|所有的?|"
    r"(?:可以|能够?)?看[到见見]|能够?找到|我?(?:记得|記得)|看下|找(?!不)|看(?![着著书電电手不见見]))+"
)
_AGAIN = re.compile(
    r"^(?:那么|那麼|那(?![个個只隻条條位些辆輛张張种種名])|然后|然後|接着|另外|还有|還有|以及|"
    rf"和|又|再|还|還|也|而)+(?=.*{_WHEN_WORD})"
)
_IN_FILM = re.compile(
    r"^(?:在)?(?:这个|這個|这段|這段|这部|這部|该|該|整个|整個|上述)?"
    rf"{_FILM}(?:里面|裡面|里|裡|中|内|內|当中|上)(?:的)?[,，、]?"
)
_TIME_TAIL = re.compile(
    r"(?:的|那)?(?:那个|那個|那一|这个|這個)?(?:具体|具體|准确|準確|确切|確切|精确|大概|大致|起止|开始|"
    r"開始|对应的?|對應的?)?(?:时间戳|時間戳|时间点|時間點|时间码|時間碼|时间段|時間段|时间|時間|"
    r"秒数|秒數|时刻|時刻)(?:大概|大约)?(?:是|为|為|在)?"
    r"(?:多少秒?|什么|什麼|几秒|幾秒|哪里|哪裡|哪儿|哪个|哪個|哪一?段|哪些|啥)?$"
)
_TAIL = re.compile(
    r"(?:的)?(?:那个|那個|那一|那|这个|這個|这一|這一)?"
    rf"(?:{_FILM}|(?<=[的个個一])(?:镜头|鏡頭)|(?<=..)(?:镜头|鏡頭|片段|画面|畫面)(?=有$)|时刻|時刻|瞬间|瞬間|部分|场景|場景|时候|時候|"
    r"时间点?|時間點?|地方|那段|"
    r"那一段|那会儿|那會兒|那一刻|片断|一幕|那一幕|位置)(?:在哪里?|在哪裡|在哪儿|是哪个|是哪個|有哪些|是|有)?$"
)
_AS = re.compile(r"^[当當](?=.+(?:[时時]|[时時]候)$)")
_AT_THE_TIME = re.compile(r"(?<=..)(?:之?时|之?時|的?时候|的?時候|的那?一?刻)$")
_HAPPENS = re.compile(r"(?<=..)(?:发生|發生)(?:在|于|於|了|过|過)?$")
_EXISTS = re.compile(
    r"有没有|有沒有|是否有|是不是有|是否|是不是|有无|有無|存不存在|是否存在|(?<!不)存在(?!感)"
)
_A_NOT_A = re.compile(r"(.)[不没沒]\1")
_COUNT = re.compile(
    r"(?:一共|总共|總共|共)?(?:有|出现|出現)?(?:多少|几|幾)"
    r"(?:个|個|只|隻|条|條|辆|輛|次|位|名|张|張|头|頭|匹|架|本|杯|瓶|把|块|塊|朵|棵|座|艘|件|人次|下|遍)?(?:的)?"
)
_IN_ALL = re.compile(r"一共|总共|總共")
_PARTICLES = re.compile(r"(?:[吗嗎呢吧啊呀]|(?<![什甚怎那这這])[么麼])+$")
_PUNCTUATION = " ?？。！!，,、；;:：."
_ENDS_IN_TIME = re.compile(
    r"(?:时间|時間|时刻|時刻|时间戳|時間戳|秒数|秒數)(?:是|为|為|在)?(?:多少|什么|什麼|几秒|幾秒|哪)|"
    r".的(?:时候|時候|时刻|時刻|片段|那一?[刻段幕]|那部分)$|.那[会會][儿兒]$|^[当當].+[时時]$"
)
_ASKS_END = re.compile(r"[?？]|[吗嗎呢]\s*$")
_FIRST_THEN = re.compile(r"^(先[^、，,；;]+?)(?=再|又)")
_THEN_AGAIN = re.compile(r"(先[^、，,；;]+?)(?=再|又)")
_NEXT = r"(?:又|再|还|還|也|就|便)"
_IN_ORDER = re.compile(
    r"[，,、；;。]?(?:然后|然後|接着|接著|随后|隨後|跟着|跟著)" + _NEXT + "?"
    rf"|(?<=.)(?:之后|之後|以后|以後|后|後)[，,]?{_NEXT}(?=.)|(?<=[完了])[，,]?(?:又|再)(?=.)"
)
_FIRST = re.compile(r"首先[，,]?是?|(?<!首)先是?(?!生|后|後|进|進|前)")
_FIRST_NEXT = re.compile(rf"{_IN_ORDER.pattern}|[、，,]?(?:又|再)(?=.)|(?<![之以])[后後](?={VERB})")
_ALONE_WHEN = re.compile(
    rf"[。！!；;，,]\s*(?=(?:请问|請問)?(?:这|這|那)?(?:分别|分別)?是?(?:在)?{_WHEN_WORD}[?？。]?$)"
)
_EACH = re.compile(r"(?:分别|分別|各自?)(?:都)?$")
_BRING = re.compile(
    r"^把(.+?)(?:给我|給我|帮我|幫我)?(?:找|调|調|放|挑|选|選|列|标|標|截)"
    r"(?:出来|出來|到|给我看?|給我看?)$"
)
_WHAT = (
    (re.compile(r"^是(?=哪|谁|誰)"), ""),
    (re.compile(rf"(?:谁|誰)(?:在)?({VERB})的(?=.)"), r"有人\1"),  # 谁吹的蜡烛
    (re.compile(r"(?:谁|誰)都(?=[没沒不])"), ""),  # 谁都没来: nobody came
    (re.compile(r"(?:发生|發生)(?:了|过|過)?(?:什么|什麼|啥)(?:事情?)?$"), ""),
    (re.compile(r"(?:在)?(?:干嘛|幹嘛|干吗)$"), ""),
    (re.compile(r"的是(?:什么|什麼|啥)$"), "东西"),
    (re.compile(r"的是(?:什么|什麼)(?=.)"), ""),
    (re.compile(r"^[这這那]是(?:什么|什麼|哪[种種])(?=.)"), ""),
    (re.compile(r"有(?:谁|誰)$"), "有人"),
    (re.compile(r"(?<=..)(?:能|可以)(?:看|找)[到见見]$"), ""),
    (re.compile(r"得?(?:有)?多(?:高|长|長|快|慢|远|遠|大|小|重|深|久|宽|寬)$"), ""),
    (re.compile(r"(?:为什么|為什麼|为啥|怎么样?|怎麼樣?|怎样|怎樣|如何)"), ""),
    (re.compile(r"(?:是)?(?:谁|誰)(?:在)?"), "有人"),
    (re.compile(r"(?:在)?(?:做|干|幹)(?:了|些|着)?(?:什么|什麼|啥)$"), ""),
    (re.compile(r"(?:些)?(?:什么|什麼|啥)$"), "东西"),
    (re.compile(r"(?:什么|什麼|哪(?:一|个|個|只|些))(?=.)"), ""),
)
_SENTENCE_END = re.compile(r"[?？。！!；;]+")
_SECOND_WHEN = re.compile(
    rf"[，,、]?(?:和|以及|还有|還有|并且|並且)(?=[^，,]*{_WHEN_WORD})|[，,、](?=[^，,、]*{_WHEN_WORD})"
)
_LISTED = re.compile(
    r"[、，,；;](?:然后|然後|接着|接著|随后|隨後|之后|之後|再|又|并且|並且|并|並)?"
    r"|(?:然后|然後|接着|接著|随后|隨後)"
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question: what stands before the words that ask for a time, and after them."""

    before: str
    after: str
    when: bool

    @property
    def events(self) -> list[str]:
        """What happens, listed one after the other; more than one only after the words that ask."""
        parts = _LISTED.split(_FIRST_THEN.sub(r"\1、", self.after))
        if not self.when or len(parts) == 1:
            return [self.after]
        if all(map(begins_with_verb, parts)):
            return [without_adverbs(part) for part in parts]
        clauses = not self.before and all(
            has_verb(part) and not begins_with_verb(part) for part in parts
        )
        return parts if clauses else [self.after]


def chinese_statements(text: str) -> list[str]:
    """`狗什么时候推滑板？` -> [`狗推滑板`]; a statement comes back as it is.

    >>> chinese_statements("宝宝什么时候推起眼镜?又是什么时候翻的书?")
    ['宝宝推起眼镜', '宝宝翻书']
    """
    if not asks(text):
        return [text.strip(_PUNCTUATION) or text]
    statements: list[str] = []
    subject = ""
    for question in _questions(text):
        asked = _split(question)
        if asked.when and asked.before:
            subject = asked.before if asked.after else _subject(asked.before)
        for event in asked.events:
            inherits = asked.when and not asked.before and begins_with_verb(event)
            before = subject if inherits else asked.before
            action = without_adverbs(event) if inherits and subject else event
            statements += _in_order(_clean(before + action) or question)
    return statements


def _in_order(statement: str) -> list[str]:
    """Events that are told one after the other: `猫跳上桌子之后又打翻花瓶` -> [`猫跳上桌子`,
    `猫打翻花瓶`].
    """
    ordered = _FIRST.search(statement)
    between = _FIRST_NEXT if ordered else _IN_ORDER
    parts = [part.strip(_PUNCTUATION) for part in between.split(_FIRST.sub("", statement, count=1))]
    if len(parts) == 1 or not all(map(has_verb, parts)):
        return [statement]
    subject = _subject(parts[0])
    if not subject and not ordered:
        return [statement]  # 比赛后又下雨: it rains again
    return [subject + without_adverbs(part) if begins_with_verb(part) else part for part in parts]


def asks(text: str) -> bool:
    """Whether the text is a question or an order, not a statement."""
    plain = text.strip(_PUNCTUATION)
    patterns = (_ASKS_END, _WHEN, _EXISTS, _ENDS_IN_TIME)
    return bool(
        any(pattern.search(text) for pattern in patterns)
        or _LEAD.match(plain)
        or _IN_FILM.match(plain)
        or re.match("谁|誰", plain)
    )


def counts(text: str) -> bool:
    """Whether a question asks for a number: `有几只狗?`, `狗跳了多少次?`."""
    return bool(asks(text) and _COUNT.search(_WHEN.sub("", _TIME_TAIL.sub("", _bare(text)))))


def _questions(text: str) -> list[str]:
    """The parts that ask for themselves; what does not ask is not cut."""
    text = _ALONE_WHEN.sub("", text)
    sentences = [part for part in _SENTENCE_END.split(text) if part.strip(_PUNCTUATION)]
    out: list[str] = []
    for sentence in sentences or [text]:
        parts = _SECOND_WHEN.split(sentence)
        out += parts if all(map(_WHEN.search, parts)) else [sentence]
    return out


def _split(question: str) -> _Asked:
    text = _bare(question)
    match = _WHEN.search(text)
    if not match:
        return _Asked("", text, when=False)
    before, after = text[: match.start()], text[match.end() :].strip(_PUNCTUATION)
    if _BE_WHEN.search(text):
        after = _strip_stress(after)
    if not after and _EACH.search(before):
        return _read_list_before(_EACH.sub("", before))
    before = re.sub("[又还還再也]$", "", _cut(_IN_FILM, before.strip(_PUNCTUATION)))
    return _Asked(before, after, when=True)


def _read_list_before(text: str) -> _Asked:
    """`他起床、刷牙、出门分别是什么时候`: what is listed stands before the words that ask."""
    listed = _THEN_AGAIN.sub(r"\1、", re.sub("(?<=.)[和及与與](?=.)", "、", text))
    subject = _subject(listed)
    return _Asked(subject, listed.removeprefix(subject), when=True)


def _subject(clause: str) -> str:
    """What stands before the first verb: `孩子们` of `孩子们堆沙堡`."""
    start = next((i for i in range(len(clause)) if begins_with_verb(clause[i:])), 0)
    return clause[:start]


def _bare(question: str) -> str:
    """Without particles, orders, `in the video` and words that lead on from the question before."""
    text, previous = question.strip(_PUNCTUATION), ""
    while text != previous:
        previous = text
        text = _PARTICLES.sub("", text).strip(_PUNCTUATION)
        for pattern in (_AGAIN, _LEAD, _IN_FILM, _AS):
            text = _cut(pattern, text)
        text = _BRING.sub(r"\1", text)
    return text


def _strip_stress(text: str) -> str:
    """What follows `是什么时候` without the `的` of that construction: `翻的书` -> `翻书`."""
    if text.endswith("的"):
        return text[:-1]
    return re.sub(rf"({VERB})的(?=.)", r"\1", text, count=1)


def _clean(text: str) -> str:
    """Without the other ways to ask, which may stand anywhere."""
    previous = ""
    while text != previous:
        previous = text
        text = _PARTICLES.sub("", text).strip(_PUNCTUATION)
        for pattern in (_LEAD, _IN_FILM, _HAPPENS, _TIME_TAIL, _AT_THE_TIME):
            text = _cut(pattern, text)
        text = _WHEN.sub("", text)
        text = _EXISTS.sub("", text)
        text = _A_NOT_A.sub(r"\1", text)
        if _COUNT.search(text):
            text = _cut(_IN_ALL, _cut(_COUNT, text))
        for pattern, replacement in _WHAT:
            text = pattern.sub(replacement, text) or text
        text = _cut(_TAIL, text)
        text = re.sub(r"(?<=.)的$", "", text)
    return text


def _cut(pattern: re.Pattern[str], text: str) -> str:
    """Without the match, unless nothing would be left."""
    return pattern.sub("", text).strip(_PUNCTUATION) or text
