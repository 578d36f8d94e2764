"""Fits the map from pictures to texts: `python -m indexer.embedders.alignment FOLDER`.

Everything is linear algebra without chance, so that the same folder gives the same files on the
same machine. The photographs are looked at twice, once mirrored.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from indexer.embedders import alignment as space
from indexer.embedders.alignment import Alignment, TextMap
from indexer.embedders.base import unit
from indexer.embedders.caption_sets import Photograph, read_photographs
from indexer.embedders.classes import describe_classes
from indexer.embedders.devices import choose_device
from indexer.embedders.efficientnet import SIDE, Classifier, PictureViews, concatenate_views
from indexer.embedders.lite import weights_path
from indexer.embedders.text.sentences import Sentences
from indexer.errors import SeekpointError, UsageError
from indexer.settings import Settings, load_settings

MIN_PHOTOGRAPHS = 20
BATCH = 16
WHITENING_POWER = 0.25  # of the covariance's inverse: 1/2 whitens, 0 leaves as it is
WHITENING_FLOOR = 0.1  # of the mean variance, added to each
RIDGE = 2.0  # of the mean variance of a feature, added to each

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SentenceVectors:
    """Unit vectors of the same texts in both models: (N, 384) and (N, 512)."""

    minilm: np.ndarray
    multilingual: np.ndarray


@dataclass(frozen=True, slots=True)
class CaptionedViews:
    """Views of N photographs, the same mirrored, and the vectors of their M captions with the
    number (M,) of the photograph that each is of.
    """

    plain: PictureViews
    mirrored: PictureViews
    captions: SentenceVectors
    owners: np.ndarray


@dataclass(frozen=True, slots=True)
class Fitted:
    """The map, and the unit vectors (N, DIMENSION) of the photographs that it was fitted on."""

    alignment: Alignment
    photographs: np.ndarray


def main(arguments: Sequence[str]) -> int:
    """Exit status of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m indexer.embedders.alignment",
        description="Fit the map of the embedder lite on photographs with captions.",
    )
    parser.add_argument("folder", type=Path, help="captions.jsonl with images, or COCO's own form")
    parser.add_argument(
        "-o", "--output", type=Path, default=space.FILE.parent, help="folder to write to"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        photographs = read_photographs(options.folder)
        save_fitted(fit(photographs, load_settings()), options.output)
    except SeekpointError as error:
        log.error("%s", error)
        return 2 if isinstance(error, UsageError) else 1
    log.info("written to %s", options.output)
    return 0


def save_fitted(fitted: Fitted, folder: Path) -> None:
    """Write the map and the vectors of its photographs into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    space.save_alignment(fitted.alignment, folder / space.FILE.name)
    space.save_photograph_vectors(fitted.photographs, folder / space.PHOTOGRAPHS_FILE.name)


def fit(
    photographs: Sequence[Photograph],
    settings: Settings,
    classes: Sequence[SentenceVectors] | None = None,
) -> Fitted:
    """The map that these photographs teach. UsageError where they are too few or cannot be read.

    `classes`: one or more descriptions of each of the 1000 ImageNet classes, embedded; None takes
    those of `describe_classes`.
    """
    if len(photographs) < MIN_PHOTOGRAPHS:
        raise UsageError(
            "{count} photographs are too few to fit a map",
            "give at least {least}; thousands are wanted for a good one",
            count=len(photographs),
            least=MIN_PHOTOGRAPHS,
        )
    sentences = Sentences()
    texts = [text for photograph in photographs for text in photograph.captions]
    owners = np.repeat(np.arange(len(photographs)), [len(p.captions) for p in photographs])
    log.info("reading %d captions", len(texts))
    captions = embed_sentences(sentences, texts)
    log.info("looking at %d photographs", len(photographs))
    plain, mirrored = look_at(photographs, settings)
    if classes is None:
        log.info("reading what the classes are called")
        classes = [embed_sentences(sentences, texts) for texts in describe_classes()]
    log.info("fitting")
    alignment = solve(CaptionedViews(plain, mirrored, captions, owners), classes)
    return Fitted(alignment, alignment.pictures(plain))


def embed_sentences(sentences: Sentences, texts: Sequence[str]) -> SentenceVectors:
    """Vectors of the texts; texts of like length share a batch, which makes batches shorter."""
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    ordered = [texts[row] for row in order]
    back = np.argsort(order)
    return SentenceVectors(
        sentences.minilm.embed(ordered)[back], sentences.embed_multilingual(ordered)[back]
    )


# ---- pictures ------------------------------------------------------------------------------------


def look_at(
    photographs: Sequence[Photograph], settings: Settings
) -> tuple[PictureViews, PictureViews]:
    """Views of the photographs, and of the same mirrored; in float32, so that the map does not
    depend on what number formats a machine multiplies.
    """
    device, _ = choose_device(settings)
    classifier = Classifier(weights_path(), device, torch.float32)
    plain, mirrored = [], []
    for images in _batches(photographs):
        plain.append(classifier.views(images))
        mirrored.append(classifier.views(images[:, :, ::-1]))
    return concatenate_views(plain), concatenate_views(mirrored)


def _batches(photographs: Sequence[Photograph]) -> Iterator[np.ndarray]:
    for at in range(0, len(photographs), BATCH):
        yield np.stack([_centre_square(p.path) for p in photographs[at : at + BATCH]])


def _centre_square(path: Path) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8 of the middle of a picture."""
    try:
        with Image.open(path) as picture:
            image = picture.convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise UsageError(
            "{path} cannot be read as a picture: {error}",
            "replace the file or take it out of the captions",
            path=path,
            error=error,
        ) from None
    short = min(image.size)
    left, top = (image.width - short) // 2, (image.height - short) // 2
    square = image.crop((left, top, left + short, top + short))
    return np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


# ---- the map -------------------------------------------------------------------------------------


def solve(views: CaptionedViews, classes: Sequence[SentenceVectors]) -> Alignment:
    """The map from views of photographs with captions, and from several descriptions of each of the
    ImageNet classes.
    """
    captions = views.captions
    minilm, multilingual = _text_map(captions.minilm), _text_map(captions.multilingual)
    both = _beside(minilm.apply(captions.minilm), multilingual.apply(captions.multilingual))
    axes = _principal_axes(both, captions.minilm.shape[1])
    class_minilm = unit(np.sum([one.minilm for one in classes], axis=0))
    class_multilingual = unit(np.sum([one.multilingual for one in classes], axis=0))
    class_vectors = _beside(minilm.apply(class_minilm), multilingual.apply(class_multilingual))
    scale = views.plain.earlier.std(0) + 1e-6
    start = Alignment(
        minilm=minilm,
        multilingual=multilingual,
        axes=axes,
        classes=class_vectors @ axes,
        earlier_mean=views.plain.earlier.mean(0),
        earlier_scale=scale,
        picture=np.zeros((0, axes.shape[1]), np.float32),
        bias=np.zeros(axes.shape[1], np.float32),
    )
    targets = _means(both @ axes, views.owners)
    picture, bias = _regress(start, (views.plain, views.mirrored), targets)
    return replace(start, picture=picture, bias=bias)


def _text_map(vectors: np.ndarray) -> TextMap:
    """Whitens half-way: the covariance of the captions to the power -WHITENING_POWER."""
    values, axes = np.linalg.eigh(np.cov(vectors.T, dtype=np.float64))
    values = np.maximum(values, 0)
    values += WHITENING_FLOOR * values.mean()
    whitening = (axes * (values / values.mean()) ** -WHITENING_POWER) @ axes.T
    return TextMap(vectors.mean(0), whitening.astype(np.float32))


def _beside(minilm: np.ndarray, multilingual: np.ndarray) -> np.ndarray:
    return np.concatenate([minilm, multilingual], 1) / np.sqrt(2)


def _principal_axes(texts: np.ndarray, first: int) -> np.ndarray:
    """The axes (D, DIMENSION) that hold most of the captions, read in English and in any language:
    with both models, and with the second alone, whose numbers begin at `first`.
    """
    second = texts.copy()
    second[:, :first] = 0
    second = unit(second)
    products = (texts.T @ texts + second.T @ second).astype(np.float64)
    axes = np.linalg.eigh(products)[1][:, ::-1][:, : space.DIMENSION]
    signs = np.sign(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])])
    return (axes * signs).astype(np.float32)


