"""Rows for pictures that were not looked at."""

import numpy as np
import pytest

from grounding.spans import Span
from indexer.media.decode.frames import Frames, Gap
from indexer.stages.fill import embed_changing, embed_once, fill_rows, repeat_stills

NO_CUTS = np.empty(0)


def frames_of(times_s, values) -> Frames:
    """Plain pictures of a brightness."""
    images = np.array(values, np.uint8)[:, None, None, None] * np.ones((1, 32, 32, 3), np.uint8)
    return Frames(images, np.array(times_s, float), np.full(len(times_s), 0.5))


def embed(images: np.ndarray) -> np.ndarray:
    """The direction that the brightness gives, from 0 to a right angle."""
    angle = images[:, 0, 0, 0] / 255 * np.pi / 2
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def test_a_gap_has_rows_on_the_way_to_what_follows():
    frames = frames_of([0.0, 2.0], [0, 255])
    gaps = [Gap(Span(0.0, 2.0), 0.0)]
    rows = fill_rows(frames, embed(frames.images), np.ones(2, bool), gaps, NO_CUTS, 2.0)
    assert rows.times_s.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert rows.filled.tolist() == [False, True, True, True, False]
    assert rows.picture.tolist() == [0, 0, 0, 0, 1]
    assert rows.vectors[2] == pytest.approx([0.5**0.5, 0.5**0.5])
    assert np.linalg.norm(rows.vectors, axis=1) == pytest.approx(np.ones(5))


def test_nothing_is_mixed_across_a_cut():
    frames = frames_of([0.0, 2.0], [0, 255])
    gaps = [Gap(Span(0.0, 2.0), 0.0)]
    rows = fill_rows(frames, embed(frames.images), np.ones(2, bool), gaps, np.array([2.0]), 2.0)
    assert rows.vectors[:4] == pytest.approx(np.array([[1.0, 0.0]] * 4))


def test_a_picture_from_before_the_chunk_is_a_filled_row():
    frames = frames_of([10.0], [90])
    gaps = [Gap(Span(10.0, 11.2), 8.0)]
    rows = fill_rows(frames, embed(frames.images), np.ones(1, bool), gaps, NO_CUTS, 2.0)
    assert rows.times_s.tolist() == [10.0, 10.5, 11.0]
    assert rows.filled.all()


def test_where_everything_is_known_nothing_changes():
    frames = frames_of([0.0, 0.5, 1.0], [10, 60, 200])
    vectors = embed(frames.images)
    rows = fill_rows(frames, vectors, np.ones(3, bool), (), NO_CUTS, 2.0)
    assert (rows.vectors == vectors).all()
    assert not rows.filled.any()


def test_a_still_shot_is_looked_at_a_few_times_and_what_changes_every_time():
    values = [100] * 40 + [int(v) for v in np.linspace(0, 255, 16)]
    frames = frames_of(np.arange(56) / 2, values)
    vectors, known = embed_changing(embed, frames, np.array([20.0]))
    assert known[:40].sum() <= 40 / 3
    assert known[40:].all()
    assert (vectors[known] == embed(frames.images)[known]).all()


def test_what_shows_up_between_two_equal_pictures_is_looked_at():
    values = [100] * 17
    values[3] = 220
    frames = frames_of(np.arange(17) / 2, values)
    _, known = embed_changing(embed, frames, NO_CUTS)
    assert known[2:5].all(), "and what is beside it"
    assert known.sum() < 10


def test_stills_are_repeated_for_who_follows_pictures():
    frames = frames_of([0.0, 3.0], [10, 20])
    repeated = repeat_stills(frames, [Gap(Span(0.0, 3.0), 0.0)], 1.0)
    assert repeated.times_s.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert repeated.images[:, 0, 0, 0].tolist() == [10, 10, 10, 20]


def test_a_still_picture_is_embedded_once_and_a_small_change_again():
    looked_at: list[int] = []

    def note(images: np.ndarray) -> np.ndarray:
        looked_at.append(len(images))
        return images.reshape(len(images), -1).astype(np.float32)

    still = np.full((64, 96, 3), 90, np.uint8)
    noisy = still + np.random.default_rng(0).integers(0, 2, still.shape, np.uint8)
    lamp = still.copy()
    lamp[40:48, 60:68, 0] = 160  # a red lamp goes on
    pictures = np.stack([still, noisy, still, lamp, lamp, still])
    vectors = embed_once(note, pictures)
    assert looked_at == [3]
    shown = [still, still, still, lamp, lamp, still]
    assert (vectors == np.stack(shown).reshape(6, -1)).all()


def test_pictures_that_fade_slowly_are_not_taken_for_the_first_of_them():
    fading = np.array([0, 0.6, 1.2, 1.8, 2.4, 3.0]).round().astype(np.uint8)
    images = fading[:, None, None, None] * np.ones((1, 32, 32, 3), np.uint8)
    vectors = embed_once(lambda shown: shown[:, 0, 0, :1].astype(np.float32), images)
    assert np.abs(vectors[:, 0] - fading).max() < 1


def test_no_pictures_have_no_vectors():
    nothing = np.zeros((0, 8, 8, 3), np.uint8)
    assert embed_once(lambda images: np.zeros((len(images), 4), np.float32), nothing).shape == (
        0,
        4,
    )
