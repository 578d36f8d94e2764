import io
import json
import subprocess
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from indexer.errors import MediaError
from indexer.media.output.encode import write_video
from indexer.media.subtitles.cues import Cue
from indexer.media.subtitles.tracks import ass_text
from indexer.passages import subtitles
from indexer.passages.base import Passage, Word
from indexer.passages.side_files import side_files
from indexer.passages.subtitle_writer import write_json_lines, write_srt
from indexer.passages.subtitles import read_tracks

SRT = """1
00:00:01,000 --> 00:00:03,500
<i>The harbour opens</i>
at seven.

2
00:00:04,000 --> 00:00:06,000
{\\an8}Two fishermen carry a net.
"""
VTT = """WEBVTT

00:01.000 --> 00:03.500
The harbour opens at seven.

00:04.000 --> 00:06.000
<v Anna>Two fishermen carry a net.
"""
ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,not shown
Dialogue: 0,0:00:01.00,0:00:03.50,Default,,0,0,0,,The harbour opens\\Nat seven.
Dialogue: 0,0:00:04.00,0:00:06.00,Default,,0,0,0,,{\\b1}Two{\\b0} fishermen carry a net.
"""
FOUND = [(1.0, 3.5, "The harbour opens at seven."), (4.0, 6.0, "Two fishermen carry a net.")]


def find_subtitles(path: Path, duration_s: float, language: str = "") -> list[Passage]:
    return subtitles.find_subtitles(path, duration_s, language).passages


def read_side_file(file: Path) -> list[Passage]:
    """As a file beside the video `talk.mp4`."""
    (side,) = (one for one in side_files(file.with_name("talk.mp4")) if one.path == file)
    return subtitles.read_side_file(side)


def found(passages: list[Passage]) -> list[tuple[float, float, str]]:
    return [(p.start_s, p.end_s, p.text) for p in passages]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp4"
    write_video(path, [np.zeros((48, 64, 3), np.uint8)] * 50, 5)
    return path


@pytest.mark.parametrize(
    ("name", "text"), [("talk.srt", SRT), ("talk.vtt", VTT), ("talk.ass", ASS)]
)
def test_a_file_beside_the_video(video: Path, name: str, text: str):
    video.with_name(name).write_text(text, "utf-8")
    passages = find_subtitles(video, 10)
    assert found(passages) == FOUND
    assert {(p.kind, p.language, p.words) for p in passages} == {("speech", None, None)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_encodings_are_detected(tmp_path: Path, encoding: str):
    line = (
        "Сегодня очень хорошая погода, и мы идём гулять в парк. "
        "Вчера вечером я смотрел интересный фильм о море."
    )
    text = f"1\n00:00:01,000 --> 00:00:03,500\n{line}\n\n2\n00:00:04,000 --> 00:00:06,000\n{line}\n"
    file = tmp_path / "talk.ru.srt"
    file.write_bytes(text.encode(encoding))
    passages = read_side_file(file)
    assert [p.text for p in passages] == [line, line]
    assert passages[0].language == "ru"


def test_files_of_other_videos_are_left_alone(video: Path):
    for name in (
        "talk.srt",
        "talk.en.srt",
        "talk.EN-gb.vtt",
        "talk two.srt",
        "talk.part.two.srt",
        "talks.srt",
        "other.srt",
        "talk.txt",
    ):
        video.with_name(name).write_text(SRT)
    assert [one.path.name for one in side_files(video)] == [
        "talk.EN-gb.vtt",
        "talk.en.srt",
        "talk.srt",
    ]


def test_the_language_that_was_asked_for(video: Path):
    for language, text in (("de", "Der Hafen"), ("en", "The harbour"), ("fr", "Le port")):
        video.with_name(f"talk.{language}.srt").write_text(SRT.replace("The harbour", text))
    assert find_subtitles(video, 10, "fr")[0].text.startswith("Le port")
    assert find_subtitles(video, 10)[0].text.startswith("The harbour")
    assert find_subtitles(video, 10)[0].language == "en"


def test_a_few_signs_do_not_stand_in_for_speech(video: Path):
    video.with_name("talk.srt").write_text(SRT)
    assert find_subtitles(video, 3600) == []


def test_cues_past_the_end_are_clamped(video: Path):
    video.with_name("talk.srt").write_text(SRT)
    assert found(find_subtitles(video, 5)) == [FOUND[0], (4.0, 5, FOUND[1][2])]
    assert found(find_subtitles(video, 3.6)) == FOUND[:1]


def test_captions_that_roll_are_told_once(tmp_path: Path):
    file = tmp_path / "talk.vtt"
    file.write_text(
        "WEBVTT\n\n00:00.000 --> 00:02.000\nthe harbour opens\n\n"
        "00:02.000 --> 00:04.000\nthe harbour opens\nat seven\n\n"
        "00:04.000 --> 00:05.000\nat seven\n\n00:08.000 --> 00:09.000\nat seven\n"
    )
    assert found(read_side_file(file)) == [
        (0, 2, "the harbour opens"),
        (2, 5, "at seven"),
        (8, 9, "at seven"),
    ]


def test_a_file_that_is_none_is_named(video: Path):
    side = video.with_name("talk.srt")
    side.write_bytes(b"\x00\x01\x02 no subtitles at all")
    with pytest.raises(MediaError, match=r"talk\.srt"):
        find_subtitles(video, 10)
    video.with_name("talk.vtt").write_text(VTT)
    assert found(find_subtitles(video, 10)) == FOUND


def test_a_track_inside_the_file(video: Path, tmp_path: Path):
    (tmp_path / "signs.txt").write_text(SRT.replace("harbour", "SIGN"))
    (tmp_path / "speech.txt").write_text(SRT)
    file = tmp_path / "both.mkv"
    inputs = [
        part
        for name in ("signs", "speech")
        for part in ("-f", "srt", "-i", str(tmp_path / f"{name}.txt"))
    ]
    options = [
        "-map",
        "0",
        "-map",
        "1",
        "-map",
        "2",
        "-c",
        "copy",
        "-disposition:s:0",
        "forced",
        "-metadata:s:s:1",
        "language=ger",
    ]
    subprocess.run(
        [get_ffmpeg_exe(), "-v", "error", "-i", str(video), *inputs, *options, str(file)],
        check=True,
        timeout=60,
    )
    tracks = read_tracks(file)
    assert found(tracks[0]) == FOUND
    assert [track[0].language for track in tracks] == ["de", None]
    assert "SIGN" in tracks[1][0].text
    assert find_subtitles(file, 10) == tracks[0]


def test_the_tracks_of_real_files(test_data: Path):
    file = test_data / "natural" / "nasa_jwst.mp4"
    passages = find_subtitles(file, 13.056)
    assert passages[0] == Passage(
        "speech", 0.21, 4.26, "NAR: This is the optical and science segment of the Webb", "en"
    )
    assert passages[-1].end_s == 13.056
    assert len(read_tracks(file)) == 2


def test_a_video_without_subtitles(video: Path):
    assert find_subtitles(video, 10) == []


def test_what_is_written_as_srt_is_read_again(tmp_path: Path):
    passages = [
        Passage("speech", 3661.5, 3662.0, "Later --> {not} a code", "en"),
        Passage("speech", 0.0004, 0.0004, "A  very\nshort one", "en"),
    ]
    text = io.StringIO()
    write_srt(passages, text)
    assert text.getvalue().startswith(
        "1\n00:00:00,000 --> 00:00:00,001\nA very short one\n\n"
        "2\n01:01:01,500 --> 01:01:02,000\nLater -> {not} a code\n"
    )
    (tmp_path / "talk.srt").write_text(text.getvalue())
    assert [(p.start_s, p.end_s) for p in read_side_file(tmp_path / "talk.srt")] == [
        (0.0, 0.001),
        (3661.5, 3662.0),
    ]


def test_json_lines():
    text = io.StringIO()
    spoken = Passage("speech", 1.0, 2.0, "Grüße", "de", 0.9, (Word(1.0, 2.0, "Grüße"),))
    write_json_lines([spoken, Passage("screen", 3.0, 4.0, "今天")], text, video=7, path="a.mp4")
    first, second = (json.loads(line) for line in text.getvalue().splitlines())
    assert first == {
        "video": 7,
        "path": "a.mp4",
        "kind": "speech",
        "start_s": 1.0,
        "end_s": 2.0,
        "text": "Grüße",
        "language": "de",
        "confidence": 0.9,
        "words": [[1.0, 2.0, "Grüße"]],
    }
    assert second["text"] == "今天"
    assert "words" not in second


YOUTUBE = """WEBVTT
Kind: captions