def _means(vectors: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """(N, D) means of the vectors (M, D) of each owner, all of whom have one."""
    sums = np.zeros((owners[-1] + 1, vectors.shape[1]))
    np.add.at(sums, owners, vectors)
    return sums / np.bincount(owners)[:, None]


def _regress(
    start: Alignment, views: Sequence[PictureViews], targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression (Hoerl and Kennard 1970) of what the classes' words leave of the targets:
    weights (F, D) and bias (D,).
    """
    products = answers = feature_mean = rest_mean = 0
    count = len(views) * len(targets)
    for view in views:
        features = start.features(view)
        rest = targets - space.CLASSES_WEIGHT * start.classes_of(view.probabilities)
        products = products + (features.T @ features).astype(np.float64)
        answers = answers + features.T.astype(np.float64) @ rest
        feature_mean = feature_mean + features.sum(0, dtype=np.float64) / count
        rest_mean = rest_mean + rest.sum(0) / count
    products = products - count * np.outer(feature_mean, feature_mean)
    answers = answers - count * np.outer(feature_mean, rest_mean)
    products[np.diag_indices_from(products)] += RIDGE * np.trace(products) / len(products)
    weights = np.linalg.solve(products, answers)
    return weights.astype(np.float32), (rest_mean - feature_mean @ weights).astype(np.float32)
