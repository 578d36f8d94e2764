import numpy as np

from indexer.embedders.base import unit
from indexer.embedders.text.sentences import Sentences, minilm_folder


def test_minilm_equals_the_reference():
    import torch
    from transformers import AutoModel, AutoTokenizer

    texts = ["a dog on the beach", "Snow-covered peaks, é", "word " * 400, ""]
    tokenizer, model = (
        AutoTokenizer.from_pretrained(minilm_folder()),
        AutoModel.from_pretrained(minilm_folder()).eval(),
    )
    inputs = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.no_grad():
        tokens = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"][:, :, None]
    expected = unit(((tokens * mask).sum(1) / mask.sum(1)).numpy())
    np.testing.assert_allclose(Sentences().minilm.embed(texts), expected, atol=2e-6)


def test_no_texts_no_vectors():
    assert Sentences().minilm.embed([]).shape == (0, 384)


def test_a_text_that_was_asked_before_has_the_same_vector_and_one_of_its_own():
    minilm = Sentences().minilm
    first = minilm.embed(["a dog jumps"])
    kept = first.copy()
    first[:] = 0  # whoever has a vector may change it
    assert (minilm.embed(["a dog jumps"]) == kept).all()
    np.testing.assert_allclose(minilm.embed(["a dog jumps", "a cat"])[:1], kept, atol=1e-6)
