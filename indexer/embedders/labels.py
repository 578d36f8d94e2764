"""The 1000 ImageNet classes in words, and the space that they span for texts and pictures.

A class is described four times: a photo caption, its WordNet lemmas, its name with the WordNet
gloss (imagenet.tsv), and what is usually seen in photographs of it, in everyday words
(contexts.tsv: people, places, what is done), which classifiers have no label for. Two sentence
models read the descriptions; the class's vector in each is their mean.

Texts meet classes through exp((s - 1) / TEMPERATURE), s being the mean cosine in the two models:
only the classes that a question is really about count, where plain ConSE sums a little similarity
to all of them. Pictures meet classes through probabilities. Of these 1000 numbers a projection
keeps AXES: the principal axes of the 4000 descriptions read as if they were questions. (The largest
eigenvectors of the classes' own kernel would be the obvious choice, but they are the many dogs and
birds, and classes without relatives would be lost.) Singular vectors have no fixed sign, so they
are computed once and stored (labels.npz): `python -m indexer.embedders.labels` makes that file
again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.embedders.base import unit

HERE = Path(__file__).parent
TABLE = HERE / "labels.npz"
TEMPERATURE = 0.05
AXES = 512


@dataclass(frozen=True, slots=True)
class Labels:
    """Unit vectors of the classes in MiniLM (1000, 384) and the multilingual encoder (1000, 512);
    orthonormal axes (1000, AXES).
    """

    minilm: np.ndarray
    use: np.ndarray
    axes: np.ndarray

    def project(self, weights: np.ndarray) -> np.ndarray:
        """Unit vectors (N, AXES) of what has these weights (N, 1000) on the classes."""
        return unit(weights @ self.axes)


def sharpen(similarity: np.ndarray) -> np.ndarray:
    """Weights (N, 1000), rows unit, of texts whose cosines to the classes are (N, 1000)."""
    return unit(np.exp((similarity - 1) / TEMPERATURE))


def load_labels() -> Labels:
    with np.load(TABLE) as table:
        return Labels(
            **{name: table[name].astype(np.float32) for name in ("minilm", "use", "axes")}
        )


def describe() -> list[list[str]]:
    """Four lists of 1000 descriptions: caption, lemmas, gloss, context."""
    rows = [line.split("\t") for line in (HERE / "imagenet.tsv").read_text().splitlines()]
    names = [row[1].split(", ")[0] for row in rows]
    return [
        [f"a photo of {_article(name)} {name}" for name in names],
        [row[1] for row in rows],
        [f"{name}: {row[2]}" for name, row in zip(names, rows, strict=True)],
        read_contexts(),
    ]


def read_contexts() -> list[str]:
    contexts = [""] * 1000
    for line in (HERE / "contexts.tsv").read_text().splitlines():
        span, text = line.split("\t")
        first, _, last = span.partition("-")
        for index in range(int(first), int(last or first) + 1):
            contexts[index] = text
    return contexts


def _article(name: str) -> str:
    return "an" if name[0].lower() in "aeiou" else "a"


def make_axes(similarity: np.ndarray) -> np.ndarray:
    """The first AXES right singular vectors (1000, AXES) of the weights of all descriptions, whose
    cosines are (4000, 1000).
    """
    return np.linalg.svd(sharpen(similarity).astype(np.float64), full_matrices=False)[2][:AXES].T


def build() -> None:
    """Write labels.npz; takes minutes."""
    from indexer.embedders.sentences import Sentences

    sentences = Sentences()
    descriptions = describe()
    store(
        np.stack([sentences.minilm.embed(texts) for texts in descriptions]),
        np.stack([sentences.embed_multilingual(texts) for texts in descriptions]),
    )


def store(minilm: np.ndarray, use: np.ndarray) -> None:
    """Write labels.npz from the vectors (4, 1000, D) of the descriptions in the two models."""
    classes = [unit(vectors.sum(0)).astype(np.float16) for vectors in (minilm, use)]
    cosines = [
        vectors.reshape(-1, vectors.shape[-1]) @ mean.astype(np.float32).T
        for vectors, mean in zip((minilm, use), classes, strict=True)
    ]
    axes = make_axes((cosines[0] + cosines[1]) / 2).astype(np.float16)
    np.savez_compressed(TABLE, minilm=classes[0], use=classes[1], axes=axes)


if __name__ == "__main__":
    build()
