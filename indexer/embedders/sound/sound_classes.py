"""What YAMNet's classes mean: sounds and questions in one space of 521 numbers.

A class is described by its name and by what people say when they hear it (sound_classes.tsv). A
question meets the classes through exp((s - 1) / TEMPERATURE), s being its similarity to the nearest
description of a class: the mean cosine of two sentence models where it is English, the multilingual
one's alone otherwise. A sound meets them through its probabilities to the power of SHARPNESS: they
rise from 1e-4 to 1 within a sound, and on that scale a curve has one plateau where a sound lasts
and not a few spikes. Sounds are not made unit: what is hardly heard is near to nothing.

docs/experiments/sound.md has what was measured. `python -m indexer.embedders.sound.sound_classes`
makes sound_classes.npz again (minutes).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from indexer.embedders.base import unit
from indexer.embedders.text.mapped_weights import UnpackedWeights
from indexer.embedders.text.scripts import READ_BY_USE, mostly_in
from indexer.embedders.text.sentences import Sentences

HERE = Path(__file__).parent
DESCRIPTIONS = HERE / "sound_classes.tsv"
TABLE = HERE / "sound_classes.npz"
CLASSES = 521
TEMPERATURE = 0.03
SHARPNESS = 0.2
# what a question in another language is less like the English descriptions: .23 in 22 pairs, less
# a margin for the languages that the encoder knows better
ACROSS = 0.15
MEANT = 5  # classes that a question can mean: of one in few words all the others add up


@dataclass(frozen=True, slots=True)
class SoundQuestion:
    """`vector` (521,), unit: the classes that a question means; `likeness`: cosine of its words to
    the nearest description of any sound, near 0 for what cannot be heard.
    """

    vector: np.ndarray
    likeness: float

    @property
    def focus(self) -> float:
        """Share of the class that is meant most, in (0, 1]: low where several are meant alike."""
        return float(self.vector.max() / self.vector.sum())


@dataclass(frozen=True, slots=True)
class SoundClasses:
    """`names` of the classes; unit vectors of the descriptions in MiniLM (S, 384) and the
    multilingual encoder (S, 512); `owners` (S,) rising: the class of each.
    """

    names: tuple[str, ...]
    minilm: np.ndarray
    use: np.ndarray
    owners: np.ndarray

    def ask(self, sentences: Sentences, text: str) -> SoundQuestion:
        """Which classes of sounds a question means, and how well the nearest one fits it."""
        similarity = sentences.embed_multilingual([text]) @ self.use.T
        if sentences.is_english(text):
            similarity = (similarity + sentences.minilm.embed([text]) @ self.minilm.T) / 2
        else:
            similarity = np.minimum(similarity + ACROSS, 1.0)
        nearest = of_classes(similarity, self.owners)[0]
        weights = np.exp((nearest - 1) / TEMPERATURE)
        weights[np.argsort(weights)[:-MEANT]] = 0
        return SoundQuestion(unit(weights[None])[0], float(nearest.max()))

    def common_name(self, question: SoundQuestion, sound: np.ndarray) -> str:
        """The class that a sound (521,) has most in common with a question."""
        return self.names[int(np.argmax(question.vector * sound))]

    @property
    def columns(self) -> dict[str, int]:
        """Name of a class -> its place."""
        return {name: column for column, name in enumerate(self.names)}


def ask_sound(text: str) -> SoundQuestion | None:
    """A question in the space of sounds; None where no sentence model reads its script."""
    if not mostly_in(text, READ_BY_USE):
        return None
    return load_sound_classes().ask(Sentences(), text)


def sound_vectors(probabilities: np.ndarray) -> np.ndarray:
    """Vectors (N, 521) of sounds with these probabilities (N, 521)."""
    return probabilities**SHARPNESS


def of_classes(similarity: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """(N, 521): of the similarities (N, S) to descriptions, the best of each class."""
    return np.maximum.reduceat(similarity, np.flatnonzero(np.diff(owners, prepend=-1)), axis=1)


@cache
def load_sound_classes() -> SoundClasses:
    """The stored classes with the vectors of their descriptions."""
    names = tuple(name for name, _ in describe())
    table = UnpackedWeights.of(TABLE, _read_table)
    return SoundClasses(names, table["minilm"], table["use"], table["owners"])


def _read_table() -> dict[str, np.ndarray]:
    with np.load(TABLE) as table:
        arrays = {name: table[name].astype(np.float32) for name in ("minilm", "use")}
        return arrays | {"owners": table["owners"].astype(np.int64)}


def describe() -> list[tuple[str, list[str]]]:
    """(name, descriptions) of the 521 classes."""
    rows = [line.split("\t") for line in DESCRIPTIONS.read_text().splitlines()]
    return [
        (name, [name, f"the sound of {name.lower()}", *text.split("; ")]) for name, text in rows
    ]


def build() -> None:
    """Write sound_classes.npz."""
    sentences = Sentences()
    texts = [text for _, descriptions in describe() for text in descriptions]
    owners = np.repeat(np.arange(CLASSES), [len(descriptions) for _, descriptions in describe()])
    store(sentences.minilm.embed(texts), sentences.embed_multilingual(texts), owners)


def store(minilm: np.ndarray, use: np.ndarray, owners: np.ndarray) -> None:
    """Write sound_classes.npz from unit vectors (S, 384), (S, 512) of the descriptions."""
    np.savez(
        TABLE,
        minilm=minilm.astype(np.float16),
        use=use.astype(np.float16),
        owners=owners.astype(np.int16),
    )


if __name__ == "__main__":
    build()
