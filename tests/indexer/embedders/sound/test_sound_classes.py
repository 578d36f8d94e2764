import numpy as np
import pytest

from indexer.embedders.sound.sound_classes import (
    CLASSES,
    ask_sound,
    describe,
    load_sound_classes,
    sound_vectors,
)
from indexer.search.evidence.sound import MIN_LIKENESS


def meant(text: str, count: int = 3) -> list[str]:
    """The classes that a question means most."""
    question = ask_sound(text)
    assert question is not None
    names = load_sound_classes().names
    return [names[column] for column in np.argsort(-question.vector)[:count]]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a dog barks", "Bark"),
        ("the audience applauds", "Applause"),
        ("an engine starts", "Engine starting"),
        ("somebody laughs", "Laughter"),
        ("a siren", "Siren"),
        ("glass breaks", "Shatter"),
        ("狗叫", "Dog"),
        ("掌声", "Applause"),
        ("婴儿的哭声", "Baby cry, infant cry"),
        ("ein Hund bellt", "Bark"),
        ("le public applaudit", "Applause"),
        ("suena la sirena", "Siren"),
    ],
)
def test_questions_mean_their_sounds(text: str, name: str):
    assert name in meant(text)


@pytest.mark.parametrize("text", ["a man in a red shirt", "a close-up of a flower", "a blue car"])
def test_what_cannot_be_heard_is_unlike_any_sound(text: str):
    seen, heard = ask_sound(text), ask_sound("a dog barks")
    assert seen is not None
    assert heard is not None
    assert seen.likeness < heard.likeness - 0.2


def test_sounds_are_searched_for_what_is_like_them():
    asked = ask_sound("people applaud")
    assert asked is not None
    assert asked.likeness > MIN_LIKENESS
    assert np.linalg.norm(asked.vector) == pytest.approx(1, abs=1e-5)


def test_a_script_that_no_model_reads_asks_nothing():
    assert ask_sound("कुत्ता भौंकता है") is None


def test_the_name_in_common_is_of_what_is_heard_and_asked():
    classes, asked = load_sound_classes(), ask_sound("a dog barks")
    assert asked is not None
    heard = np.full(CLASSES, 1e-4, np.float32)
    heard[[classes.columns[name] for name in ("Music", "Bark")]] = 0.9, 0.6
    assert classes.common_name(asked, sound_vectors(heard)) == "Bark"


def test_every_class_is_described_in_words():
    described = describe()
    assert len(described) == CLASSES == len({name for name, _ in described})
    assert all(len(texts) >= 3 and all(texts) for _, texts in described)
