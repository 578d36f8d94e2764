"""SigLIP 2 and CLIP through transformers: a local folder, or a hub id that is taken from the local
cache first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.embedders.base import check_images, unit
from indexer.embedders.identity import make_key
from indexer.embedders.model_folder import ModelKind, find_folder, model_files, read_config
from indexer.embedders.text.scripts import mostly_in
from indexer.settings import Settings

if TYPE_CHECKING:
    from indexer.embedders.checkpoint import Checkpoint

VERSION = 1
TEXT_BATCH = 64
SIGLIP2_LANGUAGES = (
    *(
        "en",
        "ar",
        "bn",
        "cs",
        "da",
        "de",
        "el",
        "es",
        "fa",
        "fi",
        "fr",
        "he",
        "hi",
        "hu",
        "id",
        "it",
        "ja",
        "ko",
        "nl",
        "no",
        "pl",
    ),
    *("pt", "ro", "ru", "sv", "sw", "te", "th", "tr", "uk", "vi", "zh"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family(ModelKind):
    """What differs between the two in how texts are prepared."""

    tokenizing: dict[str, Any]
    lowercase: bool
    languages: tuple[str, ...]
    scripts: frozenset[str] | None


SIGLIP2 = Family(
    name="siglip2",
    default="google/siglip2-base-patch16-224",
    model_types=frozenset({"siglip", "siglip2"}),
    tokenizing={"padding": "max_length", "max_length": 64, "truncation": True},
    lowercase=True,
    languages=SIGLIP2_LANGUAGES,
    scripts=None,
)
CLIP = Family(
    name="clip",
    default="openai/clip-vit-base-patch32",
    model_types=frozenset({"clip"}),
    tokenizing={"padding": True, "max_length": 77, "truncation": True},
    lowercase=False,
    languages=("en",),
    scripts=frozenset({"LATIN"}),
)


class ContrastiveEmbedder:
    photographs = None
    class_names = None

    def __init__(self, settings: Settings, family: Family) -> None:
        self.settings = settings
        self.family = family
        self.name = family.name
        self.languages = family.languages
        self.folder = find_folder(settings.embedder_path, family)
        self.config = read_config(self.folder, family)
        self.key = make_key(family.name, VERSION, model_files(self.folder))
        self.dimension = output_dimension(self.config)
        self.short_side = picture_side(self.folder)

    @cached_property
    def _checkpoint(self) -> Checkpoint:
        from indexer.embedders.checkpoint import Checkpoint

        return Checkpoint(self.folder, self.family, self.settings)

    def embed_frames(self, images: np.ndarray) -> np.ndarray:
        """Unit vectors (N, dimension) float32 of images (N, H, W, 3) uint8 RGB."""
        check_images(images)
        size = self.settings.batch_size
        return self._stack(
            [
                self._checkpoint.embed_frames(images[at : at + size])
                for at in range(0, len(images), size)
            ]
        )

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, dimension) float32 of captions."""
        return self._stack(
            [
                self._checkpoint.embed_texts(texts[at : at + TEXT_BATCH])
                for at in range(0, len(texts), TEXT_BATCH)
            ]
        )

    def _stack(self, batches: list[np.ndarray]) -> np.ndarray:
        return (
            unit(np.concatenate(batches)) if batches else np.zeros((0, self.dimension), np.float32)
        )

    def reads(self, text: str) -> bool:
        """Whether the family was trained on the script of the text."""
        return self.family.scripts is None or mostly_in(text, self.family.scripts)


def output_dimension(config: dict[str, Any]) -> int:
    """CLIP projects both sides to projection_dim; SigLIP's sides meet in the hidden size (768 when
    config.json leaves it out).
    """
    if config["model_type"] == "clip":
        return config.get("projection_dim", 512)
    return config.get("text_config", {}).get("projection_size") or config.get(
        "vision_config", {}
    ).get("hidden_size", 768)


def picture_side(folder: Path) -> int:
    """Side in pixels that preprocessor_config.json asks for, 224 when it does not say."""
    path = folder / "preprocessor_config.json"
    size = json.loads(path.read_text()).get("size", {}) if path.is_file() else {}
    return size if isinstance(size, int) else size.get("shortest_edge") or size.get("height") or 224
