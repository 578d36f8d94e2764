import numpy as np

from indexer.embedders.base import Embedder
from indexer.embedders.demo import COLOURS, DemoEmbedder


def plain(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((1, 48, 64, 3), colour, np.uint8)


def test_it_is_an_embedder():
    assert isinstance(DemoEmbedder(), Embedder)


def test_each_colour_is_found_by_its_name():
    embedder = DemoEmbedder()
    frames = np.concatenate([embedder.embed_frames(plain(colour)) for colour in COLOURS.values()])
    scores = embedder.embed_texts([f"a {name} wall" for name in COLOURS]) @ frames.T
    assert scores.argmax(1).tolist() == list(range(len(COLOURS)))


def test_half_red_half_blue_by_hand():
    picture = plain(COLOURS["red"])
    picture[:, :, 32:] = COLOURS["blue"]
    vector = DemoEmbedder().embed_frames(picture)[0]
    expected = np.zeros(64)
    expected[[list(COLOURS).index("red"), list(COLOURS).index("blue")]] = 0.5**0.5
    np.testing.assert_allclose(vector, expected, atol=1e-6)


def test_texts_are_the_same_on_every_machine():
    vector = DemoEmbedder().embed_texts(["red dog"])[0]
    assert np.flatnonzero(vector).tolist() == [3, 15]
    np.testing.assert_allclose(vector[[3, 15]], np.array([1, 0.25]) / np.sqrt(1.0625), atol=1e-6)


def test_scripts():
    assert DemoEmbedder().reads("red dog 7")
    assert not DemoEmbedder().reads("红色")
