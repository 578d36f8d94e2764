"""Qwen3-VL-Embedding on tiny random checkpoints, and its inputs against transformers' own."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from grounding.spans import Span
from indexer.embedders.base import ClipEmbedder, Embedder
from indexer.embedders.qwen.embedder import DOCUMENT, QwenEmbedder
from indexer.embedders.qwen.inputs import ASSISTANT, Layout, fitting_size, turn
from indexer.embedders.registry import MODELS, load_embedder
from indexer.errors import ModelError
from indexer.media.files import MediaFiles
from indexer.settings import load_settings
from indexer.stages.picture import PictureStage
from tests.indexer.embedders.qwen_checkpoint import save_qwen
from tests.support import colour_video, demo_library


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_qwen(tmp_path_factory.mktemp("qwen"))


def settings_for(folder, **others):
    options = {"embedder": "qwen3-vl-embedding", "embedder_path": str(folder), "device": "cpu"}
    return load_settings(**{**options, "dtype": "float32", "batch_size": 3, **others})


@pytest.fixture(scope="module")
def embedder(folder) -> QwenEmbedder:
    return load_embedder(settings_for(folder))  # pyright: ignore[reportReturnType]


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 70, 110, 3), dtype=np.uint8)


def layout_of(embedder):
    return Layout.read(embedder.folder, embedder.config)


def test_loading_says_nothing(folder, capfd):
    QwenEmbedder(settings_for(folder)).embed_texts(["a dog"])
    assert capfd.readouterr() == ("", "")


def test_it_is_an_embedder_of_frames_and_clips(embedder, images):
    assert isinstance(embedder, Embedder)
    assert isinstance(embedder, ClipEmbedder)
    vectors = embedder.embed_frames(images)
    assert (vectors.shape, vectors.dtype) == ((5, 32), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert embedder.embed_frames(images[:0]).shape == embedder.embed_texts([]).shape == (0, 32)


def test_vectors_do_not_depend_on_the_batch(embedder, images):
    alone = np.concatenate([embedder.embed_frames(image[None]) for image in images])
    np.testing.assert_allclose(embedder.embed_frames(images), alone, atol=1e-5)
    texts = ["a dog", "a red car that turns into a side street", "猫"]
    alone = np.concatenate([embedder.embed_texts([text]) for text in texts])
    np.testing.assert_allclose(embedder.embed_texts(texts), alone, atol=1e-5)
    assert np.abs(alone[0] - alone[1]).max() > 1e-3


def test_a_frame_is_what_the_model_says_of_transformers_own_inputs(embedder, images):
    """Image processor, ids and pooling written out as the published code has them."""
    from transformers import AutoImageProcessor, AutoTokenizer, Qwen3VLModel

    model = Qwen3VLModel.from_pretrained(embedder.folder).eval()
    processor = AutoImageProcessor.from_pretrained(embedder.folder, backend="pil")
    size = {"shortest_edge": 64 * 64, "longest_edge": 1280 * 1280}
    made = processor(images=[images[0]], size=size, return_tensors="pt")
    pads = "<|image_pad|>" * int(made["image_grid_thw"].prod() // 4)
    text = turn("system", DOCUMENT) + turn("user", f"<|vision_start|>{pads}<|vision_end|>")
    ids = AutoTokenizer.from_pretrained(embedder.folder)(text + ASSISTANT, return_tensors="pt")
    kinds = (ids["input_ids"] == model.config.image_token_id).int()
    with torch.no_grad():
        hidden = model(
            **ids,
            pixel_values=made["pixel_values"],
            image_grid_thw=made["image_grid_thw"],
            mm_token_type_ids=kinds,
        ).last_hidden_state
    expected = torch.nn.functional.normalize(hidden[0, -1], dim=0).numpy()
    np.testing.assert_allclose(embedder.embed_frames(images[:1])[0], expected, atol=1e-4)


def test_patches_of_a_picture_are_those_of_transformers(embedder, images):
    from transformers import AutoImageProcessor

    processor = AutoImageProcessor.from_pretrained(embedder.folder, backend="pil")
    size = {"shortest_edge": 64 * 64, "longest_edge": 1280 * 1280}
    made = processor(images=[images[0]], size=size, return_tensors="np")
    vision = layout_of(embedder).picture(images[0])
    assert [vision.grid] == [tuple(row) for row in made["image_grid_thw"].tolist()]
    np.testing.assert_allclose(vision.patches, made["pixel_values"], atol=1e-5)


def test_patches_of_a_video_are_those_of_transformers(embedder):
    """Of a size that needs no scaling: transformers scales videos with torchvision."""
    from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor

    images = np.random.default_rng(1).integers(0, 256, (5, 64, 96, 3), dtype=np.uint8)
    vision = layout_of(embedder).video(images, [0.0, 0.5, 1.0, 1.5, 2.0])
    pixels = torch.from_numpy((images.astype(np.float32) / 255 - 0.5) / 0.5).permute(0, 3, 1, 2)
    patchify = Qwen3VLVideoProcessor.patchify
    patches, *grid = patchify(None, pixels[None], 16, 2, 2)
    assert vision.grid == tuple(grid) == (3, 4, 6)
    np.testing.assert_allclose(vision.patches, patches[0].numpy(), atol=1e-6)
    assert vision.times_s == (0.25, 1.25, 2.0)


def test_times_stand_before_each_pair_of_frames(embedder):
    layout = layout_of(embedder)
    vision = layout.video(np.zeros((4, 64, 64, 3), np.uint8), [10.0, 10.5, 11.0, 11.5])
    text = layout.text(vision)
    assert text.startswith("<10.2 seconds><|vision_start|>" + "<|video_pad|>" * 4)
    assert text.count("<11.2 seconds>") == 1
    assert layout.text(layout.picture(np.zeros((64, 64, 3), np.uint8))).count("image_pad") == 4


def test_a_clip_has_one_vector_and_differs_from_its_frames_backwards(embedder, images):
    seconds = np.arange(5) / 2
    forward, backward = embedder.embed_clips([images, images[::-1]], [seconds, seconds])
    assert np.linalg.norm(forward) == pytest.approx(1, abs=1e-5)
    assert np.abs(forward - backward).max() > 1e-4
    many = np.repeat(images, 8, axis=0)
    assert embedder.embed_clips([many], [np.arange(40) / 2]).shape == (1, 32)


@pytest.mark.parametrize("size", [(1, 1), (3, 4000), (64, 64), (720, 1280), (4000, 6000)])
def test_every_picture_gets_a_size_that_the_model_takes(size):
    rows, columns = fitting_size(*size, 32)
    assert rows % 32 == columns % 32 == 0
    assert rows >= 32
    assert rows * columns <= 1280 * 1280


def test_words_that_structure_prompts_are_read_as_words(embedder):
    assert embedder.embed_texts(["a dog<|im_end|><|image_pad|>"]).shape == (1, 32)


def test_what_lacks_is_named(tmp_path, folder):
    with pytest.raises(ModelError, match="SEEKPOINT_EMBEDDER_PATH"):
        load_embedder(settings_for(tmp_path / "nothing"))
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    with pytest.raises(ModelError, match="'clip', not qwen3_vl"):
        load_embedder(settings_for(tmp_path))
    card = next(card for card in MODELS if card.name == "qwen3-vl-embedding")
    assert card.is_installed(settings_for(folder))


def test_the_key_follows_the_weights(tmp_path, embedder):
    other = save_qwen(tmp_path / "other", seed=1)
    assert load_embedder(settings_for(other)).key != embedder.key


def test_segments_are_embedded_as_clips_and_frames_kept(embedder, folder, tmp_path):
    colour_video(tmp_path / "one.mp4", [("red", 4.0), ("blue", 4.0)])
    options = {"embedder": "qwen3-vl-embedding", "embedder_path": str(folder), "dtype": "float32"}
    library = demo_library(tmp_path / "home", **options, frame_rate_hz=1.0)
    span = Span(0.0, 8.0)
    stage = PictureStage(embedder, library.settings, library.artefacts)
    with MediaFiles(library.settings) as media:
        (read,) = media.pictures(tmp_path / "one.mp4", span, [stage.sampling])
    task = SimpleNamespace(span=span, video_id=1)
    result = stage.compute(task, read)  # pyright: ignore[reportArgumentType]
    for segment in result.segments:
        times_s = read.frames.times_s
        within = (segment.span.start_s <= times_s) & (times_s < segment.span.end_s)
        images, seconds = read.frames.images[within], times_s[within]
        expected = embedder.embed_clips([images], [seconds - seconds[0]])[0]
        np.testing.assert_allclose(segment.vector, expected, atol=1e-5)
    assert result.block.vectors.shape == (len(read.frames.images), 32)
    library.ingest([tmp_path / "one.mp4"])
    assert library.search("a red screen").moments
