"""Texts and messages in the language that a browser asks for."""

import pytest

from indexer.errors import MediaError
from indexer.messages import Message
from search_ui.i18n.streamlit_words import STREAMLIT_WORDS, streamlit_words
from search_ui.i18n.translator import Translator, language_of


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB", "en"),
        ("fr-FR,fr;q=0.9,zh;q=0.5", "zh"),
        ("de", "en"),
        ("", "en"),
        ("zh_TW", "zh"),
        ("*", "en"),
    ],
)
def test_language(accepted, language):
    assert language_of(accepted) == language


def test_texts():
    english, chinese = Translator("en"), Translator("zh")
    values = {"n": 3, "videos": 2, "ms": 20}
    text = "{n} moments in {videos} videos, {ms} ms"
    assert english(text, **values) == "3 moments in 2 videos, 20 ms"
    assert chinese(text, **values) == "2 个视频中的 3 个时刻，20 毫秒"
    assert chinese("Save search") == "保存搜索"


def test_an_error_is_said_in_both_languages():
    error = MediaError("{name} is empty (zero bytes)", "copy it again", name="/v/a. b.mp4")
    assert (
        Translator("en")(error.full_message) == "/v/a. b.mp4 is empty (zero bytes). copy it again"
    )
    assert Translator("zh")(error.full_message) == "/v/a. b.mp4 为空（零字节）。请重新复制"


def test_an_error_inside_an_error():
    inner = MediaError("{name} is not a regular file", name="/v/a.mp4")
    outer = Message("LEGO cannot be asked this: {error}", {"error": inner.what})
    assert str(outer) == "LEGO cannot be asked this: /v/a.mp4 is not a regular file"
    assert Translator("zh")(outer) == "无法这样问 LEGO：/v/a.mp4 不是普通文件"


@pytest.mark.parametrize("text", ["", "Nothing that the library says", "{0} {} {x}", "%s", "a: b"])
def test_what_the_catalogue_lacks_stays_as_it_is(text):
    assert Translator("zh")(text) == text


def test_braces_and_names_in_values_are_their_own():
    tr = Translator("zh")
    assert tr("{name}: {span}", name="LEGO", span="{0} {x}") == "LEGO：{0} {x}"
    assert tr("{name}: {span}", name="LEGO", span="Search") == "LEGO：Search", (
        "a name is not a text of ours"
    )


def test_words_of_streamlit():
    assert streamlit_words(Translator("en")) == []
    chinese = dict(streamlit_words(Translator("zh")))
    assert set(chinese) == set(STREAMLIT_WORDS)
    assert all(english.count("{}") == chinese[english].count("{}") for english in chinese)
