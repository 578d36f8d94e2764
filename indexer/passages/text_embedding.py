"""What a passage means, as a vector, so that a question finds it in other words and in other
languages.

One space of two sentence models side by side: the inner product of two vectors is the weighted mean
of two cosines. MiniLM knows English better, the Universal Sentence Encoder reads 16 languages, and
together they find in both (docs/experiments/text.md).

Two English texts are compared by both models. Two texts in different languages have the second
model alone in common: their products are the cosines of that model, which the share of MiniLM in
the English one makes smaller. `across` and `ACROSS_SCALE` undo that.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from indexer.embedders.base import unit
from indexer.embedders.text.scripts import READ_BY_USE, mostly_in
from indexer.embedders.text.sentences import Sentences
from indexer.errors import ModelError
from indexer.process.load_once import load_once

_embedding = threading.Lock()  # the models are not made for several threads

KEY = "minilm-use-1"
"""Identity of the space; changes when vectors change."""
ENGLISH_SHARE = 0.6  # of MiniLM in the product of two English texts; .5 to .8 measured alike
MULTILINGUAL_SIZE, ENGLISH_SIZE = 512, 384
DIMENSION = MULTILINGUAL_SIZE + ENGLISH_SIZE
LONGEST = 600  # characters: a sentence has fewer, and nothing behind them changes its meaning

ACROSS_SCALE = (1 - ENGLISH_SHARE) ** -0.5
"""Times the product of a vector of `across` and that of an English text it is the cosine of the
multilingual model.
"""


def reads(text: str) -> bool:
    """Whether either model knows the script of a text, and the text has letters at all."""
    return any(letter.isalpha() for letter in text) and mostly_in(text, READ_BY_USE)


@lru_cache(maxsize=8192)
def is_english(text: str) -> bool:
    """Whether the vector of a text has an English part."""
    return Sentences.is_english(text[:LONGEST])


def recognizes(words: Sequence[str]) -> bool:
    """Whether a model knows one of the words of a question."""
    with _embedding:
        return _models().recognizes(words)


def across(vectors: np.ndarray) -> np.ndarray:
    """Unit vectors (N, 896) float32 of their multilingual part alone: what finds texts in other
    languages.
    """
    multilingual = np.zeros_like(vectors)
    multilingual[:, :MULTILINGUAL_SIZE] = unit(vectors[:, :MULTILINGUAL_SIZE])
    return multilingual


def embed_meaning(texts: Sequence[str]) -> np.ndarray:
    """Unit vectors (N, 896) float32: multilingual part, English part; the second is zero where a
    text is not English.
    """
    short = [text[:LONGEST] for text in texts]
    vectors = np.zeros((len(short), DIMENSION), np.float32)
    if not short:
        return vectors
    models = _models()
    with _embedding:
        vectors[:, :MULTILINGUAL_SIZE] = models.embed_multilingual(short)
        english = [row for row, text in enumerate(short) if is_english(text)]
        if english:
            vectors[english, :MULTILINGUAL_SIZE] *= (1 - ENGLISH_SHARE) ** 0.5
            vectors[english, MULTILINGUAL_SIZE:] = ENGLISH_SHARE**0.5 * models.minilm.embed(
                [short[row] for row in english]
            )
    return vectors


@load_once
def _models() -> Sentences:
    models = Sentences()
    try:
        _ = models.minilm, models.multilingual
    except ImportError as error:
        raise ModelError(
            "the meaning of texts needs the package of {name!r}",
            "install it: pip install seekpoint",
            name=error.name,
        ) from None
    return models
