"""Cases of the WebVTT specification, as the public tests of the format have them
(https://github.com/web-platform-tests/wpt/tree/master/webvtt/parsing/file-parsing).
"""

import pytest

from indexer.media.subtitles.cues import Cue, plain_lines
from indexer.media.subtitles.webvtt import parse_webvtt

A, B = Cue(1.0, 2.0, "one"), Cue(3.0, 4.0, "two")
TWO = "00:01.000 --> 00:02.000\none\n\n00:03.000 --> 00:04.000\ntwo\n"


@pytest.mark.parametrize(
    "text",
    [
        "WEBVTT\n\n" + TWO,
        "\ufeffWEBVTT - a title\n\n" + TWO,
        "WEBVTT\r\n\r\n" + TWO.replace("\n", "\r\n"),
        "WEBVTT\r\r" + TWO.replace("\n", "\r"),
        "WEBVTT\n" + TWO,
        "WEBVTT\nKind: captions\nLanguage: en\n\n" + TWO,
        "WEBVTT\nKind: captions\nLanguage: en\n" + TWO,
        "WEBVTT\n\nNOTE a comment\nof two lines\n" + TWO,
        "WEBVTT\n\n\n\n\n" + TWO.replace("\n\n", "\n\n\n\n"),
        "WEBVTT\n\nNOTE a comment\nof two lines\n\n" + TWO,
        "WEBVTT\n\nNOTE\n\n" + TWO,
        "WEBVTT\n\nSTYLE\n::cue(b) { color: red }\n\n" + TWO,
        "WEBVTT\n\nREGION\nid:fred\nwidth:40%\n\n" + TWO,
        "WEBVTT\n\nfirst cue\n" + TWO,
        "WEBVTT\n\n1\n" + TWO.replace("\n\n", "\n\n2\n"),
        "WEBVTT\n\n" + TWO.replace(".000\n", ".000 align:start position:0% region:fred\n"),
        "WEBVTT\n\n" + TWO.replace(" --> ", "\t-->  "),
        "WEBVTT\n\n" + TWO.replace(" --> ", "-->"),
        "WEBVTT\n\n" + TWO.replace("00:0", "00:00:0"),
        "WEBVTT\n\n" + TWO.replace("\n\n", "\n"),
        "WEBVTT\n\nnot a time --> either\nlost\n\n" + TWO,
        "WEBVTT\n\n" + TWO + "\n00:99.000",
        "WEBVTT\n\n" + TWO.replace("one", "<v.loud Anna>o<i>n</i>e</v>"),
        "WEBVTT\n\n" + TWO.replace("one", "<00:01.100><c>o</c><00:01.200><c>ne</c>"),
    ],
)
def test_the_same_two_cues(text):
    assert parse_webvtt(text) == [A, B]


def test_a_caption_that_begins_with_note_is_a_caption():
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\nNOTE the date\n\n00:03.000 --> 00:04.000\ntwo\n"
    assert parse_webvtt(text) == [Cue(1.0, 2.0, "NOTE the date"), B]


def test_a_line_of_one_space_does_not_end_a_cue():
    """YouTube writes its automatic captions so."""
    text = (
        "WEBVTT\nKind: captions\n\n00:00:00.000 --> 00:00:02.000 align:start position:0%\n \n"
        "the<00:00:00.480><c> quick</c><00:00:00.800><c> fox</c>\n\n"
        "00:00:02.000 --> 00:00:02.010 align:start position:0%\nthe quick fox\n \n\n"
        "00:00:02.010 --> 00:00:04.000 align:start position:0%\nthe quick fox\n"
        "jumps<00:00:02.500><c> over</c>\n"
    )
    cues = parse_webvtt(text)
    assert [(cue.start_s, plain_lines(cue.text)) for cue in cues] == [
        (0.0, ["the quick fox"]),
        (2.0, ["the quick fox"]),
        (2.01, ["the quick fox", "jumps over"]),
    ]


def test_long_hours_and_names_of_characters():
    text = "WEBVTT\n\n123:00:01.000 --> 123:00:02.500\nTom &amp; Jerry&lrm; &lt;3&nbsp;you\n"
    (cue,) = parse_webvtt(text)
    assert (cue.start_s, cue.end_s) == (123 * 3600 + 1.0, 123 * 3600 + 2.5)
    assert plain_lines(cue.text) in (["Tom & Jerry <3 you"], ["Tom & Jerry\u200e <3 you"])
