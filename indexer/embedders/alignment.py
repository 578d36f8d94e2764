"""Pictures and texts in one space of 256 numbers, by a linear map that was fitted on photographs
with captions.

A text is its vectors in two sentence models (MiniLM for English, the multilingual encoder for all),
each whitened half-way, for a few directions ("a man ...") would else outweigh the rest, side by
side, on the principal axes of the captions read as questions. A picture is a point of the same
space: that of the words of its ImageNet classes (ConSE, Norouzi et al. 2014, "Zero-shot learning by
convex combination of semantic embeddings"), which knows a thousand things that captions name
seldom, plus what a ridge regression from the classifier's views says of the rest, which knows what
the classes have no word for: people, colours, places, what is done.

`python -m indexer.embedders.alignment FOLDER` fits the map anew. It writes alignment.npz, the map,
and photographs.npz, where the photographs lie in the space. Where they come from is in NOTICE, what
was tried in docs/experiments/alignment.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.embedders.base import unit
from indexer.embedders.text.mapped_weights import UnpackedWeights
from indexer.process.load_once import load_once

if TYPE_CHECKING:
    from indexer.embedders.efficientnet import PictureViews

FILE = Path(__file__).with_name("alignment.npz")
PHOTOGRAPHS_FILE = Path(__file__).with_name("photographs.npz")
DIMENSION = 256
BEST_CLASSES = 30
# Exponent of the probabilities as features: a picture shows more than what a softmax settles on.
PROBABILITY_POWER = 0.35
# Lengths of the parts of a picture's features.
EARLIER_WEIGHT = 0.7
CLASSES_WEIGHT = 0.2  # of ConSE in a picture's vector; the regression adds what that leaves


@dataclass(frozen=True, slots=True)
class TextMap:
    """Sentence vectors of one model, centred by `mean` (D,) and whitened half-way by `whitening`
    (D, D).
    """

    mean: np.ndarray
    whitening: np.ndarray

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Unit vectors (N, D) of unit sentence vectors (N, D)."""
        return unit((vectors - self.mean) @ self.whitening)


@dataclass(frozen=True, slots=True)
class Alignment:
    """The map, float32.

    minilm, multilingual  maps of sentence vectors of 384 and of 512 numbers
    axes                  (896, DIMENSION) orthonormal: both of them side by side to the space
    classes               (1000, DIMENSION) what the words of each ImageNet class are in the space
    earlier_mean, earlier_scale  (E,) of the earlier layers over the photographs
    picture, bias         (F, DIMENSION), (DIMENSION,) from a picture's features
    """

    minilm: TextMap
    multilingual: TextMap
    axes: np.ndarray
    classes: np.ndarray
    earlier_mean: np.ndarray
    earlier_scale: np.ndarray
    picture: np.ndarray
    bias: np.ndarray

    def pictures(self, views: PictureViews) -> np.ndarray:
        """Unit vectors (N, DIMENSION) of pictures."""
        described = self.features(views) @ self.picture + self.bias
        return unit(CLASSES_WEIGHT * self.classes_of(views.probabilities) + described)

    def texts(self, minilm: np.ndarray | None, multilingual: np.ndarray) -> np.ndarray:
        """Unit vectors (N, DIMENSION) of texts whose sentence vectors are (N, 384), or None for
        texts that are not English, and (N, 512).
        """
        return unit(side_by_side(self, minilm, multilingual) @ self.axes)

    def features(self, views: PictureViews) -> np.ndarray:
        """What the regression reads (N, F): roots of the cells (Hellinger), earlier layers, and
        probabilities, each of a fixed length.
        """
        earlier = (views.earlier - self.earlier_mean) / self.earlier_scale
        return np.concatenate(
            [
                unit(np.sqrt(views.cells).mean(1)),
                EARLIER_WEIGHT * unit(earlier),
                unit(views.probabilities**PROBABILITY_POWER),
            ],
            axis=1,
        )

    def classes_of(self, probabilities: np.ndarray) -> np.ndarray:
        """ConSE: unit vectors (N, DIMENSION), the mean of the best classes of (N, 1000)."""
        least = -np.partition(-probabilities, BEST_CLASSES - 1, axis=1)[:, BEST_CLASSES - 1, None]
        return unit(np.where(probabilities >= least, probabilities, 0) @ self.classes)


def side_by_side(
    alignment: Alignment, minilm: np.ndarray | None, multilingual: np.ndarray
) -> np.ndarray:
    """Whitened vectors (N, 896) of unit length, both models with the same weight; without the
    first, the second alone.
    """
    second = alignment.multilingual.apply(multilingual)
    if minilm is None:
        return np.concatenate([np.zeros((len(second), alignment.minilm.mean.size)), second], 1)
    return np.concatenate([alignment.minilm.apply(minilm), second], 1) / np.sqrt(2)


def save_alignment(alignment: Alignment, file: Path) -> None:
    """Write it in half precision."""
    arrays = {}
    for name, value in _parts(alignment).items():
        arrays[name] = value.astype(np.float16)
    np.savez_compressed(file, **arrays)


def read_alignment(file: Path) -> Alignment:
    """The map as float32."""
    return _put_together(_unpack(file))


def _unpack(file: Path) -> dict[str, np.ndarray]:
    with np.load(file) as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}


def _put_together(arrays: dict[str, np.ndarray]) -> Alignment:
    maps = {
        name: TextMap(arrays.pop(f"{name}_mean"), arrays.pop(f"{name}_whitening"))
        for name in ("minilm", "multilingual")
    }
    rest: dict[str, Any] = {**maps, **arrays}
    return Alignment(**rest)


@load_once
def load_alignment() -> Alignment:
    """The map that comes with Seekpoint."""
    return _put_together(UnpackedWeights.of(FILE, lambda: _unpack(FILE)))


def save_photograph_vectors(vectors: np.ndarray, file: Path) -> None:
    """Write vectors (R, DIMENSION) of pictures in eight bits a number."""
    step = float(np.abs(vectors).max()) / 127
    rounded = np.round(vectors / step).astype(np.int8)
    np.savez_compressed(file, vectors=rounded, step=np.float32(step))


def read_photograph_vectors(file: Path) -> np.ndarray:
    """Unit vectors (R, DIMENSION) float32."""
    with np.load(file) as stored:
        return unit(stored["vectors"].astype(np.float32) * stored["step"])


@load_once
def load_class_vectors() -> np.ndarray:
    """Unit vectors (1000, DIMENSION) of the words of the ImageNet classes."""
    return unit(load_alignment().classes)


@load_once
def load_photograph_vectors() -> np.ndarray:
    """Unit vectors (R, DIMENSION) of the photographs that the map was fitted on."""
    return UnpackedWeights.of(
        PHOTOGRAPHS_FILE, lambda: {"vectors": read_photograph_vectors(PHOTOGRAPHS_FILE)}
    )["vectors"]


def _parts(alignment: Alignment) -> dict[str, np.ndarray]:
    parts: dict[str, np.ndarray] = {}
    for field in fields(alignment):
        value = getattr(alignment, field.name)
        if isinstance(value, TextMap):
            parts |= {f"{field.name}_mean": value.mean, f"{field.name}_whitening": value.whitening}
        else:
            parts[field.name] = value
    return parts


if __name__ == "__main__":
    from indexer.embedders.alignment_fit import main

    sys.exit(main(sys.argv[1:]))
