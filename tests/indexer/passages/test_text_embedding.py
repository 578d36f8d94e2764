"""Sentences that say the same are near each other, in one language and across two."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.passages.text_embedding import (
    DIMENSION,
    MULTILINGUAL_SIZE,
    embed_meaning,
    reads,
    recognizes,
)
from indexer.passages.text_space import EmbeddedSpace
from indexer.stages.passages import with_meaning
from tests.indexer.passages.sounds import SENTENCES

SAID = (
    "The harbour opens at seven in the morning.",
    "Two fishermen carry a heavy net along the pier.",
    *SENTENCES[:3],
)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("what time the port starts working", 0),
        ("港口早上几点开门", 0),
        ("men hauling fishing gear on the dock", 1),
        ("渔民沿着码头搬渔网", 1),
    ],
)
def test_a_question_is_nearest_to_its_answer(question, answer):
    products = embed_meaning(SAID) @ embed_meaning([question])[0]
    assert int(np.argmax(products)) == answer


def test_vectors_are_unit_and_the_english_part_is_for_english():
    vectors = embed_meaning(["a dog runs", "今天天气很好", "der Hund läuft über die Straße"])
    assert vectors.shape == (3, DIMENSION)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0, MULTILINGUAL_SIZE:].any()
    assert not vectors[1:, MULTILINGUAL_SIZE:].any()
    assert embed_meaning([]).shape == (0, DIMENSION)


def test_what_no_model_reads_gets_no_vector():
    from indexer.passages.base import Passage

    assert reads("exit 42")
    assert not reads("4711 %")
    texts = ("exit left", "42", "नमस्ते दुनिया")
    stored = with_meaning([Passage("screen", 0, 1, text) for text in texts], EmbeddedSpace())
    assert [passage.vector is not None for passage in stored] == [True, False, False]
    assert [passage.text for passage in stored] == list(texts)


@pytest.mark.parametrize(
    ("question", "known"),
    [
        ("a dog jumps", True),
        ("bullfight", True),
        ("un perro corre", True),
        ("Fahrradfahrer", True),
        ("собака бежит", True),
        ("狗跳", True),
        ("zxqv", False),
        ("asdf jklö qwer", False),
        ("blorf zindle quax", False),
        ("qqq www eee rrr", False),
        ("啊吧嘎咯哒唔", False),
        ("4711", False),
        ("", False),
    ],
)
def test_a_question_without_a_known_word_means_nothing(question, known):
    assert recognizes(question.split()) is known
