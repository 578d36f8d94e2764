import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from grounding.spans import Span
from indexer.errors import ModelError
from indexer.media.decode.audio import read_audio
from indexer.passages.base import Passage
from indexer.passages.speech.recognition import (
    EDGE_S,
    SpeechModel,
    load_speech_model,
    own_speech,
    speech_key,
    speech_window,
    transcribe_chunk,
)
from indexer.passages.speech.vad import spoken_windows
from indexer.settings import load_settings
from tests.indexer.passages import sounds
from tests.indexer.passages.sounds import (
    CHINESE,
    RATE_HZ,
    SENTENCES,
    in_turn,
    needs_espeak,
    place,
    say,
    word_error_rate,
)

pytest.importorskip("faster_whisper", reason="the extra speech is not installed")


@pytest.fixture(scope="module")
def model() -> SpeechModel:
    return load_speech_model(load_settings())


def test_short_groups_of_speech_are_heard_together():
    groups = [
        Span(1.0, 3.0),
        Span(10.0, 21.0),
        Span(30.0, 44.0),
        Span(50.0, 78.0),
        Span(90.0, 91.0),
    ]
    windows = spoken_windows(groups)
    assert [window.groups for window in windows] == [
        (groups[0], groups[1], groups[2]),
        (groups[3],),
        (groups[4],),
    ]
    assert windows[0].length_s == 27.0
    assert windows[0].group_at(1.9) == (groups[0], 1.0)
    assert windows[0].group_at(2.1) == (groups[1], 8.0)
    assert windows[0].group_at(27.0) == (groups[2], 17.0)
    samples = np.arange(100 * RATE_HZ)
    assert len(windows[0].samples(samples)) == 27 * RATE_HZ
    assert windows[0].samples(samples)[2 * RATE_HZ] == 10 * RATE_HZ


@needs_espeak
def test_sentences_with_long_pauses_are_understood_each_at_its_time(model: SpeechModel):
    samples, spans = in_turn(SENTENCES, "en-us", gap_s=3.0)
    passages = model.transcribe(samples, 100.0)
    assert word_error_rate(text_of(passages), " ".join(SENTENCES)) < 0.25
    assert len(passages) == len(spans)
    for passage, (start_s, end_s) in zip(passages, spans):
        assert passage.start_s == pytest.approx(100 + start_s, abs=0.5)
        assert passage.end_s == pytest.approx(100 + end_s, abs=0.5)


def text_of(passages: list[Passage]) -> str:
    return " ".join(p.text for p in passages)


@needs_espeak
@pytest.mark.parametrize(
    ("voice", "limit"), [("en-us", 0.15), ("en-gb", 0.15), ("en-us+f3", 0.2), ("en-us+m3", 0.2)]
)
def test_what_is_said_is_written_with_its_times(model: SpeechModel, voice: str, limit: float):
    samples, spans = in_turn(SENTENCES, voice)
    passages = model.transcribe(samples, 100.0)
    assert word_error_rate(text_of(passages), " ".join(SENTENCES)) <= limit
    assert len(passages) == len(SENTENCES)
    for passage, (start_s, end_s) in zip(passages, spans):
        assert passage.start_s == pytest.approx(100 + start_s, abs=0.5)
        assert passage.end_s == pytest.approx(100 + end_s, abs=0.6)


@needs_espeak
def test_a_passage_is_plain_values_in_order(model: SpeechModel):
    passages = model.transcribe(in_turn(SENTENCES[:3], "en-us")[0], 0.0)
    for passage in passages:
        assert (passage.kind, passage.language) == ("speech", "en (assumed)")
        assert passage.confidence is not None
        assert 0.45 <= passage.confidence <= 1
        assert passage.words
        assert " ".join(word.text for word in passage.words) == passage.text
        for word in passage.words:
            assert type(word.start_s) is float
            assert type(word.end_s) is float
            assert passage.start_s <= word.start_s <= word.end_s <= passage.end_s
    assert [p.start_s for p in passages] == sorted(p.start_s for p in passages)


@needs_espeak
@pytest.mark.parametrize(
    "under",
    [lambda s: sounds.pink_noise(s, 0.008), lambda s: 0.1 * sounds.music(s)],
    ids=["noise", "music"],
)
def test_speech_over_noise_and_music(model: SpeechModel, under):
    samples, _ = in_turn(SENTENCES, "en-us")
    background = under(len(samples) / RATE_HZ + 1)[: len(samples)]
    assert (
        word_error_rate(text_of(model.transcribe(samples + background, 0.0)), " ".join(SENTENCES))
        <= 0.35
    )


