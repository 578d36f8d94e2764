"""A Qwen3-VL-Embedding checkpoint, computed with transformers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from indexer.embedders.checkpoint import load_part
from indexer.embedders.devices import choose_device
from indexer.embedders.qwen.embedder import QWEN3_VL_EMBEDDING
from indexer.embedders.qwen.inputs import ASSISTANT, Layout, Vision, plain, turn
from indexer.settings import Settings

MAX_TOKENS = 8192  # as the published code has it


class PooledModel:
    """Threads may share it. Raises ModelError where it cannot be loaded."""

    def __init__(self, folder: Path, config: dict[str, Any], settings: Settings) -> None:
        self._layout = Layout.read(folder, config)
        self._device, dtype = choose_device(settings)
        self._lock = threading.Lock()
        self._tokenizer = load_part(AutoTokenizer.from_pretrained, folder, QWEN3_VL_EMBEDDING)
        model = load_part(
            AutoModel.from_pretrained,
            folder,
            QWEN3_VL_EMBEDDING,
            use_safetensors=True,
            dtype=dtype,
        )
        self._tokenizer.padding_side = "right"
        self._model = model.eval().to(self._device)

    def embed_pictures(self, images: np.ndarray, instruction: str) -> np.ndarray:
        """(N, dimension) float32 of images (N, H, W, 3) uint8, any length."""
        visions = [self._layout.picture(image) for image in images]
        return self._embed([self._layout.text(vision) for vision in visions], visions, instruction)

    def embed_clip(
        self, images: np.ndarray, times_s: Sequence[float], instruction: str
    ) -> np.ndarray:
        """(1, dimension) float32 of a clip (N, H, W, 3) uint8, any length."""
        vision = self._layout.video(images, times_s)
        return self._embed([self._layout.text(vision)], [vision], instruction)

    def embed_texts(self, texts: Sequence[str], instruction: str) -> np.ndarray:
        """(N, dimension) float32, any length; a text beyond what the model reads is cut."""
        return self._embed([plain(text)[: 3 * MAX_TOKENS] for text in texts], [], instruction)

    @torch.inference_mode()
    def _embed(
        self, inputs: Sequence[str], visions: Sequence[Vision], instruction: str
    ) -> np.ndarray:
        prompts = [turn("system", instruction) + turn("user", text) + ASSISTANT for text in inputs]
        read = self._tokenizer(prompts, padding=True, return_tensors="pt").to(self._device)
        tensors = self._layout.tensors(visions, read["input_ids"], self._model.dtype)
        with self._lock:  # the model keeps positions of its last call
            hidden = self._model(
                **tensors, attention_mask=read["attention_mask"], use_cache=False
            ).last_hidden_state
        last = read["attention_mask"].sum(dim=1) - 1
        return hidden[torch.arange(len(last)), last].float().cpu().numpy()