NOTE made by a machine

00:00:00.000 --> 00:00:02.000
the<00:00:00.480><c> quick</c><00:00:00.800><c> brown</c><00:00:01.120><c> fox</c>

00:00:02.000 --> 00:00:02.010
the quick brown fox

NOTE between two cues
and of two lines

00:00:02.010 --> 00:00:04.000
the quick brown fox
jumps<00:00:02.500><c> over</c> Tom &amp; Jerry
"""


def test_captions_that_light_up_word_by_word_are_told_once(tmp_path):
    file = tmp_path / "talk.en.vtt"
    file.write_text(YOUTUBE)
    assert found(read_side_file(file)) == [
        (0, 2.01, "the quick brown fox"),
        (2.01, 4, "jumps over Tom & Jerry"),
    ]


def test_names_of_characters(tmp_path):
    file = tmp_path / "talk.srt"
    file.write_text(
        "1\n00:00:00,000 --> 00:00:02,000\nTom &lt;laughs&gt; &quot;loudly&quot;&nbsp;now\u200e\n"
    )
    assert found(read_side_file(file)) == [(0, 2, 'Tom <laughs> "loudly" now')]


@pytest.mark.parametrize(
    "content",
    [
        '{"info": {"x": 1}, "events": [1, 2]}',
        "<tt xmlns='http://www.w3.org/ns/ttml'><body",
        "\x00" * 90,
    ],
)
def test_files_that_look_like_other_formats_are_no_subtitles(tmp_path, content):
    file = tmp_path / "talk.srt"
    file.write_text(content)
    with suppress(MediaError):  # which lets speech be recognised instead
        assert read_side_file(file) == []


def test_a_damaged_place_costs_that_place_alone(tmp_path):
    line = "Ein schöner Tag für Müßiggang über Brücken, größer als früher"
    cue = f"1\n00:00:00,000 --> 00:00:02,000\n{line}\n".encode()
    file = tmp_path / "talk.srt"
    file.write_bytes(cue.replace(b"Tag", b"T\xffg"))
    assert (
        read_side_file(file)[0].text
        == "Ein schöner T\ufffdg für Müßiggang über Brücken, größer als früher"
    )


@pytest.mark.parametrize(
    ("language", "code_page", "text"),
    [("fr", "cp1252", "Où va le garçon à midi ?"), ("ru", "cp1251", "Завтра мы поедем в Москву")],
)
def test_the_language_in_the_name_decides_how_old_files_are_read(
    tmp_path, language, code_page, text
):
    file = tmp_path / f"talk.{language}.srt"
    file.write_bytes(f"1\n00:00:00,000 --> 00:00:02,000\n{text}\n".encode(code_page))
    assert (read_side_file(file)[0].text, read_side_file(file)[0].language) == (text, language)


def test_which_files_belong_to_a_video(tmp_path):
    for name in (
        "lecture.mp4",
        "lecture.part2.mp4",
        "lecture.srt",
        "lecture.en.sdh.srt",
        "lecture.part2.srt",
        "lecture.part2.en.srt",
    ):
        (tmp_path / name).write_text("")
    (tmp_path / "lecture.anything.srt").write_text("")
    (tmp_path / "lecture.some.thing.srt").write_text("")
    names = [one.path.name for one in side_files(tmp_path / "lecture.mp4")]
    assert names == ["lecture.anything.srt", "lecture.en.sdh.srt", "lecture.srt"]
    assert [one.path.name for one in side_files(tmp_path / "lecture.part2.mp4")] == [
        "lecture.part2.en.srt",
        "lecture.part2.srt",
    ]


def test_drawings_of_a_track_are_no_words():
    line = rb"0,0,Default,,0,0,0,,{\p1}m 0 0 l 100 0 100 100{\p0}Late{\i1} cue"
    assert ass_text(line) == "Late cue"
    assert ass_text(rb"0,0,Default,,0,0,0,,{\an7\p1}m 0 0 l 9 9") == ""


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_webvtt_files_of_all_systems(tmp_path, ending):
    file = tmp_path / "talk.vtt"
    file.write_bytes(VTT.replace("\n", ending).encode())
    assert found(read_side_file(file)) == FOUND


def test_languages_are_kept_side_by_side(video: Path):
    for language, text in (("de", "Der Hafen"), ("en", "The harbour"), ("en.forced", "SIGN")):
        video.with_name(f"talk.{language}.srt").write_text(SRT.replace("The harbour", text))
    passages = find_subtitles(video, 10, "de")
    assert [(p.language, p.text) for p in passages[::2]] == [
        ("de", "Der Hafen opens at seven."),
        ("en", "The harbour opens at seven."),
    ]


TELEMETRY = "".join(
    f"{n + 1}\n00:00:{n // 25:02d},{n % 25 * 40:03d} --> "
f"00:00:{n // 25:02d},{n % 25 * 40 + 40:03d}\n"
    f'<font size="28">SrtCnt : {n + 1}, DiffTime : 40ms\n'
    f"[iso : 100] [shutter : 1/{640 + n % 7}.0] [latitude: {48.1 + n / 1e5:.6f}] "
    f"[longitude: {11.5 + n / 1e5:.6f}] [rel_alt: {n / 10:.3f}]</font>\n\n"
    for n in range(125)
)


def test_telemetry_is_not_speech_and_costs_nothing(video: Path):
    video.with_name("talk.srt").write_text(TELEMETRY)
    result = subtitles.find_subtitles(video, 5)
    assert result.passages == []
    assert len(result.notes) == 1
    assert "talk.srt" in result.notes[0]
    video.with_name("talk.en.srt").write_text(SRT)
    result = subtitles.find_subtitles(video, 5)
    assert len(result.passages) == 2
    assert len(result.notes) == 1


def test_speech_with_numbers_is_speech():
    counting = [
        Cue(n, n + 1, f"{n} bottles of beer on wall {n % 3}, take one down") for n in range(20)
    ]
    assert not subtitles.is_telemetry(counting[:9])
    lesson = [
        Cue(n, n + 1, f"Chapter {n}: {'abcdefghijklmnopqrstuvwxyz'[n]} is next") for n in range(20)
    ]
    assert not subtitles.is_telemetry(lesson)
    assert subtitles.is_telemetry([Cue(n, n + 1, f"{n}.5 12:00:{n:02d}") for n in range(20)])
