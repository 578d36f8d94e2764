"""The map from pictures to texts: that a fit learns, gives the same file again, and what is
shipped.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from indexer.embedders import alignment as space
from indexer.embedders.alignment import load_alignment, read_alignment, save_alignment
from indexer.embedders.alignment_fit import (
    SentenceVectors,
    embed_sentences,
    fit,
    main,
    save_fitted,
)
from indexer.embedders.base import unit
from indexer.embedders.caption_sets import Photograph, read_photographs
from indexer.embedders.classes import describe_classes
from indexer.embedders.device_alignment import DeviceAlignment
from indexer.embedders.efficientnet import Classifier, PictureViews
from indexer.embedders.lite import weights_path
from indexer.embedders.text.sentences import Sentences
from indexer.errors import UsageError
from indexer.settings import load_settings

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 200)}
SHAPES = ("circle", "stripes", "checkerboard")


def draw(colour: str, shape: str, shade: int) -> Image.Image:
    image = Image.new("RGB", (120, 96), (230 - shade, 230 - shade, 225 - shade))
    pen, ink = ImageDraw.Draw(image), COLOURS[colour]
    if shape == "circle":
        pen.ellipse([25 + shade, 15, 85 + shade, 75], fill=ink)
    elif shape == "stripes":
        for left in range(shade, 120, 24):
            pen.rectangle([left, 0, left + 10, 96], fill=ink)
    else:
        for x in range(0, 120, 24):
            for y in range(0, 96, 24):
                pen.rectangle([x + shade, y, x + shade + 11, y + 11], fill=ink)
    return image


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """27 drawn pictures: three colours, three shapes, three shades."""
    folder = tmp_path_factory.mktemp("captions")
    rows = []
    for colour in COLOURS:
        for shape in SHAPES:
            for shade in (0, 4, 8):
                name = f"{colour}-{shape}-{shade}.png"
                draw(colour, shape, shade).save(folder / name)
                captions = [f"a {colour} {shape}", f"{shape} drawn in {colour}"]
                rows.append(json.dumps({"image": name, "captions": captions}))
    (folder / "captions.jsonl").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def settings():
    return load_settings(device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def classes() -> list[SentenceVectors]:
    """The shortest of the three descriptions of each class: all of them take a minute to embed."""
    return [embed_sentences(Sentences(), describe_classes()[0])]


@pytest.fixture(scope="module")
def fitted(folder, settings, classes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    fitted = tmp_path_factory.mktemp("fitted")
    save_fitted(fit(read_photographs(folder), settings, classes), fitted)
    return fitted


def test_a_fit_learns_what_the_captions_say(fitted, settings):
    """Pictures of another shade than those it was fitted on are told apart by colour and shape."""
    alignment, sentences = read_alignment(fitted / space.FILE.name), Sentences()
    classifier = Classifier(weights_path(), *_cpu(settings))
    pairs = [(colour, shape) for colour in COLOURS for shape in SHAPES]
    images = np.stack([np.asarray(draw(*pair, 6)) for pair in pairs])
    texts = [f"a {colour} {shape}" for colour, shape in pairs]
    vectors = alignment.texts(sentences.minilm.embed(texts), sentences.embed_multilingual(texts))
    scores = vectors @ alignment.pictures(classifier.views(images)).T
    assert (scores.argmax(1) == np.arange(len(pairs))).mean() > 0.7


def _cpu(settings):
    from indexer.embedders.devices import choose_device

    return choose_device(settings)


def test_the_same_folder_gives_the_same_files(folder, settings, classes, fitted, tmp_path):
    save_fitted(fit(read_photographs(folder), settings, classes), tmp_path)
    for name in (space.FILE.name, space.PHOTOGRAPHS_FILE.name):
        assert (tmp_path / name).read_bytes() == (fitted / name).read_bytes()


def test_what_is_wrong_is_said_with_the_exit_status_of_wrong_use(tmp_path, caplog):
    assert main([str(tmp_path / "absent")]) == 2
    assert "is not a folder" in caplog.text


def test_too_few_photographs_are_refused(settings):
    with pytest.raises(UsageError, match="1 photographs are too few"):
        fit([Photograph(Path("one.jpg"), ("a dog",))], settings)


def test_a_file_that_is_no_picture_is_named(folder, tmp_path, settings):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not a picture")
    with pytest.raises(UsageError, match=r"broken\.jpg cannot be read as a picture"):
        fit([Photograph(broken, ("a dog",))] * 20, settings)


def test_a_saved_map_is_read_again(tmp_path):
    alignment = load_alignment()
    file = tmp_path / "copy.npz"
    save_alignment(alignment, file)
    again = read_alignment(file)
    np.testing.assert_array_equal(again.picture, alignment.picture)
    np.testing.assert_array_equal(again.minilm.whitening, alignment.minilm.whitening)


def test_what_is_shipped_is_small_and_its_axes_are_orthonormal():
    assert space.FILE.stat().st_size + space.PHOTOGRAPHS_FILE.stat().st_size < 8e6
    axes = load_alignment().axes
    assert axes.shape[1] == space.DIMENSION
    np.testing.assert_allclose(axes.T @ axes, np.eye(space.DIMENSION), atol=2e-3)


def test_classes_keep_their_words_in_the_space():
    """A picture of which the classifier is sure is near to the name of the class."""
    alignment, sentences = load_alignment(), Sentences()
    sure = np.full((3, 1000), 1e-6, np.float32)
    sure[[0, 1, 2], [281, 504, 817]] = 0.99  # tabby cat, coffee mug, sports car
    names = ["a tabby cat", "a coffee mug", "a sports car"]
    texts = alignment.texts(sentences.minilm.embed(names), sentences.embed_multilingual(names))
    scores = texts @ alignment.classes_of(sure).T
    assert scores.argmax(1).tolist() == [0, 1, 2]
    assert scores.diagonal().min() > 0.4


def test_best_classes_by_hand():
    """Only the best thirty count, weighed by their probabilities."""
    alignment = load_alignment()
    probabilities = np.full((1, 1000), 1e-4, np.float32)
    probabilities[0, :30] = np.linspace(0.05, 0.02, 30)
    expected = unit(probabilities[:, :30] @ alignment.classes[:30])
    np.testing.assert_allclose(alignment.classes_of(probabilities), expected, atol=1e-6)


def test_photographs_keep_their_place_in_eight_bits(tmp_path):
    vectors = unit(np.random.default_rng(0).normal(size=(50, space.DIMENSION)))
    file = tmp_path / "photographs.npz"
    space.save_photograph_vectors(vectors, file)
    assert ((space.read_photograph_vectors(file) * vectors).sum(1) > 0.999).all()
    shipped = space.load_photograph_vectors()
    assert len(shipped) > 6000
    np.testing.assert_allclose(np.linalg.norm(shipped, axis=1), 1, atol=1e-5)


def test_features_are_of_fixed_lengths():
    alignment = load_alignment()
    random = np.random.default_rng(0)
    views = PictureViews(
        random.random((4, 9, 1280), np.float32),
        random.normal(size=(4, alignment.earlier_mean.size)).astype(np.float32),
        random.dirichlet(np.ones(1000), 4).astype(np.float32),
    )
    features = alignment.features(views)
    assert features.shape == (4, alignment.picture.shape[0])
    lengths = (features**2).sum(1)
    np.testing.assert_allclose(lengths, 2 + space.EARLIER_WEIGHT**2, atol=1e-4)


def test_the_map_on_the_device_of_the_classifier_says_the_same():
    alignment, random = load_alignment(), np.random.default_rng(0)
    cells = np.maximum(random.standard_normal((5, 9, 1280), np.float32), 0)
    earlier = random.standard_normal((5, 680), np.float32)
    probabilities = random.dirichlet(np.full(1000, 0.05), 5).astype(np.float32)
    views = PictureViews(cells, earlier, probabilities)
    parts = (torch.from_numpy(part) for part in (cells, earlier, probabilities))
    on_device = DeviceAlignment(alignment, torch.device("cpu")).pictures(*parts)
    np.testing.assert_allclose(on_device, alignment.pictures(views), atol=1e-5)
