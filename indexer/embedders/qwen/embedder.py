"""Qwen3-VL-Embedding (arXiv 2601.04720): pictures, short clips and texts in one space, by the
hidden state of the last token.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from indexer.embedders.base import check_images, unit
from indexer.embedders.identity import make_key
from indexer.embedders.model_folder import ModelKind, find_folder, model_files, read_config
from indexer.settings import Settings

if TYPE_CHECKING:
    from indexer.embedders.qwen.pooled_model import PooledModel

VERSION = 1
QWEN3_VL_EMBEDDING = ModelKind(
    name="qwen3-vl-embedding",
    default="Qwen/Qwen3-VL-Embedding-2B",
    model_types=frozenset({"qwen3_vl"}),
)
DOCUMENT = "Represent the user's input."  # the model's own instruction for what is searched
QUERY = "Retrieve images and video clips that show what the user's query describes."
SHORT_SIDE = 320  # about 180 tokens for a picture of 16:9
CLIP_FRAMES = 8  # of a segment of up to 8 s
TEXT_BATCH = 16


class QwenEmbedder:
    """Also a `ClipEmbedder`: a segment is embedded as a clip and not as the mean of its frames."""

    name = QWEN3_VL_EMBEDDING.name
    short_side = SHORT_SIDE
    languages: tuple[str, ...] = (
        *("en", "zh", "ar", "cs", "da", "de", "el", "es", "fi", "fr", "he", "hi", "hu", "id"),
        *("it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "th", "tr", "uk", "vi"),
    )
    photographs = None
    class_names = None

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = find_folder(settings.embedder_path, QWEN3_VL_EMBEDDING)
        self.config = read_config(self.folder, QWEN3_VL_EMBEDDING)
        self.key = make_key(self.name, VERSION, model_files(self.folder))
        self.dimension = int(self.config["text_config"]["hidden_size"])

    @cached_property
    def _model(self) -> PooledModel:
        from indexer.embedders.qwen.pooled_model import PooledModel

        return PooledModel(self.folder, self.config, self.settings)

    def embed_frames(self, images: np.ndarray) -> np.ndarray:
        """Unit vectors (N, dimension) float32 of images (N, H, W, 3) uint8 RGB, each alone."""
        check_images(images)
        size = self.settings.batch_size
        batches = [images[at : at + size] for at in range(0, len(images), size)]
        return self._stack([self._model.embed_pictures(batch, DOCUMENT) for batch in batches])

    def embed_clips(self, clips: Sequence[np.ndarray], times_s: Sequence[np.ndarray]) -> np.ndarray:
        """Unit vectors (C, dimension) float32 of clips (N_i, H, W, 3) uint8, with the seconds
        (N_i,) of their frames from the start of each; of more frames an even sample is taken.
        """
        rows = []
        for images, seconds in zip(clips, times_s, strict=True):
            check_images(images)
            taken = np.linspace(0, len(images) - 1, min(len(images), CLIP_FRAMES)).round()
            taken = taken.astype(int)
            rows.append(self._model.embed_clip(images[taken], seconds[taken].tolist(), DOCUMENT))
        return self._stack(rows)

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, dimension) float32 of questions and captions."""
        batches = [texts[at : at + TEXT_BATCH] for at in range(0, len(texts), TEXT_BATCH)]
        return self._stack([self._model.embed_texts(batch, QUERY) for batch in batches])

    def _stack(self, batches: list[np.ndarray]) -> np.ndarray:
        if not batches:
            return np.zeros((0, self.dimension), np.float32)
        return unit(np.concatenate(batches))

    def reads(self, text: str) -> bool:
        """True: Qwen3 was trained on 119 languages."""
        del text
        return True
