import numpy as np
import pytest

from indexer.embedders.demo import DemoEmbedder
from indexer.questions.statement import read_question
from indexer.search.query_vectors import QueryVectors, query_vectors

EMBEDDER = DemoEmbedder()
NEUTRAL = EMBEDDER.embed_texts(["gray", "brown"])


def vectors(text: str) -> QueryVectors:
    [statement] = read_question(text).statements
    return query_vectors(EMBEDDER, statement, NEUTRAL)


def test_a_plain_statement_finds_video_and_place_alike():
    query = vectors("a red car")
    assert query.place is query.video
    assert np.allclose(query.video, EMBEDDER.embed_texts(["a red car"])[0])


def test_a_negated_statement_looks_for_the_scene_without_what_is_denied():
    query = vectors("a blue room without a red sofa")
    blue, red = EMBEDDER.embed_frames(
        np.stack([np.full((8, 8, 3), c, np.uint8) for c in ([20, 20, 220], [220, 20, 20])])
    )
    assert query.place @ blue > 0.3
    assert query.place @ red < 0
    assert query.video @ red > 0


def test_without_a_scene_neutral_prompts_stand_for_it():
    query = vectors("when is there no red?")
    red = EMBEDDER.embed_texts(["red"])[0]
    assert query.place @ red < 0
    assert query.place @ NEUTRAL.mean(0) > 0
    assert np.linalg.norm(query.place) == pytest.approx(1, abs=1e-5)
