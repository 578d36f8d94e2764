"""What both sentence models share: texts in batches, and a text alone remembered, for every kind of
evidence asks for the same one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

BATCH_TEXTS = 64
REMEMBERED_TEXTS = 64


class SentenceEncoder(ABC):
    """Sentences to unit vectors of `dimension` numbers."""

    dimension: int

    def __init__(self) -> None:
        self._embed_alone = lru_cache(REMEMBERED_TEXTS)(lambda text: self._embed([text]))

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, dimension) float32 of sentences."""
        if len(texts) == 1:
            return self._embed_alone(texts[0]).copy()
        batches = [
            self._embed(texts[at : at + BATCH_TEXTS]) for at in range(0, len(texts), BATCH_TEXTS)
        ]
        return np.concatenate(batches) if batches else np.zeros((0, self.dimension), np.float32)

    @abstractmethod
    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of at most BATCH_TEXTS sentences."""
