import json

import numpy as np
import pytest

from indexer.embedders.base import unit
from indexer.embedders.minilm import map_weights
from indexer.embedders.sentences import Sentences, minilm_folder
from indexer.errors import ModelError


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


def test_mapped_weights_are_those_of_the_file():
    from safetensors.numpy import load_file

    path = minilm_folder() / "model.safetensors"
    mapped, read = map_weights(path), load_file(path)
    assert mapped.keys() == {name for name in read if read[name].dtype == np.float32}
    assert all(np.array_equal(mapped[name], read[name]) for name in mapped)


def test_weights_in_another_number_format_are_refused(tmp_path):
    header = json.dumps({"a": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    with pytest.raises(ModelError, match="F16"):
        map_weights(path)


def test_no_texts_no_vectors():
    assert Sentences().minilm.embed([]).shape == (0, 384)