@pytest.mark.parametrize(
    "sound",
    [
        sounds.silence(20),
        sounds.white_noise(20),
        sounds.pink_noise(20),
        sounds.music(20),
        sounds.music(20, drums=True),
        np.sin(np.arange(20 * RATE_HZ) * (2 * np.pi * 50 / RATE_HZ)).astype(np.float32),
        sounds.silence(0.01),
        sounds.silence(0),
    ],
    ids=[
        "silence",
        "white noise",
        "pink noise",
        "music",
        "drums",
        "hum",
        "nearly nothing",
        "nothing",
    ],
)
def test_no_text_where_nobody_speaks(model: SpeechModel, sound: np.ndarray):
    assert model.transcribe(sound, 0.0) == []


@needs_espeak
@pytest.mark.parametrize(
    ("voice", "texts"),
    [
        ("cmn", CHINESE),
        (
            "ru",
            (
                "Сегодня очень хорошая погода, и мы идём гулять в парк.",
                "Вчера вечером я смотрел очень интересный фильм.",
            ),
        ),
        (
            "es",
            (
                "Hoy hace muy buen tiempo y vamos a pasear por el parque.",
                "Anoche vi una película muy interesante.",
            ),
        ),
    ],
)
def test_the_english_model_drops_other_languages(
    model: SpeechModel, voice: str, texts: tuple[str, ...]
):
    assert model.transcribe(in_turn(texts, voice)[0], 0.0) == []


DURATION_S = 120.0
CHUNKS = (Span(0, 60), Span(60, 120))


def by_chunk(model: SpeechModel, samples: np.ndarray) -> list[list[Passage]]:
    passages = []
    for chunk in CHUNKS:
        window = speech_window(chunk, DURATION_S)
        piece = samples[round(window.start_s * RATE_HZ) : round(window.end_s * RATE_HZ)]
        passages.append(transcribe_chunk(model, piece, window.start_s, chunk, DURATION_S))
    return passages


@needs_espeak
@pytest.mark.parametrize("begins_s", [57.5, 59.5])
def test_a_sentence_across_an_edge_comes_once_and_whole(model: SpeechModel, begins_s: float):
    across = "A child watches the lighthouse while the storm passes over the island."
    samples = place(
        DURATION_S, (52, say(SENTENCES[0])), (begins_s, say(across)), (66, say(SENTENCES[2]))
    )
    first, second = by_chunk(model, samples)
    heard = [p.text for p in first + second]
    assert word_error_rate(" ".join(heard), f"{SENTENCES[0]} {across} {SENTENCES[2]}") <= 0.12
    assert sum("lighthouse" in text for text in heard) == 1
    assert len(heard) == 3


@needs_espeak
def test_speech_without_a_pause_is_not_doubled_or_lost_at_an_edge(model: SpeechModel):
    words_spoken = " and ".join(text.rstrip(".").lower() for text in SENTENCES * 2)
    samples = place(DURATION_S, (45.0, say(words_spoken, "en-us", 170)))
    first, second = by_chunk(model, samples)
    assert first
    assert second
    whole = text_of(model.transcribe(samples, 0.0))
    parts = text_of(first + second)
    assert abs(len(parts.split()) - len(words_spoken.split())) <= 6
    assert word_error_rate(parts, words_spoken) <= word_error_rate(whole, words_spoken) + 0.1
    assert max(p.end_s for p in first) <= min(p.start_s for p in second) + 0.3


@needs_espeak
def test_neighbours_agree_where_their_edge_lies():
    samples = place(DURATION_S, (55, say(SENTENCES[3])), (59.6, say(SENTENCES[4])))
    left, right = (speech_window(chunk, DURATION_S) for chunk in CHUNKS)
    assert (left, right) == (Span(0, 60 + EDGE_S), Span(60 - EDGE_S, 120))
    one = own_speech(samples[: round(left.end_s * RATE_HZ)], left.start_s, CHUNKS[0], DURATION_S)
    other = own_speech(
        samples[round(right.start_s * RATE_HZ) :], right.start_s, CHUNKS[1], DURATION_S
    )
    assert (one.start_s, other.end_s) == (0, 120)
    assert one.end_s == other.start_s
    assert abs(one.end_s - 60) <= EDGE_S


def sound_file(path: Path, tracks: list[np.ndarray], picture_s: float = 0.0) -> Path:
    with av.open(str(path), "w") as container:
        if picture_s:
            video = container.add_stream("libx264", rate=5)
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        streams = [container.add_stream("aac", rate=RATE_HZ, layout="mono") for _ in tracks]
        for _ in range(int(picture_s * 5)):
            container.mux(
                video.encode(
                    av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
                )
            )
        if picture_s:
            container.mux(video.encode())
        for stream, samples in zip(streams, tracks):
            for at in range(0, len(samples), 1024):
                frame = av.AudioFrame.from_ndarray(
                    samples[None, at : at + 1024], format="fltp", layout="mono"
                )
                frame.sample_rate, frame.pts = RATE_HZ, at
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return path


