"""The space that passages and questions meet in: the two embedded sentence models, or any model of
sentence-transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from indexer.passages import text_embedding
from indexer.settings import Settings


class TextSpace(Protocol):
    """Texts become unit vectors. Vectors of two spaces with different `key` are never compared."""

    key: str
    across_scale: float
    """Times the product of a vector of `across` and that of an English text it is a cosine."""

    @property
    def dimension(self) -> int:
        """Of the vectors."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, dimension) float32 of what is said and written."""
        ...

    def embed_questions(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, dimension) float32 of what is looked for."""
        ...

    def across(self, vectors: np.ndarray) -> np.ndarray:
        """Unit vectors (N, dimension) of the part of questions that all languages share."""
        ...

    def reads(self, text: str) -> bool:
        """Whether the text gets a vector."""
        ...

    def recognizes(self, words: Sequence[str]) -> bool:
        """Whether the vector of a question of these words means something."""
        ...

    def is_english(self, text: str) -> bool:
        """Whether two texts of which this holds are compared by all of their vectors."""
        ...


class EmbeddedSpace:
    """MiniLM and the Universal Sentence Encoder side by side (`text_embedding`)."""

    key = text_embedding.KEY
    dimension = text_embedding.DIMENSION
    across_scale = text_embedding.ACROSS_SCALE
    embed_passages = staticmethod(text_embedding.embed_meaning)
    embed_questions = staticmethod(text_embedding.embed_meaning)
    across = staticmethod(text_embedding.across)
    reads = staticmethod(text_embedding.reads)
    recognizes = staticmethod(text_embedding.recognizes)
    is_english = staticmethod(text_embedding.is_english)


def text_space(settings: Settings) -> TextSpace:
    """The space that the settings choose. Raises ModelError where its model is not there."""
    if not settings.text_model:
        return EmbeddedSpace()
    from indexer.passages.sentence_model import load_sentence_model

    return load_sentence_model(settings)
