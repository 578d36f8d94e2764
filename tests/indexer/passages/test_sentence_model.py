"""Models of sentence-transformers as the space of passages: tiny random ones, and the real MiniLM
that comes with a package.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from indexer.embedders.text.sentences import minilm_folder
from indexer.errors import ModelError
from indexer.passages.text_space import EmbeddedSpace, text_space
from indexer.settings import load_settings
from tests.indexer.passages.test_text_embedding import SAID
from tests.support import colour_video, demo_library

CUES = """1
00:00:01,000 --> 00:00:04,000
The harbour opens at seven in the morning.

2
00:00:06,000 --> 00:00:09,000
Two fishermen carry a heavy net along the pier.
"""


def save_sentence_model(folder: Path, *, seed: int = 0, dense: bool = False) -> Path:
    """A tiny random BERT with pooling and prompts, as sentence-transformers saves one."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(seed)
    parts = folder / "bert"
    parts.mkdir(parents=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "cat", "query", "passage"]
    (parts / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(str(parts / "vocab.txt")).save_pretrained(parts)
    config = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
    config |= {"num_attention_heads": 2, "vocab_size": len(words)}
    BertModel(BertConfig(**config)).save_pretrained(parts)
    modules = [Transformer(str(parts)), Pooling(16, "mean")]
    if dense:
        modules.append(Dense(16, 12))
    prompts = {"query": "query ", "document": "passage "}
    SentenceTransformer(modules=modules, prompts=prompts, device="cpu").save_pretrained(
        str(folder / "model")
    )
    return folder / "model"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return save_sentence_model(tmp_path_factory.mktemp("tiny"))


def space_of(folder):
    return text_space(load_settings(text_model=str(folder), device="cpu"))


def test_texts_become_unit_vectors_with_the_prompts_of_the_model(tiny):
    space = space_of(tiny)
    texts = ["a dog", "a cat", "a dog a cat"]
    passages, questions = space.embed_passages(texts), space.embed_questions(texts)
    assert passages.shape == (3, space.dimension) == (3, 16)
    np.testing.assert_allclose(np.linalg.norm(passages, axis=1), 1, atol=1e-5)
    assert np.abs(passages - questions).max() > 1e-3
    assert space.embed_passages([]).shape == (0, 16)
    assert (space.across(questions) == questions).all()


def test_a_dense_layer_decides_the_dimension(tmp_path):
    assert space_of(save_sentence_model(tmp_path, dense=True)).dimension == 12


def test_the_key_follows_weights_and_pooling(tiny, tmp_path):
    key = space_of(tiny).key
    assert key != EmbeddedSpace.key
    other = save_sentence_model(tmp_path / "other", seed=1)
    assert space_of(other).key != key
    pooling = next(other.glob("1_Pooling/config.json"))
    before = space_of(other).key
    pooling.write_text(json.dumps(json.loads(pooling.read_text()) | {"note": 1}))
    copy = tmp_path / "copy"
    other.rename(copy)
    assert space_of(copy).key != before


def test_what_lacks_is_named(tmp_path):
    with pytest.raises(ModelError, match="SEEKPOINT_TEXT_MODEL"):
        space_of(tmp_path / "nothing")
    with pytest.raises(ModelError, match=r"modules\.json"):
        space_of(tmp_path)
    (tmp_path / "modules.json").write_text("[1, 2]")
    with pytest.raises(ModelError, match="cannot be loaded"):
        space_of(tmp_path).embed_passages(["a dog"])


@pytest.mark.parametrize(
    ("question", "answer"),
    [("what time the port starts working", 0), ("men hauling fishing gear on the dock", 1)],
)
def test_a_real_model_finds_what_was_said_in_other_words(question, answer):
    space = space_of(minilm_folder())
    products = space.embed_passages(SAID) @ space.embed_questions([question])[0]
    assert int(np.argmax(products)) == answer
    assert products[answer] > 0.3


def test_a_library_searches_in_the_space_that_is_chosen(tmp_path):
    colour_video(tmp_path / "one.mp4", [("red", 10.0)])
    (tmp_path / "one.srt").write_text(CUES)
    settings = {"speech": True, "text_model": str(minilm_folder())}
    library = demo_library(tmp_path / "home", **settings)
    library.ingest([tmp_path / "one.mp4"])
    answer = library.search("men hauling fishing gear", only=["speech"])
    assert answer.moments[0].evidence[0].text.startswith("Two fishermen")
    keys = [key for stage, key in library.context.vector_keys() if stage == "speech"]
    assert [key.split("/")[0] for key in keys] == [space_of(minilm_folder()).key]
    embedded = demo_library(tmp_path / "home", speech=True)
    embedded.ingest([tmp_path / "one.mp4"])
    again = embedded.search("men hauling fishing gear", only=["speech"])
    assert again.moments[0].evidence[0].text.startswith("Two fishermen")
