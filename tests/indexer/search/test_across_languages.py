"""What is said in one language is found by a question in another, and no worse by one in its own.
Real sentence models, side files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexer.library import Library
from indexer.passages import text_embedding
from tests.support import colour_video, demo_library

SPANISH = (
    "El volcán entró en erupción sin previo aviso.",
    "La vacuna reduce el riesgo de una infección grave.",
    "Los niños juegan en el patio.",
    "Dos pescadores llevan una red pesada por el muelle.",
)
ENGLISH = (
    "The president resigned after the scandal.",
    "Add two eggs and a cup of flour, then stir.",
    "The birch canoe slid on the smooth planks.",
    "Prices of houses have doubled since the year two thousand.",
)


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    """One film in Spanish and one in English, four sentences each, one every four seconds."""
    folder = tmp_path_factory.mktemp("languages")
    for name, colour, sentences in (("spanish", "red", SPANISH), ("english", "blue", ENGLISH)):
        colour_video(folder / "media" / f"{name}.mp4", [(colour, 16.0)])
        lines = [
            f"{n + 1}\n00:00:{4 * n:02},000 --> 00:00:{4 * n + 3:02},000\n{text}\n"
            for n, text in enumerate(sentences)
        ]
        (folder / "media" / f"{name}.srt").write_text("\n".join(lines))
    library = demo_library(folder / "home", speech=True)
    assert not library.ingest([folder / "media"]).failures
    return library


@pytest.mark.parametrize(
    ("question", "film", "start_s"),
    [
        ("a sudden eruption", "spanish", 0.0),
        ("immunisation protects against disease", "spanish", 4.0),
        ("une éruption soudaine du volcan", "spanish", 0.0),
        ("el jefe de estado renunció", "english", 0.0),
        ("房价翻了一倍", "english", 12.0),
        ("los niños se divierten fuera", "spanish", 8.0),
        ("property became more expensive", "english", 12.0),
    ],
)
def test_a_question_finds_what_was_said_in_any_language(library, question, film, start_s):
    answer = library.search(question, only=["speech"])
    best = answer.moments[0]
    assert (Path(best.path).stem, best.span.start_s) == (film, pytest.approx(start_s))
    assert answer.matched


@pytest.mark.parametrize(
    "question",
    ["a lecture on Roman coins", "una conferencia sobre monedas romanas", "国际象棋比赛"],
)
def test_what_nobody_said_is_no_match_in_any_language(library, question):
    assert not library.search(question, only=["speech"]).matched


def test_the_products_of_two_languages_are_cosines_of_the_multilingual_model():
    english, spanish, asked = text_embedding.embed_meaning(
        [ENGLISH[0], SPANISH[0], "a sudden eruption of the volcano"]
    )
    part = slice(0, text_embedding.MULTILINGUAL_SIZE)
    vector = text_embedding.across(asked[None])[0]
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert not vector[text_embedding.MULTILINGUAL_SIZE :].any()

    def cosine(one: np.ndarray, other: np.ndarray) -> float:
        return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))

    assert vector @ spanish == pytest.approx(cosine(asked[part], spanish[part]), abs=1e-5)
    assert vector @ english * text_embedding.ACROSS_SCALE == pytest.approx(
        cosine(asked[part], english[part]), abs=1e-5
    )


def test_a_word_by_chance_does_not_lift_another_picture_above_the_right_one(tmp_path):
    colour_video(tmp_path / "media" / "red.mp4", [("red", 8.0)])
    colour_video(tmp_path / "media" / "green.mp4", [("green", 8.0)])
    (tmp_path / "media" / "green.srt").write_text(
        "1\n00:00:01,000 --> 00:00:07,000\nAll right, here is the universe.\n"
    )
    library = demo_library(tmp_path / "home", speech=True)
    library.ingest([tmp_path / "media"])
    answer = library.search("a small red wooden box moves to the right")
    assert Path(answer.moments[0].path).stem == "red"
    spoken = library.search("a small red wooden box moves to the right", only=["speech"])
    assert [Path(moment.path).stem for moment in spoken.moments] == [
        "green"
    ]  # it is the nearest that was said
    assert not spoken.matched


def test_a_passage_that_shares_no_more_than_a_stem_is_no_hit(tmp_path):
    """Among few it is one of the nearest, but neither the word index nor its meaning finds it."""
    colour_video(tmp_path / "media" / "red.mp4", [("red", 8.0)])
    (tmp_path / "media" / "red.srt").write_text(
        "1\n00:00:01,000 --> 00:00:04,000\nWalker Industries, ledger of debts.\n"
    )
    library = demo_library(tmp_path / "home", speech=True)
    library.ingest([tmp_path / "media"])
    assert library.search("walk in the autumn rain", only=["speech"]).moments == ()
    assert library.search("Walker", only=["speech"]).matched
