"""The embedded default with its real models."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from indexer.embedders.base import Embedder, unit
from indexer.embedders.efficientnet import Classifier
from indexer.embedders.lite import LiteEmbedder, weights_path
from indexer.embedders.text.sentences import Sentences
from indexer.settings import load_settings


@pytest.fixture(scope="module")
def embedder() -> LiteEmbedder:
    return LiteEmbedder(load_settings(device="cpu", dtype="float32", batch_size=4))


@pytest.fixture(scope="module")
def photographs() -> np.ndarray:
    data = pytest.importorskip("skimage.data")
    from skimage.transform import resize

    pictures = [data.chelsea(), data.coffee(), data.rocket(), data.page()[:, :, None].repeat(3, 2)]
    return np.stack([(resize(picture, (288, 384)) * 255).astype(np.uint8) for picture in pictures])


@pytest.fixture(scope="module")
def seen(embedder, photographs) -> np.ndarray:
    """What the embedder says of the photographs."""
    return embedder.embed_frames(photographs)


PHOTOGRAPHS = [
    "a cat",
    "a cup of coffee on a table",
    "a rocket on the launch pad",
    "a page of printed text",
]


def test_it_is_an_embedder(embedder):
    assert isinstance(embedder, Embedder)
    assert embedder.key.startswith("lite-")
    assert embedder.key == LiteEmbedder(load_settings(dtype="bfloat16")).key


def test_photographs_are_found_by_their_captions(embedder, seen):
    scores = embedder.embed_texts(PHOTOGRAPHS) @ seen.T
    assert scores.argmax(1).tolist() == [0, 1, 2, 3]


def test_chinese_captions_find_them_too(embedder, seen):
    scores = embedder.embed_texts(["一只猫", "桌上的一杯咖啡", "发射台上的火箭"]) @ seen.T
    assert scores.argmax(1).tolist() == [0, 1, 2]


def test_frames_are_unit_and_do_not_depend_on_the_batch(embedder, photographs):
    pictures = np.concatenate([photographs, photographs[::-1]])[:7]
    together = embedder.embed_frames(pictures)
    assert together.shape == (7, embedder.dimension)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(
        together,
        np.concatenate([embedder.embed_frames(picture[None]) for picture in pictures]),
        atol=1e-4,
    )


def test_vectors_survive_float16(embedder, photographs):
    vectors = np.concatenate(
        [embedder.embed_frames(photographs), embedder.embed_texts(PHOTOGRAPHS)]
    )
    stored = vectors.astype(np.float16).astype(np.float32)
    assert ((unit(stored) * vectors).sum(1) > 0.99999).all()


def test_bfloat16_agrees_with_float32(photographs, seen):
    other = LiteEmbedder(load_settings(device="cpu", dtype="bfloat16"))
    assert ((other.embed_frames(photographs[:2]) * seen[:2]).sum(1) > 0.98).all()


def test_fused_convolutions_say_what_separate_ones_do(monkeypatch, embedder, photographs):
    fused = embedder.classifier.views(photographs)
    monkeypatch.setattr(Classifier, "_is_fused", False)
    separate = Classifier(weights_path(), torch.device("cpu"), torch.float32).views(photographs)
    for name in ("cells", "earlier", "probabilities"):
        np.testing.assert_allclose(getattr(fused, name), getattr(separate, name), atol=1e-4)


def test_a_picture_of_another_size_gives_nearly_the_same_vector(embedder, photographs, seen):
    half = photographs[:, ::2, ::2]
    assert ((embedder.embed_frames(half) * seen).sum(1) > 0.7).all()


def test_texts_do_not_depend_on_their_company(embedder):
    texts = [*PHOTOGRAPHS, "一只猫", "ein Hund springt auf das Sofa", ""]
    together = embedder.embed_texts(texts)
    np.testing.assert_allclose(
        together, np.concatenate([embedder.embed_texts([text]) for text in texts]), atol=1e-4
    )


def test_nothing_gives_no_rows(embedder):
    assert embedder.embed_frames(np.zeros((0, 8, 8, 3), np.uint8)).shape == (0, embedder.dimension)
    assert embedder.embed_texts([]).shape == (0, embedder.dimension)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 8, 8), np.uint8),
        np.zeros((2, 8, 8, 3), np.float32),
        np.zeros((2, 8, 8, 4), np.uint8),
    ],
)
def test_other_shapes_are_refused(embedder, images):
    with pytest.raises(ValueError, match=r"\(N, H, W, 3\) uint8"):
        embedder.embed_frames(images)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a dog", True),
        ("一只狗在跑", True),
        ("собака бежит", True),
        ("犬が走る", True),
        ("개가 달린다", True),
        ("كلب يجري", True),
        ("สุนัขวิ่ง", True),
        ("कुत्ता दौड़ता है", False),
        ("ο σκύλος τρέχει", False),
        ("כלב רץ", False),
        ("42", True),
    ],
)
def test_scripts_that_a_model_reads(embedder, text, read):
    assert embedder.reads(text) is read


@pytest.mark.parametrize(
    "text",
    ["a dog", "quokka", "café in Paris", "the man in the red hat", "two hands grab two bottles"],
)
def test_english_is_told(text):
    assert Sentences.is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "ein Hund springt auf das Sofa",
        "un chien court sur la plage",
        "una mujer abre la puerta",
        "两只手",
    ],
)
def test_other_languages_are_told(text):
    assert not Sentences.is_english(text)


def test_a_question_does_not_import_torch():
    code = (
        "import sys; from indexer.embedders.registry import load_embedder; from "
        "indexer.settings import load_settings;"
        "load_embedder(load_settings(embedder='lite')).embed_texts(['a dog']); "
        "print('torch' in sys.modules, 'transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
