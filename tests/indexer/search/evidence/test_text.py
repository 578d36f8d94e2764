"""What is said and what is written, from the file to the answer. Real models on generated videos;
pictures by the demo embedder.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from indexer.embedders.demo import DemoEmbedder
from indexer.embedders.text.scripts import mostly_in
from indexer.errors import ModelError
from indexer.library import Library
from indexer.passages.subtitles.parser import read_side_file
from indexer.passages.subtitles.side_files import SideFile
from tests.indexer.media.golden import ffmpeg
from tests.indexer.passages.sounds import music, needs_espeak, place, say, word_error_rate
from tests.indexer.talks import Part, make_talk, write_sound
from tests.support import colour_video, demo_library, run_command

pytestmark = needs_espeak

EDGE = "Help the woman get back to her feet."
PARTS = [
    Part(8, "red", speech="The boy was there when the sun rose.", after_s=1.0),
    Part(8, "green", title="Quarterly revenue of the harbour"),
    Part(9, "blue", speech="The juice of lemons makes fine punch.", after_s=1.0),
    Part(
        50, "black", speech=EDGE, after_s=48.8
    ),  # the first of two chunks ends at 75 s, in the middle of the sentence
    Part(50, "white"),
    Part(25, "yellow", title="Meeting in room 4711"),
]


@pytest.fixture(scope="module")
def talk(tmp_path_factory) -> tuple[Library, Path, list]:
    """A library with one talk of 150 s, its home, and when its sentences are said."""
    folder = tmp_path_factory.mktemp("talk")
    words_spoken = make_talk(folder / "media" / "talk.mp4", PARTS)
    library = demo_library(folder / "home", speech=True, screen_text=True)
    report = library.ingest([folder / "media"], "talks")
    assert [file.state for file in report.files] == ["indexed"]
    return library, folder / "home", words_spoken


def best(library: Library, question: str, **options):
    return library.search(question, **options).moments[0]


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("the boy was there when the sun rose", 0),
        ("when does she say that the boy was there?", 0),
        ("someone talks about lemon juice", 1),
        ("lemon*", 1),
        ("a citrus drink", 1),
    ],
)
def test_a_sentence_is_found_where_it_is_said(talk, question, sentence):
    library, _, words_spoken = talk
    answer = library.search(question)
    assert answer.matched
    assert answer.moments[0].span.iou(words_spoken[sentence]) > 0.6
    assert answer.moments[0].evidence[0].kind == "speech"


def test_a_quoted_phrase_lasts_as_long_as_its_words(talk):
    library, _, words_spoken = talk
    moment = best(library, 'when does he say "the sun rose"?')
    words = [word.strip(".").lower() for _, _, word in moment.evidence[0].words]
    assert words == ["the", "sun", "rose"]
    assert moment.span.start_s == pytest.approx(moment.evidence[0].words[0][0])
    assert words_spoken[0].middle_s < moment.span.start_s + 0.3
    assert abs(moment.span.end_s - words_spoken[0].end_s) < 0.6
    nothing = library.search('he says "the sun set"')
    assert not any(
        item.kind == "speech" and item.words
        for moment in nothing.moments
        for item in moment.evidence
    )


def test_a_sentence_across_the_edge_of_a_chunk_is_one_passage(talk):
    library, _, words_spoken = talk
    moment = best(library, "help the woman get back to her feet", only=["speech"])
    assert words_spoken[2].start_s < 75 < words_spoken[2].end_s
    assert moment.span.iou(words_spoken[2]) > 0.6
    assert word_error_rate(moment.evidence[0].text, EDGE) <= 0.125
    spoken = [
        item
        for item in library.search("woman feet", only=["speech"]).moments
        if "woman" in item.evidence[0].text.lower()
    ]
    assert len(spoken) == 1


def test_what_is_written_is_found_while_it_is_shown(talk):
    library, _, _ = talk
    for question in (
        "quarterly revenue",
        "the slide says quarterly revenue",
        "income of the port on the slide",
    ):
        moment = best(library, question)
        assert moment.evidence[0].kind == "screen", question
        assert (moment.span.start_s, moment.span.end_s) == (
            pytest.approx(8, abs=1.1),
            pytest.approx(16, abs=1.1),
        )
    assert best(library, "the sign reads 4711").span.start_s == pytest.approx(125, abs=1.1)


def test_only_keeps_the_kinds_that_were_asked_for(talk):
    library, _, _ = talk
    for kind in ("speech", "screen", "picture"):
        kinds = {
            item.kind
            for moment in library.search("the boy was there", only=[kind]).moments
            for item in moment.evidence
        }
        assert kinds <= {kind}


def test_the_hint_and_the_picture_decide_together(talk):
    library, _, _ = talk
    moment = best(library, "when is it green?")
    assert moment.evidence[0].kind == "picture"
    assert (moment.span.start_s, moment.span.end_s) == (
        pytest.approx(8, abs=0.6),
        pytest.approx(16, abs=0.6),
    )


@pytest.mark.parametrize(
    "question",
    [
        "the stock exchange in Tokyo",
        "she talks about dinosaurs",
        "the sign reads closed for repairs",
    ],
)
def test_what_nobody_says_or_writes_is_no_match(talk, question):
    library, _, _ = talk
    assert not library.search(question, only=["speech", "screen"]).matched


def test_a_published_snapshot_answers_alike_and_goes_with_its_video(talk, tmp_path):
    library, home, _ = talk
    before = [(m.span, m.evidence[0].kind) for m in library.search("a citrus drink").moments]
    assert {published.rows > 0 for published in library.reindex()} == {True}
    assert len(list((home / "snapshots").iterdir())) == 3
    again = demo_library(home, speech=True, screen_text=True)
    assert [(m.span, m.evidence[0].kind) for m in again.search("a citrus drink").moments] == before
    checks = {check.name: check for check in again.doctor() if check.name.startswith("vectors")}
    assert len(checks) == 3
    assert all(check.ok for check in checks.values())


def test_the_command_line_shows_words_and_writes_them_out(talk, tmp_path):
    _, home, words_spoken = talk

    def seekpoint(*arguments: object) -> str:
        done = run_command(home, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    found = json.loads(seekpoint("search", "the boy was there", "--json"))["moments"][0][
        "evidence"
    ][0]
    assert found["text"].startswith("The boy was")
    assert found["words"][0]["word"] == "boy"
    assert found["words"][0]["start_s"] == pytest.approx(words_spoken[0].start_s, abs=0.6)
    seekpoint("subtitles", "1", "-o", tmp_path / "talk.srt")
    cues = read_side_file(SideFile(tmp_path / "talk.srt", None, forced=False, may_be_hindi=False))
    assert len(cues) == 3
    assert all(cue.span.iou(span) > 0.5 for cue, span in zip(cues, words_spoken))
    seekpoint("transcripts", "-o", tmp_path / "all.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines].count("speech") == 3
    assert any("revenue" in line["text"] for line in lines if line["kind"] == "screen")


def test_chinese_on_screen(tmp_path):
    fonts = pytest.importorskip(
        "pylopdf_fonts_zh_cn", reason="no font with Chinese letters (pylopdf-fonts-zh-cn)"
    )
    parts = [
        Part(6, "red"),
        Part(6, "blue", title="今天天气很好"),
        Part(6, "red", title="图书馆开放时间"),
    ]
    make_talk(tmp_path / "media" / "zh.mp4", parts, str(fonts.sans_path()))
    library = demo_library(tmp_path / "home", screen_text=True)
    library.ingest([tmp_path / "media"])
    for question, start_s in (
        ("天气", 6),
        ("屏幕上写着图书馆", 12),
        ("what is the weather like today", 6),
    ):
        answer = library.search(question)
        assert answer.matched, question
        assert answer.moments[0].span.start_s == pytest.approx(start_s, abs=1.1), question
        assert answer.moments[0].evidence[0].kind == "screen"


@pytest.mark.skipif(
    not os.environ.get("SEEKPOINT_TEST_WHISPER"),
    reason="SEEKPOINT_TEST_WHISPER names no multilingual model",
)
def test_a_multilingual_model_stores_the_language_of_each_video(tmp_path):
    words_spoken = {
        "es": ("es", "Hoy hace muy buen tiempo y vamos a pasear por el parque."),
        "en": ("en-us", EDGE),
    }
    for language, (voice, text) in words_spoken.items():
        make_talk(
            tmp_path / "media" / f"{language}.mp4", [Part(7, "red", speech=text, voice=voice)]
        )
    library = demo_library(
        tmp_path / "home", speech=True, speech_model=os.environ["SEEKPOINT_TEST_WHISPER"]
    )
    assert not library.ingest([tmp_path / "media"]).failures
    library.transcripts(None, tmp_path / "all.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert {(Path(line["path"]).stem, line["language"]) for line in lines} == {
        (language, language) for language in words_spoken
    }
    assert best(library, "un paseo por el parque", only=["speech"]).title == "es"


def test_music_and_silence_say_nothing(tmp_path):
    make_talk(tmp_path / "media" / "music.mp4", [Part(12, "red")], sound=music(12, drums=True))
    make_talk(tmp_path / "media" / "silent.mp4", [Part(6, "blue")])
    library = demo_library(tmp_path / "home", speech=True)
    assert {file.state for file in library.ingest([tmp_path / "media"]).files} == {"indexed"}
    assert library.transcripts(None, tmp_path / "all.jsonl") == 0


def test_a_file_with_sound_alone_is_searched_by_what_is_said(tmp_path):
    write_sound(
        tmp_path / "talk.wav", place(6, (1.0, say("The juice of lemons makes fine punch.")))
    )
    library = demo_library(tmp_path / "home", speech=True, screen_text=True)
    report = library.ingest([tmp_path / "talk.wav"])
    assert [file.state for file in report.files] == ["indexed"]
    moment = best(library, "lemons")
    assert moment.thumbnail is None
    assert moment.span.start_s == pytest.approx(1.0, abs=0.6)


def test_a_file_with_neither_is_refused(tmp_path):
    ffmpeg("-f", "lavfi", "-i", "sine=duration=2", tmp_path / "sound.wav")
    off = demo_library(tmp_path / "home")
    (failure,) = off.ingest([tmp_path / "sound.wav"]).failures
    assert "no video stream" in failure.error
    assert "SEEKPOINT_SPEECH" in failure.hint
    (tmp_path / "words.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nhello\n")
    on = demo_library(tmp_path / "other", speech=True)
    assert len(on.ingest([tmp_path / "words.srt"]).failures) == 1


def test_the_first_of_several_audio_tracks_is_heard(tmp_path):
    colour_video(tmp_path / "silent.mp4", [("red", 6)])
    for name, text in (
        ("a", "The juice of lemons makes fine punch."),
        ("b", "The hogs were fed chopped corn and garbage."),
    ):
        write_sound(tmp_path / f"{name}.wav", place(6, (1.0, say(text))))
    sources = [
        part for name in ("silent.mp4", "a.wav", "b.wav") for part in ("-i", tmp_path / name)
    ]
    (tmp_path / "media").mkdir()
    ffmpeg(
        *sources,
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-map",
        "2:a",
        "-c:a",
        "aac",
        tmp_path / "media" / "two.mkv",
    )
    library = demo_library(tmp_path / "home", speech=True)
    assert not library.ingest([tmp_path / "media"]).failures
    assert best(library, "lemons", only=["speech"]).evidence[0].text.startswith("The juice")


def test_damaged_sound_does_not_stop_the_rest(tmp_path):
    make_talk(
        tmp_path / "media" / "talk.mkv",
        [Part(10, "red", speech="The juice of lemons makes fine punch."), Part(5, "blue")],
    )
    path = tmp_path / "media" / "talk.mkv"
    data = bytearray(path.read_bytes())
    noise = np.random.default_rng(0).integers(0, 256, len(data) // 4, np.uint8).tobytes()
    data[len(data) // 2 : len(data) // 2 + len(noise)] = noise
    path.write_bytes(bytes(data))
    library = demo_library(tmp_path / "home", speech=True)
    report = library.ingest([tmp_path / "media"])
    assert {file.state for file in report.files} <= {"indexed", "partly"}
    assert best(library, "red").evidence[0].kind == "picture"


def test_a_question_in_two_scripts_says_what_was_not_read(talk, monkeypatch):
    library, _, _ = talk
    monkeypatch.setattr(DemoEmbedder, "reads", lambda _, text: mostly_in(text, {"LATIN"}))
    (note,) = library.search("when is it green beside the काला house?").notes
    assert "काला" in note
    assert "green" not in note
    assert library.search("when is it green?").notes == ()


@pytest.mark.parametrize(
    "settings",
    [
        {"speech": True, "speech_model": "nowhere/at/all/model"},
        {"speech": True, "speech_language": "de"},
        {"speech": True, "speech_model": "."},
    ],
    ids=["no such model", "a language that the model does not know", "a folder without a model"],
)
def test_a_wrong_speech_model_is_one_error_before_any_file(tmp_path, settings):
    for name in ("a.mp4", "b.mp4"):
        colour_video(tmp_path / "media" / name, [("red", 2)])
    library = demo_library(tmp_path / "home", **settings)
    with pytest.raises(ModelError, match=settings.get("speech_model", "'de'")):
        library.ingest([tmp_path / "media"])
    assert library.videos() == []


@pytest.mark.parametrize("setting", ["speech", "screen_text"])
def test_a_package_that_is_missing_is_one_error_before_any_file(tmp_path, monkeypatch, setting):
    colour_video(tmp_path / "a.mp4", [("red", 2)])
    for module in ("indexer.passages.speech.recognition", "indexer.passages.screen.ocr"):
        monkeypatch.setattr(f"{module}.find_spec", lambda name: None)
    with pytest.raises(ModelError) as caught:
        demo_library(tmp_path / "home", **{setting: True}).ingest([tmp_path / "a.mp4"])
    assert "pip install" in caught.value.hint


SUBTITLES = (
    "1\n00:00:01,000 --> 00:00:03,500\nThe captain lowers the anchor.\n\n2\n00:00:04,000 "
    "--> 00:00:05,500\nEverybody waits.\n"
)


def test_subtitles_that_come_later_replace_what_was_recognised(tmp_path):
    video = colour_video(tmp_path / "media" / "film.mp4", [("red", 6)])
    library = demo_library(tmp_path / "home", speech=True)
    library.ingest([tmp_path / "media"])
    assert library.search("captain", only=["speech"]).moments == ()
    side = video.with_suffix(".srt")
    side.write_text(SUBTITLES)
    assert [file.state for file in library.ingest([tmp_path / "media"]).files] == ["indexed"]
    assert best(library, "captain", only=["speech"]).span.start_s == 1.0
    assert [file.state for file in library.ingest([tmp_path / "media"]).files] == ["unchanged"]
    side.write_text(SUBTITLES.replace("captain", "pilot"))
    library.ingest([tmp_path / "media"])
    assert (
        best(library, "captain", only=["speech"]).evidence[0].text == "The pilot lowers the anchor."
    )


def test_broken_subtitles_do_not_stop_a_video(tmp_path, caplog):
    make_talk(
        tmp_path / "media" / "talk.mp4",
        [Part(6, "red", speech="The juice of lemons makes fine punch.", after_s=1.0)],
    )
    (tmp_path / "media" / "talk.srt").write_bytes(os.urandom(3000))
    library = demo_library(tmp_path / "home", speech=True)
    assert [file.state for file in library.ingest([tmp_path / "media"]).files] == ["indexed"]
    assert best(library, "lemons").evidence[0].kind == "speech"
    assert "talk.srt" in caplog.text
