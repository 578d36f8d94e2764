import numpy as np

from indexer.embedders.demo import DemoEmbedder
from indexer.questions.neutral_prompts import NEUTRAL_PROMPTS
from indexer.search.neutral_baseline import neutral_vectors


def test_neutral_vectors_are_computed_once_for_each_space(tmp_path):
    calls = []

    def embed(texts):
        calls.append(len(texts))
        return DemoEmbedder().embed_texts(texts)

    first = neutral_vectors(tmp_path, "demo-1", embed)
    again = neutral_vectors(tmp_path, "demo-1", embed)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, DemoEmbedder().embed_texts(NEUTRAL_PROMPTS))
    neutral_vectors(tmp_path, "demo-2", embed)
    assert calls == [len(NEUTRAL_PROMPTS)] * 2


def test_a_torn_file_is_made_again(tmp_path):
    expected = neutral_vectors(tmp_path, "demo-1", DemoEmbedder().embed_texts)
    [kept] = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:50])
    again = neutral_vectors(tmp_path, "demo-1", DemoEmbedder().embed_texts)
    np.testing.assert_array_equal(again, expected)


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path):
    (tmp_path / "file").touch()
    vectors = neutral_vectors(tmp_path / "file" / "below", "demo-1", DemoEmbedder().embed_texts)
    assert len(vectors) == len(NEUTRAL_PROMPTS)
