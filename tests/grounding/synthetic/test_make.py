"""The drawn world: what it says is what it shows, the held-out part is never trained on, and no
habit answers its questions.
"""

import numpy as np
import pytest

from grounding.benchmarks.cases import Case
from grounding.benchmarks.referring import score_boxes
from grounding.benchmarks.sound_sources import score_sound_sources
from grounding.benchmarks.temporal_grounding import score_moments
from grounding.records.media_files import read_frames, read_sound
from grounding.records.record import read_records
from grounding.synthetic.draw import SIDE, Look, coverage
from grounding.synthetic.make import Amounts, make_data
from grounding.synthetic.photographs import photographs
from grounding.synthetic.scenes import FRAMES, ClipScene, clip_scene, picture_scene, sound_scene
from grounding.synthetic.sounds import Tone
from grounding.synthetic.world import (
    ATTRIBUTES,
    COLOURS,
    MOTIONS,
    SHAPES,
    VOICES,
    Thing,
    held_out,
    training_combinations,
)
from grounding.training.examples import check_answer
from grounding.training.tiny.evaluate import best_constant


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("composed")
    make_data(folder, Amounts(clips=40, pictures=20, sources=20, test=12))
    return folder


@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_at_least_500_combinations_are_held_out_and_each_attribute_is_trained(kind):
    assert len(held_out(kind)) >= 500
    assert not held_out(kind) & training_combinations(kind)
    for place, values in enumerate(ATTRIBUTES[kind]):
        assert {combination[place] for combination in training_combinations(kind)} == set(values)


def test_training_scenes_hold_no_combination_that_is_held_out():
    random = np.random.default_rng(1)
    for _ in range(150):
        clip, sound = clip_scene(random, 3, 4), sound_scene(random, 3)
        assert {clip.combination(action) for action in clip.actions} <= training_combinations(
            "clip"
        )
        assert {
            place.combination for place in (*picture_scene(random, 3).places, *sound.picture.places)
        } <= training_combinations("picture")
        assert sound.combination in training_combinations("sound")


def test_questions_are_about_held_out_combinations_alone(data):
    kinds = {("video",): "clip", ("image",): "picture", ("image", "sound"): "sound"}
    asked = [
        (kinds[tuple(sorted(record.media))], tuple(record.truth["combination"]))
        for record in read_records(data / "test.jsonl")
    ]
    assert len(set(asked)) == 36
    assert all(combination in held_out(kind) for kind, combination in asked)


def test_true_answers_score_full_marks_in_the_protocols_of_the_public_sets(data):
    records = list(read_records(data / "test.jsonl"))
    protocols = {
        "moment": (score_moments, "mIoU"),
        "locate": (score_boxes, "acc@.5"),
        "locate_sound": (score_sound_sources, "cIoU@.5"),
    }
    for task, (protocol, metric) in protocols.items():
        scores = protocol([Case(record, record.answer) for record in records])
        assert (
            scores.counts["rows"] == sum(record.truth["task"] == task for record in records) == 12
        )
        assert scores.metrics[metric].value >= 0.96  # answers have two decimals


def test_a_box_is_where_the_thing_is():
    canvas = np.zeros((SIDE, SIDE, 3), np.float32)
    for shape in SHAPES:
        look = Look(Thing("plain", "red", shape), 22.3, 25.1, 9.0)
        rows, columns = np.nonzero(coverage(canvas, shape, look.x, look.y, look.radius) > 0.02)
        seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        assert np.abs(np.array(look.box()) * SIDE - seen).max() <= 1.2, shape


