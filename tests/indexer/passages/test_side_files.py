import unicodedata
from pathlib import Path

import pytest

from indexer.passages.side_files import side_files, side_files_changed_s
from indexer.passages.subtitles import find_subtitles

CUE = "1\n00:00:00,000 --> 00:00:09,000\n{}\n"


def described(video: Path) -> list[tuple[str, str | None, bool]]:
    return [(one.path.name, one.language, one.forced) for one in side_files(video)]


def test_full_files_come_before_forced_ones(tmp_path):
    for name in ("talk.de.forced.srt", "talk.de.srt", "talk.en.signs.srt", "talk.en.srt"):
        (tmp_path / name).write_text(CUE.format("text"))
    assert described(tmp_path / "talk.mp4") == [
        ("talk.de.srt", "de", False),
        ("talk.en.srt", "en", False),
        ("talk.de.forced.srt", "de", True),
        ("talk.en.signs.srt", "en", True),
    ]


@pytest.mark.parametrize(
    ("name", "text", "language"),
    [
        ("talk.en.hi.srt", "[door opens] Hello there", "en"),
        ("talk.hi.en.srt", "[door opens] Hello there", "en"),
        ("talk.en.sdh.srt", "[door opens] Hello there", "en"),
        ("talk.hi.srt", "[door opens] Hello there", None),
        ("talk.hi.srt", "नमस्ते, आप कैसे हैं", "hi"),
        ("talk.hin.srt", "नमस्ते, आप कैसे हैं", "hi"),
    ],
)
def test_hi_is_hindi_only_where_the_text_is(tmp_path, name, text, language):
    (tmp_path / name).write_text(CUE.format(text), "utf-8")
    (tmp_path / "talk.mp4").write_bytes(b"video")
    found = find_subtitles(tmp_path / "talk.mp4", 10.0)
    assert [p.language for p in found.passages] == [language]


def test_accents_may_be_characters_of_their_own(tmp_path):
    video = tmp_path / unicodedata.normalize("NFC", "Café Müller.mp4")
    side = tmp_path / unicodedata.normalize("NFD", "Café Müller.de.srt")
    side.write_text(CUE.format("Guten Tag"))
    assert [one.path for one in side_files(video)] == [side]
    assert side_files(video)[0].language == "de"


@pytest.mark.parametrize("beside", ["talk.en.idx", "talk.en.sub", "talk.en.txt", "talk.en.nfo"])
def test_files_that_are_no_videos_take_no_subtitles_away(tmp_path, beside):
    for name in ("talk.mp4", "talk.en.srt", beside):
        (tmp_path / name).write_text(CUE.format("text"))
    assert described(tmp_path / "talk.mp4") == [("talk.en.srt", "en", False)]


def test_another_video_keeps_its_own(tmp_path):
    for name in ("talk.mp4", "talk.part2.mkv", "talk.part2.en.srt"):
        (tmp_path / name).write_text(CUE.format("text"))
    assert described(tmp_path / "talk.mp4") == []
    assert described(tmp_path / "talk.part2.mkv") == [("talk.part2.en.srt", "en", False)]


def test_a_change_of_a_side_file_is_seen(tmp_path):
    video = tmp_path / "talk.mp4"
    assert side_files_changed_s(video) == 0.0
    (tmp_path / "talk.srt").write_text(CUE.format("text"))
    assert side_files_changed_s(video) > 1.7e9
