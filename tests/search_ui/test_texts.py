"""Words: both languages complete, marks where they belong, nothing of people taken for markup,
exports that open.
"""

import csv
import io
import re
from pathlib import Path

import pytest

import search_ui
from grounding.spans import Span
from indexer.search.types import Evidence, Moment
from search_ui.export import as_csv, as_edl, as_playlist
from search_ui.highlight import marked
from search_ui.state import plain
from search_ui.strings import EXAMPLES, STREAMLIT, TEXTS, Texts, language_of

SOURCE = "\n".join(
    path.read_text()
    for path in Path(search_ui.__file__).parent.rglob("*.py")
    if path.name != "strings.py"
)


def test_every_text_is_in_both_languages_with_the_same_values():
    for key, (english, chinese) in TEXTS.items():
        assert sorted(re.findall(r"{(\w+)}", english)) == sorted(re.findall(r"{(\w+)}", chinese)), (
            key
        )
        assert english.strip(), key
        assert chinese.strip(), key
        assert not re.search(r"[一-鿿]", english), key


def test_words_of_streamlit_keep_their_values():
    for english, chinese in STREAMLIT.items():
        assert english.count("{}") == chinese.count("{}"), english
        assert re.search(r"[一-鿿]", chinese), english
    assert dict(Texts("zh").streamlit) == STREAMLIT
    assert Texts("en").streamlit == []


def test_every_text_is_used_and_there():
    used = set(re.findall(r"""texts\(?\)?\(\s*f?["']([\w.]+)["']""", SOURCE))
    assert {key for key in used if "{" not in key} - set(TEXTS) == set()
    families = (
        "page.",
        "evidence.",
        "job.",
        "state.",
        "player.",
        "model.",
        "upload.",
        "theme.",
    )  # whose last part is put together in the code
    unused = {
        key
        for key in TEXTS
        if not re.search(f"""["']{re.escape(key)}["']""", SOURCE) and not key.startswith(families)
    }
    assert unused == set()


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
    assert len(Texts(language).examples) == len(EXAMPLES)


def test_marked():
    assert marked("The dog jumps over a fence", "dogs jump") == [
        ("The ", False),
        ("dog", True),
        (" ", False),
        ("jumps", True),
        (" over a fence", False),
    ]
    assert marked("他在公园滑滑板", "滑板") == [("他在公园滑", False), ("滑板", True)]
    assert marked("no match here", "zebra") == [("no match here", False)]
    assert marked("<b>cat</b>", "cat") == [("<b>", False), ("cat", True), ("</b>", False)]
    long = marked("x " * 500 + "cat", "cat")
    assert ("cat", True) in long
    assert sum(len(piece) for piece, _ in long) < 300


def test_plain_leaves_no_markup():
    assert (
        plain("![x](http://evil/) *a* :red[b] $x$ <i>")
        == r"\!\[x\]\(http\:\/\/evil\/\) \*a\* \:red\[b\] \$x\$ \<i\>"
    )


def moment(
    title: str = "a", path: str = "/v/a.mp4", start_s: float = 1.0, end_s: float = 2.5
) -> Moment:
    return Moment(
        1, path, "c", Span(start_s, end_s), 0.5, (Evidence("speech", 1.0, "=1+1"),), None, title
    )


def test_csv():
    rows = list(
        csv.reader(io.StringIO(as_csv([moment("=cmd()", '/v/"a",b.mp4')]).decode("utf-8-sig")))
    )
    assert rows[1] == [
        "1",
        "'=cmd()",
        '/v/"a",b.mp4',
        "c",
        "1.000",
        "2.500",
        "0.5000",
        "speech: =1+1",
    ]


def test_edl():
    lines = as_edl([moment(), moment(start_s=3600, end_s=3601)]).decode().splitlines()
    assert (
        lines[3] == "001  AX       V     C        00:00:01:00 00:00:02:12 00:00:00:00 00:00:01:12"
    )
    assert (
        lines[6] == "002  AX       V     C        01:00:00:00 01:00:01:00 00:00:01:12 00:00:02:12"
    )


def test_playlist_has_one_line_a_name():
    lines = as_playlist([moment("a\n#EXTINF:1,b", "/v/x\ny.mp4")]).decode().splitlines()
    assert len(lines) == 5
    assert lines[2:4] == ["#EXTVLCOPT:start-time=1.000", "#EXTVLCOPT:stop-time=2.500"]
