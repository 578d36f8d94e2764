"""The 1000 ImageNet classes in words, and the space that they span for texts and pictures.

A class is described four times: a photo caption, its WordNet lemmas, its name with the WordNet gloss (imagenet.tsv), and what is usually
seen in photographs of it, in everyday words (contexts.tsv: people, places, what is done), which classifiers have no label for.
Two sentence models read the descriptions; the class's vector in each is their mean.

Texts meet classes through k(a, b) = exp((s(a, b) - 1) / TEMPERATURE), s being the mean cosine in the two models: only the classes that a
question is really about count, where plain ConSE sums a little similarity to all of them. The Nyström method (Williams and Seeger 2001)
turns k into AXES numbers: from the eigenvectors V and eigenvalues e of k over the classes, a class is V sqrt(e), a text k(text, classes)
V / sqrt(e). Eigenvectors have no fixed sign, so they are computed once and stored (labels.npz): `python -m indexer.embedders.labels`
makes that file again.
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
    """Classes in the spaces of MiniLM (1000, 384) and of the multilingual encoder (1000, 512), unit, and on the axes (1000, AXES)."""

    minilm: np.ndarray
    use: np.ndarray
    axes: np.ndarray

    def project(self, similarity: np.ndarray) -> np.ndarray:
        """Unit vectors (N, AXES) of texts whose cosines to the classes are (N, 1000)."""
        kernel = np.exp((similarity - 1) / TEMPERATURE)
        return unit(kernel @ (self.axes / (self.axes**2).sum(0)))


def load_labels() -> Labels:
    with np.load(TABLE) as table:
        return Labels(**{name: table[name].astype(np.float32) for name in ("minilm", "use", "axes")})


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


def make_axes(minilm: np.ndarray, use: np.ndarray) -> np.ndarray:
    """V sqrt(e) of the kernel over the classes, the AXES largest eigenvalues first."""
    similarity = (minilm @ minilm.T + use @ use.T) / 2
    values, vectors = np.linalg.eigh(np.exp((similarity.astype(np.float64) - 1) / TEMPERATURE))
    return (vectors * np.sqrt(values))[:, ::-1][:, :AXES]


def build() -> None:
    """Write labels.npz; takes minutes."""
    from indexer.embedders.sentences import Sentences

    sentences = Sentences()
    descriptions = describe()
    minilm = unit(np.sum([sentences.minilm.embed(texts) for texts in descriptions], axis=0)).astype(np.float16)
    use = unit(np.sum([sentences.embed_multilingual(texts) for texts in descriptions], axis=0)).astype(np.float16)
    axes = make_axes(minilm.astype(np.float32), use.astype(np.float32)).astype(np.float16)
    np.savez_compressed(TABLE, minilm=minilm, use=use, axes=axes)


if __name__ == "__main__":
    build()
