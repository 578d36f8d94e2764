"""A SigLIP 2 or CLIP checkpoint, computed with transformers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from indexer.embedders.contrastive import Family
from indexer.embedders.devices import choose_device
from indexer.embedders.model_folder import ModelKind, hint
from indexer.errors import ModelError
from indexer.settings import Settings


class Checkpoint:
    """Its parts are loaded when first used: a question needs no image processor. Methods raise
    ModelError where a part cannot be loaded.
    """

    def __init__(self, folder: Path, family: Family, settings: Settings) -> None:
        self.folder = folder
        self.family = family
        self.device, self.dtype = choose_device(settings)

    def embed_frames(self, images: np.ndarray) -> np.ndarray:
        """(N, dimension) float32 of one batch of images (N, H, W, 3) uint8 RGB; any length."""
        inputs = self._processor(
            images=list(images), return_tensors="pt", input_data_format="channels_last"
        ).to(self.device)
        inputs = {
            name: value.to(self._model.dtype) if value.is_floating_point() else value
            for name, value in inputs.items()
        }
        with torch.inference_mode():
            return _numbers(self._model.get_image_features(**inputs))

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """(N, dimension) float32 of one batch of captions; any length."""
        texts = [text.lower() if self.family.lowercase else text for text in texts]
        inputs = self._tokenizer(texts, return_tensors="pt", **self.family.tokenizing).to(
            self.device
        )
        wanted = {name: inputs[name] for name in ("input_ids", "attention_mask") if name in inputs}
        with torch.inference_mode():
            return _numbers(self._model.get_text_features(**wanted))

    @cached_property
    def _model(self) -> Any:
        model = self._load(AutoModel.from_pretrained, dtype=self.dtype, use_safetensors=True)
        return model.eval().to(self.device)

    @cached_property
    def _processor(self) -> Any:
        return self._load(AutoImageProcessor.from_pretrained, backend="pil")

    @cached_property
    def _tokenizer(self) -> Any:
        return self._load(AutoTokenizer.from_pretrained)

    def _load(self, loader: Any, **options: Any) -> Any:
        return load_part(loader, self.folder, self.family, **options)


def load_part(loader: Any, folder: Path, kind: ModelKind, name: str = "", **options: Any) -> Any:
    """What a `from_pretrained` of transformers makes of a folder. ModelError where it cannot,
    which says `name` (by default that of the kind).
    """
    disable_progress_bar()  # it would stand among answers, logs in JSON, and our own bars
    try:
        return loader(folder, local_files_only=True, **options)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError, MemoryError) as error:
        raise ModelError(
            "{name} in {folder} cannot be loaded: {error}",
            hint(kind),
            name=name or kind.name,
            folder=folder,
            error=str(error) or type(error).__name__,
        ) from error


def _numbers(output: Any) -> np.ndarray:
    return output.pooler_output.float().cpu().numpy()