def test_an_action_is_seen_in_its_span_and_not_outside():
    random = np.random.default_rng(2)
    for motion in MOTIONS:
        scene = next(
            one
            for one in iter(lambda: clip_scene(random, 2, 3), None)
            if motion in {action.motion for action in one.actions}
        )
        action = next(action for action in scene.actions if action.motion == motion)
        without = ClipScene(scene.looks, tuple(a for a in scene.actions if a != action), scene.seed)
        differs = np.abs(scene.frames().astype(int) - without.frames()).max(axis=(1, 2, 3)) > 40
        moments = (np.arange(FRAMES) + 0.5) / FRAMES
        inside = (moments >= action.start) & (moments < action.end)
        assert differs[inside].all(), motion
        assert not differs[moments < action.start].any(), motion
        if motion not in ("left", "right", "up", "down"):  # who came elsewhere stays there
            assert not differs[moments > action.end].any(), motion


def test_words_of_time_are_the_drawn_ones(data):
    for record in read_records(data / "stage2.jsonl"):
        for message in record.messages[1::2]:
            check_answer(message.text)
        if "spans" in record.truth:
            texts = sorted(message.text for message in record.messages[1::2])
            assert texts == sorted(
                f"{{{start:.2f},{end:.2f}}}" for start, end in record.truth["spans"]
            )
            assert len(record.truth["spans"]) >= 3


def test_files_hold_what_was_drawn(data):
    frames = read_frames(data / "clips" / "clip00000.mkv", 99)
    assert frames.shape == (FRAMES, SIDE, SIDE, 3)
    assert np.array_equal(frames, clip_scene_of(0).frames())
    samples = read_sound(next((data / "sounds").iterdir()))
    assert len(samples) == 48_000
    assert 0.02 < np.abs(samples).max() <= 1


def clip_scene_of(number):
    random = np.random.default_rng((0, 0, number))
    return clip_scene(random, int(random.integers(2, 4)), int(random.integers(3, 5)))


def test_same_seed_same_records_and_other_seed_others(data, tmp_path):
    amounts = Amounts(clips=3, pictures=3, sources=3, test=1)
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        make_data(tmp_path / name, amounts, seed)
    for split in ("stage1", "stage2", "stage3", "test"):
        a, b, c = ((tmp_path / name / f"{split}.jsonl").read_bytes() for name in "abc")
        assert a == b != c
    for file in sorted((tmp_path / "a").rglob("*.*")):
        if file.suffix in (".png", ".wav"):
            assert (
                file.read_bytes()
                == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes()
            )


def test_no_constant_span_answers_a_quarter_of_the_questions(tmp_path, monkeypatch):
    from grounding.synthetic import make

    for name in ("write_clip", "write_picture", "write_sound"):
        monkeypatch.setattr(make, name, lambda path, content: None)
    monkeypatch.setattr(ClipScene, "frames", lambda self: None)
    make_data(tmp_path, Amounts(clips=1500, pictures=1, sources=1, test=512))
    constant = best_constant(tmp_path)
    assert constant.training <= 0.25
    assert constant.test <= 0.25


def test_voices_differ_and_rhythms_can_be_heard():
    assert len(set(VOICES.values())) == len(COLOURS)
    waves = {colour: Tone(colour, "steady", 1).samples() for colour in COLOURS}
    spectra = {
        colour: np.log(np.abs(np.fft.rfft(wave)).reshape(-1)[:23_000].reshape(46, -1).mean(axis=1))
        for colour, wave in waves.items()
    }
    for one in COLOURS:
        assert all(
            np.abs(spectra[one] - spectra[other]).max() > 1 for other in COLOURS if other != one
        )
    loud = {
        rhythm: (np.abs(Tone("red", rhythm, 1).samples()) > 0.1).reshape(-1, 800).any(axis=1)
        for rhythm in ("steady", "slow", "fast")
    }
    turns = {rhythm: int(np.abs(np.diff(own.astype(int))).sum()) for rhythm, own in loud.items()}
    assert turns["steady"] == 0 < turns["slow"] < turns["fast"]


def test_backgrounds_are_photographs():
    assert len(photographs()) >= 10
    assert all(picture.std() > 2 for picture in photographs())
