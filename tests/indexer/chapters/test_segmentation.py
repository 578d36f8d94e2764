"""Parts of a video: where its frames change."""

import numpy as np
import pytest

from indexer.chapters.segmentation import (
    FEWEST,
    MOST,
    SHORTEST_S,
    make_atoms,
    merge_atoms,
    part_starts,
)


def scenes(lengths_s, *, shots=3, noise=0.15, seed=1, dimension=32):
    """(times_s, features, cuts_s, duration_s) of scenes of several shots each: the shots of a scene
    differ less than the scenes.
    """
    rng = np.random.default_rng(seed)
    times, features, cuts, at_s = [], [], [], 0.0
    for length_s in lengths_s:
        scene = rng.normal(size=dimension)
        for shot in range(shots):
            start_s, end_s = at_s + length_s * shot / shots, at_s + length_s * (shot + 1) / shots
            look = scene + 2 * noise * rng.normal(size=dimension)
            cuts.append(start_s)
            for time_s in np.arange(np.ceil(start_s * 2) / 2, end_s, 0.5):
                times.append(time_s)
                features.append(look + noise * rng.normal(size=dimension))
        at_s += length_s
    vectors = np.array(features)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.array(times), vectors, np.array(cuts), at_s


@pytest.mark.parametrize("seed", range(8))
def test_scenes_are_found_and_their_shots_are_none(seed):
    lengths_s = [30.0, 12.0, 45.0, 21.0, 60.0, 33.0, 18.0]
    starts_s = part_starts(*scenes(lengths_s, seed=seed))
    assert starts_s == pytest.approx(np.cumsum([0.0, *lengths_s[:-1]]).tolist())


def test_number_of_parts_is_that_of_the_scenes():
    assert len(part_starts(*scenes([20.0] * 14))) == 14
    assert FEWEST <= len(part_starts(*scenes([8.0] * 40))) <= MOST


def test_shots_that_differ_like_noise_are_no_parts():
    assert len(part_starts(*scenes([300.0], shots=30))) == FEWEST


def test_hours_have_more_parts():
    assert len(part_starts(*scenes([7200.0], shots=300))) == 12


def test_no_part_is_too_short_to_be_listed():
    starts_s = part_starts(*scenes([1.0, 30.0, 1.5, 30.0, 0.5, 40.0], shots=1))
    assert np.diff([*starts_s, 103.0]).min() >= SHORTEST_S


def test_one_long_shot_is_cut_where_it_changes():
    times_s, features, _, duration_s = scenes([60.0, 60.0, 60.0], shots=1)
    starts_s = part_starts(times_s, features, np.empty(0), duration_s, count=3)
    assert starts_s == pytest.approx([0.0, 60.0, 120.0])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_frames(count):
    features = np.ones((count, 4)) / 2
    assert part_starts(np.arange(count) * 1.0, features, np.empty(0), 3.0) == [0.0]


def test_shots_without_a_frame_belong_to_the_one_before():
    atoms = make_atoms(
        np.array([0.5, 1.0, 9.0]), np.eye(3), np.array([2.0, 3.0, 8.0]), duration_s=10.0
    )
    assert atoms.starts_s.tolist() == [0.0, 8.0]
    assert atoms.weights.tolist() == [8.0, 2.0]


def test_merging_keeps_the_mean_of_all():
    atoms = make_atoms(*scenes([10.0] * 20, shots=10)[:3], duration_s=200.0)
    mean = np.average(atoms.means, axis=0, weights=atoms.weights)
    fewer = merge_atoms(atoms, 30)
    assert len(fewer.starts_s) <= 30
    assert np.average(fewer.means, axis=0, weights=fewer.weights) == pytest.approx(mean)
    assert fewer.weights.sum() == pytest.approx(atoms.weights.sum())
