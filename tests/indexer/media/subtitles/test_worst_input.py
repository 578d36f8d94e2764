"""What strangers write is parsed in time that grows with its length: a megabyte of the worst input
of each pattern takes less than a second of CPU time.
"""

import pytest

from indexer.media.subtitles.cues import MAX_CUES, plain_lines, without_overrides, without_tags
from indexer.media.subtitles.subtitle_files import decode_text, parse_text
from indexer.passages.subtitles.parser import is_telemetry, passages_of
from tests.support import within_cpu_s

MEGABYTE = 1_000_000
LIMIT_S = 1.0
TIMES = "1\n00:00:01,000 --> 00:00:09,000\n"
EVENTS = "[Script Info]\n\n[Events]\nDialogue: 0,0:00:01.00,0:00:09.00,Default,,0,0,0,,"
WORST = {
    "open braces": EVENTS + "{" * MEGABYTE,
    "braces": EVENTS + "{}" * (MEGABYTE // 2),
    "drawing codes": EVENTS + "{" + "\\p" * (MEGABYTE // 2) + "}",
    "many drawings": EVENTS + "{\\p1}{\\p0}" * (MEGABYTE // 10),
    "open tags": TIMES + "<" * MEGABYTE,
    "long tags": TIMES + ("<" + "a" * 299) * (MEGABYTE // 300),
    "entities": TIMES + "&" * MEGABYTE,
    "numbers of characters": TIMES + "&#" + "9" * MEGABYTE,
    "numbers": TIMES + "9" * MEGABYTE,
    "spaces": TIMES + " " * MEGABYTE,
    "spaces before times": " " * MEGABYTE + "-->",
    "digits before times": "9" * MEGABYTE + ":00:00,000 --> 00:00:01,000\ntext",
    "arrows": "-->" * (MEGABYTE // 3),
    "arrow lines": "-->\n" * (MEGABYTE // 4),
    "arrow lines with a mark": "0 :->\n" * (MEGABYTE // 6),
    "times in one line": "00:00:01,000 --> " * (MEGABYTE // 17),
    "lines": "\n" * MEGABYTE,
    "lines of a cue": TIMES + "a\n" * (MEGABYTE // 2),
    "cues": TIMES * (MEGABYTE // len(TIMES)),
    "vtt notes": "WEBVTT\n\n" + "NOTE\n" * (MEGABYTE // 5),
    "vtt arrows": "WEBVTT\n\n" + "00:01.000 --> \n" * (MEGABYTE // 15),
    "vtt tags": "WEBVTT\n\n00:01.000 --> 00:09.000\n" + "<00:" * (MEGABYTE // 4),
    "formats": "[Script Info]\n[Events]\nFormat:" + "Text," * (MEGABYTE // 5),
    "directions": TIMES + "\u200e" * (MEGABYTE // 3),
}


@pytest.mark.parametrize("name", WORST)
def test_a_megabyte_of_the_worst_input_is_parsed(name):
    """Patterns of quadratic time need minutes for it."""
    within_cpu_s(LIMIT_S, lambda: passages_of(parse_text(WORST[name]), None))
    cues = parse_text(WORST[name])
    within_cpu_s(LIMIT_S, lambda: is_telemetry(cues))
    assert not is_telemetry(cues)
    passages = passages_of(cues, None)
    assert len(passages) <= len(cues) <= MAX_CUES
    assert all(len(passage.text) <= 100_000 for passage in passages)


@pytest.mark.parametrize("clean", [without_overrides, without_tags, plain_lines])
@pytest.mark.parametrize("piece", ["{", "<", "<a", "{\\p", "&", "&#9", "}", "[", "-->", " "])
def test_text_of_one_cue_is_cleaned(clean, piece):
    within_cpu_s(LIMIT_S, lambda: clean(piece * (MEGABYTE // len(piece))))


@pytest.mark.parametrize("data", [b"\xff" * MEGABYTE, b"\xc3" * MEGABYTE, b"\x00\xff" * 500_000])
def test_a_megabyte_of_no_encoding_is_decoded(data):
    within_cpu_s(LIMIT_S, lambda: decode_text(data))


def test_a_brace_that_is_never_closed_is_text():
    assert without_overrides("a {b") == "a {b"
    assert without_overrides("{\\p1}m 0 0{\\p0}a {b} c{") == "a  c{"
