"""Subtitle files as people and their programs leave them."""

import pytest

from indexer.media.subtitles.subtitle_files import decode_text, parse_text

SRT = "1\n00:00:01,000 --> 00:00:02,500\nHello there\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n"
CUES = [(1.0, 2.5, "Hello there"), (3.0, 4.0, "Bye")]


def read(data: bytes) -> list[tuple[float, float, str]]:
    return [(cue.start_s, cue.end_s, cue.text.strip()) for cue in parse_text(decode_text(data))]


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"]
)
def test_all_forms_of_unicode_with_and_without_a_mark(codec):
    assert read(SRT.encode(codec)) == CUES


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_chinese_without_a_mark(codec):
    text = "1\n00:00:01,000 --> 00:00:02,000\n我们今天一起去公园玩，天气非常好\n"
    assert read(text.encode(codec))[0][2] == "我们今天一起去公园玩，天气非常好"


def test_a_text_with_a_few_zeros_is_no_utf_16():
    assert decode_text(b"a\0b and more text of one byte a letter") == (
        "a\0b and more text of one byte a letter"
    )


@pytest.mark.parametrize(
    "times",
    [
        "00:00:01,000 --> 00:00:02,500",
        "00:00:01.000 --> 00:00:02.500",
        "00:00:01:000 --> 00:00:02:500",
        "0:0:1,000 --> 0:0:2,5",
        "00: 00: 01, 000 --> 00: 00: 02, 500",
        "00 : 00 : 01,000-->00:00:02 , 500",
        "00:00:01,000 -> 00:00:02,500",
        "00:00:01,000 \u2013> 00:00:02,500",
        "00:00:01,000 \u2014> 00:00:02,500",
        "\u200e00:00:01,000 --> 00:00:02,500\u200f",
        "\u202b00:00:01,000 --> 00:00:02,500\u202c",
        "00:00:01,000\u00a0-->\u00a000:00:02,500",
        "00:00:01,000 --> 00:00:02,500 X1:100 X2:200 Y1:1 Y2:2",
        "\t00:00:01,000\t-->\t00:00:02,500",
    ],
)
def test_lines_of_times(times):
    assert read(f"1\n{times}\nHello there\n".encode()) == CUES[:1]


def test_a_cue_that_begins_before_the_video():
    assert read(b"1\n-00:00:01,500 --> 00:00:02,000\nHello\n") == [(-1.5, 2.0, "Hello")]


@pytest.mark.parametrize("line", ["a -> b", "12:30 > 11:15", "<b>1:2:3</b>", "1:2:3 --> soon"])
def test_text_that_looks_like_times(line):
    text = f"1\n00:00:01,000 --> 00:00:02,500\n{line}\n"
    found = read(text.encode())
    assert len(found) == 1
    assert found[0][2]
