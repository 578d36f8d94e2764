"""The joining of the parts is tested with small parts, what the model hears with the real ones."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from indexer.catalog import videos
from indexer.catalog.passages import list_passages
from indexer.errors import ModelError, UsageError
from indexer.passages.speech import multilingual
from indexer.passages.speech.language import LanguageChoice
from indexer.passages.speech.multilingual import PACKAGES, join_model
from indexer.passages.speech.recognition import SpeechModel, load_speech_model, require_speech_model
from indexer.settings import load_settings
from tests.indexer.passages import sounds
from tests.indexer.passages.sounds import in_turn, needs_espeak, word_error_rate
from tests.indexer.talks import Part, make_talk
from tests.support import demo_library

GERMAN = (
    "Heute ist das Wetter sehr schön und wir gehen im Park spazieren.",
    "Der Zug nach Hamburg fährt um acht Uhr von Gleis sieben.",
)
ITALIAN = (
    "Il porto apre alle sette di mattina.",
    "Allacciate le cinture, stiamo per atterrare.",
    "Il fiume inonda la valle ogni anno.",
    "Mia nonna mi ha insegnato a lavorare a maglia.",
)
PARTS = (b"the first half of a model, ", b"and the second")
needs_model = pytest.mark.skipif(
    not multilingual.is_installed(), reason="the extra speech-multilingual is not installed"
)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two small packages in place of the real ones, importable."""
    folder = tmp_path / "packages"
    for number, (package, part) in enumerate(zip(PACKAGES, PARTS), 1):
        data = folder / package / "data"
        data.mkdir(parents=True)
        (folder / package / "__init__.py").touch()
        (data / f"model.bin.part{number}").write_bytes(part)
    (folder / PACKAGES[0] / "data" / "config.json").write_text("{}")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(multilingual, "SIZE_BYTES", len(b"".join(PARTS)))
    monkeypatch.setattr(multilingual, "SHA256", hashlib.sha256(b"".join(PARTS)).hexdigest())
    return folder


def test_the_parts_are_joined_once(tmp_path: Path, packages: Path):
    folder = join_model(tmp_path / "home")
    assert (folder / "model.bin").read_bytes() == b"".join(PARTS)
    assert (folder / "config.json").read_text() == "{}"
    written = (folder / "model.bin").stat().st_mtime_ns
    (packages / PACKAGES[1] / "data" / "model.bin.part2").unlink()
    assert join_model(tmp_path / "home") == folder
    assert (folder / "model.bin").stat().st_mtime_ns == written


def test_another_model_is_refused_and_leaves_nothing(tmp_path: Path, packages: Path):
    (packages / PACKAGES[1] / "data" / "model.bin.part2").write_bytes(b"and the  other")
    with pytest.raises(ModelError, match="SHA-256"):
        join_model(tmp_path / "home")
    assert [path.suffix for path in (tmp_path / "home" / "models").iterdir()] == [".lock"]


def test_a_damaged_model_is_joined_again(tmp_path: Path, packages: Path):
    model = join_model(tmp_path / "home") / "model.bin"
    model.write_bytes(model.read_bytes().replace(b"half", b"hall"))
    assert (join_model(tmp_path / "home") / "model.bin").read_bytes() == b"".join(PARTS)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(multilingual, "PACKAGES", ("a_package_that_is_not_there",))
    with pytest.raises(ModelError, match="a_package_that_is_not_there") as error:
        join_model(tmp_path)
    assert "speech-multilingual" in error.value.hint


# --- the real one ---


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def model(home: Path) -> SpeechModel:
    settings = load_settings(home=home, speech_model="multilingual", device="cpu")
    require_speech_model(settings)
    return load_speech_model(settings)


@needs_model
@needs_espeak
@pytest.mark.parametrize(
    ("voice", "texts", "language"),
    [("en-us", sounds.SENTENCES[:3], "en"), ("it", ITALIAN, "it")],
    ids=["English", "Italian"],
)
def test_languages_are_told_apart(
    model: SpeechModel, voice: str, texts: tuple[str, ...], language: str
):
    speech = in_turn(texts, voice)[0]
    spoken = model.spoken_language([sounds.silence(5), speech, sounds.music(5)])
    assert spoken is not None
    assert spoken.code == language
    assert spoken.probability > 0.5


@needs_model
def test_nobody_speaks_no_language(model: SpeechModel):
    assert model.spoken_language([sounds.silence(10), sounds.music(10)]) is None


@needs_model
@needs_espeak
def test_italian_is_written_in_italian(model: SpeechModel):
    language = LanguageChoice("it", is_sure=True)
    passages = model.transcribe(in_turn(ITALIAN, "it")[0], 0.0, language)
    text = " ".join(passage.text for passage in passages)
    assert word_error_rate(text, " ".join(ITALIAN)) <= 0.65
    assert {passage.language for passage in passages} == {"it"}


@needs_model
def test_an_unknown_language_is_an_error_that_names_it(model: SpeechModel):
    with pytest.raises(ModelError, match="'xx'"):
        model.transcribe(
            np.tile(sounds.say(sounds.SENTENCES[0]), 2), 0.0, LanguageChoice("xx", is_sure=True)
        )


@needs_model
@needs_espeak
def test_a_video_is_transcribed_in_its_language(home: Path, tmp_path: Path):
    path = tmp_path / "talk.mp4"
    make_talk(path, [Part(9.0, "red", speech=" ".join(GERMAN), voice="de")])
    library = demo_library(home, speech=True, speech_model="multilingual")
    assert not library.ingest([path], language="de").failures
    with library.catalog.read() as session:
        spoken = list_passages(session, videos.list_videos(session)[0].id)
    assert spoken
    # espeak-ng's German is hard to tell: where it is unsure, the collection decides.
    assert {passage.language for passage in spoken} <= {"de", "de (assumed)"}


def test_a_collection_speaks_a_language_that_has_a_code(tmp_path: Path):
    with pytest.raises(UsageError, match="code of a language"):
        demo_library(tmp_path).ingest([], language="German language")