@needs_espeak
def test_sound_without_pictures(model: SpeechModel, tmp_path: Path):
    file = sound_file(tmp_path / "talk.m4a", [in_turn(SENTENCES[:2], "en-us")[0]])
    samples, start_s = read_audio(file, 0, 8)
    assert (
        word_error_rate(text_of(model.transcribe(samples, start_s)), " ".join(SENTENCES[:2])) <= 0.2
    )


@needs_espeak
def test_the_track_that_was_asked_for(model: SpeechModel, tmp_path: Path):
    tracks = [sounds.music(8), place(8, (1, say(SENTENCES[0])))]
    file = sound_file(tmp_path / "two.mp4", tracks, picture_s=8)
    texts = [
        text_of(model.transcribe(read_audio(file, 0, 8, track=track)[0], 0)) for track in (0, 1)
    ]
    assert texts[0] == ""
    assert word_error_rate(texts[1], SENTENCES[0]) <= 0.25


@needs_espeak
def test_damaged_sound_keeps_what_can_be_heard(model: SpeechModel, tmp_path: Path):
    file = sound_file(
        tmp_path / "broken.m4a", [place(24, (1, say(SENTENCES[0])), (20, say(SENTENCES[2])))]
    )
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle - 400 : middle + 400] = (
        np.random.default_rng(3).integers(0, 256, 800, np.uint8).tobytes()
    )
    file.write_bytes(data)
    passages = model.transcribe(read_audio(file, 0, 24)[0], 0)
    assert word_error_rate(text_of(passages), f"{SENTENCES[0]} {SENTENCES[2]}") <= 0.25


def test_real_speech_is_written_and_real_music_is_not(model: SpeechModel, test_data: Path):
    folder = test_data / "natural"
    spoken, _ = read_audio(folder / "nasa_jwst.mp4", 0, 13)
    wanted = (
        "This is the optical and science segment of the Webb Space Telescope in one of "
        "the largest clean rooms in the world "
        "at NASA's Goddard Space Flight Center in Greenbelt, Maryland."
    )
    assert word_error_rate(text_of(model.transcribe(spoken, 0)), wanted) <= 0.05
    for name, seconds in (
        ("bbb_intro.webm", 30),
        ("bbb_wakeup.mp4", 5),
        ("chaplin.mp4", 9),
        ("gradio_earth.mp4", 30),
        ("sam2_coffee.mp4", 9),
    ):
        assert model.transcribe(read_audio(folder / name, 0, seconds)[0], 0) == [], name


@needs_espeak
@pytest.mark.skipif(
    not os.environ.get("SEEKPOINT_TEST_WHISPER"),
    reason="SEEKPOINT_TEST_WHISPER names no multilingual model",
)
def test_a_multilingual_model_tells_the_language():
    model = load_speech_model(load_settings(speech_model=os.environ["SEEKPOINT_TEST_WHISPER"]))
    spanish = (
        "Hoy hace muy buen tiempo y vamos a pasear por el parque.",
        "Anoche vi una película muy interesante.",
    )
    assert {p.language for p in model.transcribe(in_turn(spanish, "es")[0], 0)} == {"es"}
    assert {p.language for p in model.transcribe(in_turn(SENTENCES, "en-us")[0], 0)} == {"en"}


def test_a_model_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ModelError, match=r"nowhere.*no such folder") as caught:
        load_speech_model(load_settings(speech_model=str(tmp_path / "nowhere" / "at" / "all")))
    assert "SEEKPOINT_SPEECH_MODEL" in caught.value.hint


def test_the_english_model_cannot_be_asked_for_german():
    with pytest.raises(ModelError, match="'de'"):
        load_speech_model(load_settings(speech_language="de"))


def test_the_key_follows_the_settings():
    keys = {
        speech_key(load_settings(**s))
        for s in (
            {},
            {"speech_model": "/models/base"},
            {"speech_model": "/models/base", "speech_language": "de"},
        )
    }
    assert len(keys) == 3


def test_importing_loads_no_model():
    code = (
        "import sys\n"
        "import indexer.passages.speech.recognition, indexer.passages.screen.screen_reader\n"
        "import indexer.passages.subtitles.parser\n"
        "heavy = ('faster_whisper', 'ctranslate2', 'onnxruntime', 'cv2', 'rapidocr', 'torch')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )
