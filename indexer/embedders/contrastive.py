"""SigLIP 2 and CLIP through transformers: a local folder, or a hub id that is taken from the local
cache first.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import huggingface_hub
import numpy as np

from indexer.embedders.base import check_images, unit
from indexer.embedders.identity import make_key
from indexer.embedders.text.scripts import mostly_in
from indexer.errors import ModelError
from indexer.messages import Message
from indexer.settings import Settings

if TYPE_CHECKING:
    from indexer.embedders.checkpoint import Checkpoint

VERSION = 1
TEXT_BATCH = 64
FILES = ("*.json", "*.safetensors", "*.txt", "*.model")


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


@dataclass(frozen=True, slots=True)
class Family:
    """What differs between the two: `model_types` as config.json names them, and how texts are
    prepared.
    """

    name: str
    default: str
    model_types: frozenset[str]
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
FAMILIES = {family.name: family for family in (SIGLIP2, CLIP)}


class ContrastiveEmbedder:
    photographs = None

    def __init__(self, settings: Settings, family: Family) -> None:
        self.settings = settings
        self.family = family
        self.name = family.name
        self.languages = family.languages
        self.folder = find_folder(settings, family)
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


def hint(family: Family) -> Message:
    """How to provide a checkpoint of the family."""
    return Message(
        "put a {name} checkpoint (config.json, model.safetensors, tokenizer and "
        "preprocessor_config.json) into a folder and set SEEKPOINT_EMBEDDER_PATH to it, or to a "
        "hub id such as {default} where a hub is in reach",
        {"name": family.name, "default": family.default},
    )


def find_folder(settings: Settings, family: Family) -> Path:
    """The folder of the checkpoint: the setting's folder, or the local copy of the hub id;
    ModelError where there is none.
    """
    return local_folder(settings, family) or _from_hub(
        settings.embedder_path or family.default, family
    )


def local_folder(settings: Settings, family: Family) -> Path | None:
    """The folder that the settings name; None where they name a hub id. ModelError where there is
    no such folder.
    """
    wanted = settings.embedder_path or family.default
    folder = Path(wanted).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or wanted.startswith((".", "~")) or wanted.count("/") != 1:
        raise ModelError(
            "there is no folder {wanted!r} with a {name} checkpoint",
            hint(family),
            wanted=wanted,
            name=family.name,
        )
    return None


def _from_hub(repository: str, family: Family) -> Path:
    offline = os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "on", "yes", "true"}
    failure: Exception | None = None
    for local_only in (True,) if offline else (True, False):
        try:
            return Path(
                huggingface_hub.snapshot_download(
                    repository, allow_patterns=list(FILES), local_files_only=local_only
                )
            )
        except (OSError, ValueError, RuntimeError) as error:
            failure = error
    raise ModelError(
        "{name} is not here: {repository!r} is not in the local cache and could not be fetched",
        hint(family),
        name=family.name,
        repository=repository,
    ) from failure


def read_config(folder: Path, family: Family) -> dict[str, Any]:
    """config.json of the folder; ModelError when it is missing, unreadable, or of another kind of
    model.
    """
    try:
        config = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError) as error:
        raise ModelError(
            "{folder} has no readable config.json: {error}",
            hint(family),
            folder=folder,
            error=error,
        ) from None
    kind = config.get("model_type")
    if kind not in family.model_types:
        raise ModelError(
            "{folder} holds a model of type {kind!r}, not {model_types}",
            hint(family),
            folder=folder,
            kind=kind,
            model_types=" or ".join(sorted(family.model_types)),
        )
    if not any(folder.glob("*.safetensors")):
        raise ModelError("{folder} has no *.safetensors weights", hint(family), folder=folder)
    return config


def model_files(folder: Path) -> list[Path]:
    """The files of a checkpoint folder that make up the model."""
    return [path for pattern in FILES for path in folder.glob(pattern) if path.is_file()]


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


def is_here(settings: Settings, family: Family) -> bool:
    """Whether a fitting checkpoint is on this machine; asks no hub."""
    wanted = settings.embedder_path or family.default
    folder = Path(wanted).expanduser()
    try:
        if not folder.is_dir():
            folder = Path(
                huggingface_hub.snapshot_download(
                    wanted, allow_patterns=list(FILES), local_files_only=True
                )
            )
        read_config(folder, family)
    except (OSError, ValueError, ModelError):
        return False
    return True
