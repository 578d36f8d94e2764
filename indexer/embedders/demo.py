"""A deterministic embedder for tests and trials without models: colours of pixels against colour
words.

Twelve numbers say how much of a picture has each basic colour (Berlin and Kay's eleven, with cyan),
52 more tell texts apart by a hash of their other words, so that vectors of texts are exact, stable
on every machine, and differ.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from indexer.embedders.base import check_images, unit

COLOURS = {
    "black": (0, 0, 0), "white": (255, 255, 255), "gray": (128, 128, 128), "red": (220, 20, 20),
    "green": (20, 160, 20), "blue": (20, 20, 220), "yellow": (240, 230, 20),
    "orange": (250, 140, 20), "brown": (120, 70, 20), "purple": (130, 20, 160),
    "pink": (250, 150, 190), "cyan": (20, 220, 220),
}  # fmt: skip
SYNONYMS = {"grey": "gray", "dark": "black", "night": "black", "bright": "white"}
GRID_PIXELS = 32


class DemoEmbedder:
    name = "demo"
    key = "demo-1"
    dimension = 64
    short_side = 64
    languages: tuple[str, ...] = ("en",)
    photographs = None
    class_names = None

    def embed_frames(self, images: np.ndarray) -> np.ndarray:
        """Share of each basic colour over a grid of at most 32 x 32 pixels, then zeros: unit (N,
        64) float32.
        """
        check_images(images)
        vectors = np.zeros((len(images), self.dimension), np.float32)
        palette = np.array(list(COLOURS.values()), np.float32)
        for row, image in zip(vectors, images, strict=True):
            steps = (max(1, image.shape[0] // GRID_PIXELS), max(1, image.shape[1] // GRID_PIXELS))
            pixels = image[:: steps[0], :: steps[1]].reshape(-1, 1, 3).astype(np.float32)
            nearest = ((pixels - palette) ** 2).sum(-1).argmin(1)
            row[: len(COLOURS)] = np.bincount(nearest, minlength=len(COLOURS)) / len(nearest)
        return unit(vectors)

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """1 for each colour that is named and .25 for the hash of every other word: unit (N, 64)
        float32.
        """
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        names = list(COLOURS)
        for row, text in zip(vectors, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                colour = SYNONYMS.get(word, word)
                if colour in COLOURS:
                    row[names.index(colour)] += 1
                else:
                    row[len(names) + _hash(word) % (self.dimension - len(names))] += 0.25
        return unit(vectors)

    def reads(self, text: str) -> bool:
        """Only ASCII letters: enough to try the message about a script that nothing reads."""
        return not any(letter.isalpha() and not letter.isascii() for letter in text)


def _hash(word: str) -> int:
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
