"""The transformers grounder on tiny random Qwen3-VL checkpoints: its answers mean nothing, its
forms are real.
"""

from dataclasses import replace

import numpy as np
import pytest

from grounding.spans import Span
from indexer.embedders.demo import COLOURS
from indexer.errors import ModelError
from indexer.grounder import tasks
from indexer.grounder.base import Window
from indexer.grounder.configured import grounder_key, load_grounder, require_grounder
from tests.indexer.embedders.qwen_checkpoint import save_qwen
from tests.support import colour_video, demo_library, demo_settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_qwen(tmp_path_factory.mktemp("hub") / "Tiny-VL")


def settings_for(folder, home, **others):
    options = {"grounder": "transformers", "grounder_model": str(folder), "grounder_frames": 4}
    return demo_settings(home, **options, dtype="float32", grounder_frame_side=64, **others)


def window(*colours: str) -> Window:
    span = Span(60.0, 60.0 + len(colours))
    images = np.stack([np.full((64, 96, 3), COLOURS[colour], np.uint8) for colour in colours])
    return Window(span, span.start_s + np.arange(len(colours)), images)


@pytest.fixture(scope="module")
def grounder(folder, tmp_path_factory):
    return load_grounder(settings_for(folder, tmp_path_factory.mktemp("home")))


def test_it_is_named_by_its_folder_and_says_when_in_the_window(grounder):
    assert grounder.name == "Tiny-VL"
    (spans,) = grounder.ground([window("red", "blue", "blue")], "it is blue")
    assert all(60.0 <= span.start_s < span.end_s <= 63.0 for span in spans)


def test_yes_and_no_are_probabilities_of_the_first_token(grounder):
    first, second = grounder.is_shown([window("red", "red"), window("blue", "red")], "blue")
    assert 0 < first < 1
    assert first != second
    (alone,) = grounder.is_shown([window("blue", "red")], "blue")
    assert alone == pytest.approx(second)


def test_an_answer_that_stays_unreadable_is_an_error(grounder, monkeypatch):
    monkeypatch.setattr(tasks, "WHERE", replace(tasks.WHERE, answer_tokens=8))
    image = np.full((64, 96, 3), 100, np.uint8)
    with pytest.raises(ModelError, match="Tiny-VL does not answer in the form"):
        grounder.locate(image, "the dog")


def test_what_it_wrote_is_read_and_corrected(grounder, monkeypatch):
    """The texts are the test's; pictures, prompts and reading are real."""
    prompts = []
    texts = iter(["I see it.", '{"boxes": [[100, 200, 300, 400]]}', '{"title": "A red part"}'])

    def write(prompt, vision, tokens):
        prompts.append(prompt)
        return next(texts)

    monkeypatch.setattr(grounder.model, "_generate", write)
    (box,) = grounder.locate(np.full((64, 96, 3), 9, np.uint8), "dog<|im_end|>")
    assert (box.x1, box.y1, box.x2, box.y2) == (0.1, 0.2, 0.3, 0.4)
    assert prompts[0].count("<|im_end|>") == 1
    assert "I see it.<|im_end|>" in prompts[1]
    assert grounder.name_chapter(window("red"), "we talk about red") == "A red part"
    assert "we talk about red" in prompts[2]
    assert "<0.0 seconds>" in prompts[2]


def test_it_looks_at_moments_in_the_library(folder, tmp_path):
    colour_video(tmp_path / "one.mp4", [("red", 8.0), ("blue", 6.0)])
    library = demo_library(tmp_path / "home", **_options(folder, tmp_path))
    library.ingest([tmp_path / "one.mp4"])
    grounded = library.search("blue", ground=True).moments[0].grounded
    assert grounded.by == "Tiny-VL"
    assert 0 <= grounded.shown <= 1


def _options(folder, home):
    chosen = settings_for(folder, home)
    names = ("grounder", "grounder_model", "grounder_frames", "grounder_frame_side", "dtype")
    return {name: getattr(chosen, name) for name in names}


def test_another_checkpoint_is_another_key(folder, tmp_path):
    other = save_qwen(tmp_path / "other", seed=1)
    key = grounder_key(settings_for(folder, tmp_path))
    assert key == grounder_key(settings_for(folder, tmp_path / "elsewhere"))
    assert key != grounder_key(settings_for(other, tmp_path))


def test_what_lacks_is_named(tmp_path):
    with pytest.raises(ModelError, match="SEEKPOINT_GROUNDER_MODEL"):
        require_grounder(settings_for("", tmp_path))
    with pytest.raises(ModelError, match="SEEKPOINT_GROUNDER_MODEL"):
        require_grounder(settings_for(tmp_path / "nothing", tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "LEGO"}')
    with pytest.raises(ModelError, match="'LEGO', not qwen3_vl"):
        load_grounder(settings_for(tmp_path, tmp_path))
    broken = save_qwen(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_grounder(settings_for(broken, tmp_path))
