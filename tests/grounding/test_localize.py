import numpy as np
import pytest

from grounding.localize import LocalizerOptions, change_between, localize
from grounding.spans import Span


def times(count: int, rate_hz: float = 2.0) -> np.ndarray:
    return np.arange(count) / rate_hz


def raised(
    count: int, *stretches: tuple[int, int, float], noise: float = 0.0, seed: int = 0
) -> np.ndarray:
    curve = np.random.default_rng(seed).normal(0.2, noise, count) if noise else np.full(count, 0.2)
    for first, last, height in stretches:
        curve[first:last] += height
    return curve


def test_a_raised_stretch_is_found_to_half_a_step():
    """Frames 20 to 29 at two a second: 10 s to 14.5 s, and half a step on each side."""
    best = localize(times(100), raised(100, (20, 30, 0.1)), start_s=0, end_s=50)[0]
    assert best.span == Span(9.75, 14.75)


def test_borders_snap_to_cuts():
    best = localize(
        times(100), raised(100, (20, 30, 0.1)), start_s=0, end_s=50, cuts_s=[9.6, 14.92]
    )[0]
    assert best.span == Span(9.6, 14.92)


def test_smoothing_never_crosses_a_cut():
    """A step of one frame at a cut keeps its height; without the cut it is blurred."""
    curve = raised(60, (20, 23, 0.3))
    sharp = localize(
        times(60),
        curve,
        start_s=0,
        end_s=30,
        cuts_s=[9.9, 11.4],
        options=LocalizerOptions(smoothing_frames=3),
    )[0]
    assert sharp.span == Span(9.9, 11.4)
    blurred = localize(
        times(60), curve, start_s=0, end_s=30, options=LocalizerOptions(smoothing_frames=3)
    )[0]
    assert blurred.score < 0.9 * sharp.score


@pytest.mark.parametrize("rate_hz", [1.0, 2.0])
@pytest.mark.parametrize(("start_s", "end_s"), [(30, 50), (12, 17), (44, 60)])
def test_motion_does_not_name_a_sharp_change_early(rate_hz, start_s, end_s):
    """The frame before a change moves as much as the one after it, and does not belong to it."""
    when = times(int(60 * rate_hz), rate_hz)
    inside = (when >= start_s) & (when < end_s)
    vectors = np.stack([inside, ~inside], axis=1).astype(np.float32)
    best = localize(
        when, 0.1 + 0.7 * inside, start_s=0, end_s=60, motion=change_between(vectors), count=1
    )[0]
    half_step = 0.5 / rate_hz
    last = end_s - half_step if end_s < 60 else 60
    assert best.span == Span(start_s - half_step, last)


def test_motion_of_frames_by_hand():
    """Two alike, then another: the second and the third differ by all, the first by nothing."""
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    assert change_between(vectors).tolist() == [0, 1, 1]
    assert change_between(vectors[:1]).tolist() == [0]


def test_a_stretch_at_either_end_is_clamped_to_the_video():
    first = localize(times(60), raised(60, (0, 10, 0.1)), start_s=0, end_s=30)[0]
    last = localize(times(60), raised(60, (50, 60, 0.1)), start_s=0, end_s=30)[0]
    assert first.span == Span(0, 4.75)
    assert last.span == Span(24.75, 30)


def test_a_stretch_in_the_middle_of_a_video_keeps_its_times():
    best = localize(100 + times(60), raised(60, (20, 30, 0.1)), start_s=99.9, end_s=130)[0]
    assert best.span == Span(109.75, 114.75)


def test_two_moments_come_in_order_of_height_and_apart():
    found = localize(times(200), raised(200, (20, 32, 0.1), (120, 132, 0.2)), start_s=0, end_s=100)
    assert found[0].span == Span(59.75, 65.75)
    assert found[1].span.iou(Span(9.75, 15.75)) > 0.8
    assert [span.score for span in found] == sorted((span.score for span in found), reverse=True)
    for place, span in enumerate(found):
        shared = [
            span.span.overlap_s(better.span) / min(span.span.length_s, better.span.length_s)
            for better in found[:place]
        ]
        assert all(share <= LocalizerOptions().max_shared for share in shared)


def test_a_single_high_frame_does_not_beat_a_lasting_rise():
    best = localize(times(100), raised(100, (10, 11, 0.12), (40, 56, 0.1)), start_s=0, end_s=50)[0]
    assert best.span.iou(Span(19.75, 27.75)) > 0.9


@pytest.mark.parametrize("seed", range(5))
def test_noise_moves_the_edges_little(seed):
    curve = raised(240, (100, 120, 0.06), noise=0.02, seed=seed)
    best = localize(times(240), curve, start_s=0, end_s=120)[0]
    assert best.span.iou(Span(49.75, 59.75)) > 0.7


def test_the_scale_of_the_embedder_does_not_matter():
    curve = raised(120, (30, 45, 0.1), noise=0.05)
    plain = localize(times(120), curve, start_s=0, end_s=60)
    scaled = localize(times(120), 0.01 * curve - 3, start_s=0, end_s=60)
    assert [s.span for s in plain] == [s.span for s in scaled]


def test_hours_are_searched_near_their_peaks():
    curve = raised(14_400, (9_000, 9_020, 0.2), noise=0.02)
    found = localize(times(14_400), curve, start_s=0, end_s=7_200, cuts_s=times(14_400)[::15])
    assert found[0].span.iou(Span(4_499.75, 4_509.75)) > 0.8


def test_uneven_frames():
    """Adaptive sampling puts frames anywhere; equal times are allowed, falling ones are not."""
    uneven = np.array([0.0, 0.5, 0.5, 1.7, 2.0, 2.1, 4.0])
    for span in localize(uneven, np.arange(7.0), start_s=0, end_s=5):
        assert 0 <= span.span.start_s <= span.span.end_s <= 5
    with pytest.raises(ValueError, match="must not fall"):
        localize(uneven[::-1], np.arange(7.0), start_s=0, end_s=5)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_frames_and_flat_curves(count):
    found = localize(times(count), np.full(count, 0.3), start_s=0, end_s=count / 2)
    assert len(found) >= 1
    assert all(np.isfinite(span.score) for span in found)


def test_no_frames_no_spans():
    assert localize(times(0), np.zeros(0), start_s=0, end_s=5) == []


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="one length"):
        localize(times(3), np.zeros(4), start_s=0, end_s=2)
    with pytest.raises(ValueError, match="finite"):
        localize(times(2), np.array([0.0, np.nan]), start_s=0, end_s=2)
