"""Frames a second of the embedders, and of the alignment by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import SiglipVisionConfig, SiglipVisionModel

from benchmarks.gpu.report import Table, busy_share, time_s
from indexer.embedders.alignment import load_alignment
from indexer.embedders.device_alignment import DeviceAlignment
from indexer.embedders.efficientnet import Classifier, PictureViews
from indexer.embedders.lite import weights_path

CPU = torch.device("cpu")
LARGEST_ON_CPU = 16
# google/siglip2-base-patch16-224
SIGLIP2: dict[str, Any] = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "image_size": 224,
    "patch_size": 16,
}
TINY_SIGLIP2 = {**SIGLIP2, "num_hidden_layers": 2, "hidden_size": 96, "intermediate_size": 192}
COSINE = 0.995  # least agreement of vectors in bfloat16 with float32 on the CPU

Embed = Callable[[np.ndarray], np.ndarray]


def lite(device: torch.device, dtype: torch.dtype, weights: Path | None = None) -> Embed:
    """Images (N, H, W, 3) uint8 to unit vectors, as `lite` makes them."""
    classifier, alignment = Classifier(weights or weights_path(), device, dtype), load_alignment()
    if device.type == "cpu":
        return lambda images: alignment.pictures(classifier.views(images))
    on_device = DeviceAlignment(alignment, device)
    return lambda images: on_device.pictures(*classifier.views_on_device(images))


def siglip2(device: torch.device, dtype: torch.dtype, tiny: bool) -> Embed:
    """The picture tower with random weights, the same on every device."""
    torch.manual_seed(0)
    config = SiglipVisionConfig(**(TINY_SIGLIP2 if tiny else SIGLIP2))
    tower = SiglipVisionModel(config).eval().to(device=device, dtype=dtype)  # pyright: ignore[reportCallIssue]

    @torch.inference_mode()
    def embed(images: np.ndarray) -> np.ndarray:
        pixels = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).to(dtype) / 127.5 - 1
        vectors = tower(pixels).pooler_output.float()
        return torch.nn.functional.normalize(vectors, dim=1).cpu().numpy()

    return embed


def run(table: Table, batches: tuple[int, ...], seconds: float, tiny: bool) -> None:
    """Each embedder at each batch size; agreement; how busy the GPU is."""
    makers: dict[str, tuple[int, Callable[[torch.device, torch.dtype], Embed]]] = {
        "lite": (260, lite),
        "siglip2, random weights": (224, lambda device, dtype: siglip2(device, dtype, tiny)),
    }
    for name, (side, make) in makers.items():
        table.part(name, lambda n=name, s=side, m=make: _embedder(table, n, s, m, batches, seconds))
    table.part("alignment", lambda: _alignment(table, batches, seconds))


def _embedder(
    table: Table,
    name: str,
    side: int,
    make: Callable[[torch.device, torch.dtype], Embed],
    batches: tuple[int, ...],
    seconds: float,
) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (max(batches), side, side, 3), dtype=np.uint8)
    exact = make(CPU, torch.float32)
    # A CPU that has to emulate bfloat16 takes minutes for a few pictures.
    fast = make(table.device, torch.bfloat16 if table.device.type == "cuda" else torch.float32)
    for size in batches:
        batch = images[:size]
        on_cpu = ""
        if size <= LARGEST_ON_CPU:
            on_cpu = (
                f"{size / time_s(CPU, lambda b=batch: exact(b), seconds):.0f} frames/s, float32"
            )
        rate = size / time_s(table.device, lambda b=batch: fast(b), seconds)
        table.row(f"{name}, batches of {size}", f"{rate:.0f} frames/s", on_cpu)
    few = images[: min(8, len(images))]
    agreement = (exact(few) * fast(few)).sum(axis=1).min()
    verdict = "within" if agreement >= COSINE else "NOT within"
    table.row(f"{name}, least cosine to the CPU", f"{agreement:.4f}, {verdict} {COSINE}")
    share = busy_share(table.device, lambda: [fast(images) for _ in range(4)])
    if share is not None:
        table.row(f"{name}, GPU busy at the largest batch", f"{share:.0%} (wanted 60%)")


def _alignment(table: Table, batches: tuple[int, ...], seconds: float) -> None:
    """What follows the network, beside it on the device."""
    classifier, alignment = Classifier(weights_path(), CPU, torch.float32), load_alignment()
    on_device = DeviceAlignment(alignment, table.device)
    views = classifier.views(np.zeros((1, 260, 260, 3), np.uint8))
    for size in batches:
        parts = (views.cells, views.earlier, views.probabilities)
        cells, earlier, probabilities = (np.repeat(part, size, axis=0) for part in parts)
        many = PictureViews(cells, earlier, probabilities)
        rate = size / time_s(CPU, lambda m=many: alignment.pictures(m), seconds)
        tensors = tuple(
            torch.from_numpy(part).to(table.device) for part in (cells, earlier, probabilities)
        )
        fast = size / time_s(table.device, lambda t=tensors: on_device.pictures(*t), seconds)
        cosine = (alignment.pictures(many) * on_device.pictures(*tensors)).sum(axis=1).min()
        table.row(
            f"alignment, batches of {size}",
            f"{fast:.0f} frames/s, cosine {cosine:.4f}",
            f"{rate:.0f} frames/s",
        )
