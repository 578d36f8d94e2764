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
