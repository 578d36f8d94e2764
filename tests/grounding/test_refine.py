"""The rule against grounders that are simulated on real videos, questions and similarity curves.

`fixtures/similarity_curves.npz` holds the curve of each localisable row of the test data (two
frames a second, the embedded default).
"""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grounding.localize import localize
from grounding.refine import (
    Reading,
    Rule,
    agreement,
    contrast,
    merge_readings,
    refine,
    tile_windows,
    windows_around,
)
from grounding.spans import Span

SEEDS = range(6)
# For a difference of two gains: of six seeds it may be a fifth of what it is of many.
MANY_SEEDS = range(24)


@dataclass(frozen=True)
class Case:
    times_s: np.ndarray
    curve: np.ndarray
    localized: Span
    truth: list[Span]
    duration_s: float

    def iou(self, span):
        return max(span.iou(window) for window in self.truth)


@pytest.fixture(scope="module")
def cases(test_data):
    curves = np.load(Path(__file__).parent / "fixtures" / "similarity_curves.npz")
    files = ("ground_truth.jsonl", "ground_truth_compilations.jsonl")
    rows = [
        json.loads(line) for file in files for line in (test_data / file).read_text().splitlines()
    ]
    return [case_of(row, curves) for row in rows if row["id"] in curves.files]


def case_of(row, curves):
    times_s = curves[f"times:{row['video']}"].astype(float)
    curve = curves[row["id"]].astype(float)
    truth = [Span(*window).clamp(0, row["duration"]) for window in row["windows"]]
    return Case(
        times_s,
        curve,
        localize(times_s, curve, start_s=0.0, end_s=row["duration"], count=1)[0].span,
        truth,
        row["duration"],
    )


def written(window, start, end):
    """Fractions as the model writes them: two decimals."""
    start, end = sorted((round(start, 2), round(end, 2)))
    return (
        (Span(window.start_s + start * window.length_s, window.start_s + end * window.length_s),)
        if start < end
        else ()
    )


def perfect(rng, window, case):
    seen = max(case.truth, key=lambda span: span.overlap_s(window))
    if not seen.overlap_s(window):
        return ()
    span = seen.clamp(window.start_s, window.end_s)
    return written(
        window,
        (span.start_s - window.start_s) / window.length_s,
        (span.end_s - window.start_s) / window.length_s,
    )


def anywhere(rng, window, case):
    return written(window, *rng.random(2))


def habit(rng, window, case):
    return written(
        window,
        *[(0, 0.2), (0, 0.5), (0.1, 0.3), (0.2, 0.6), (0.3, 0.5), (0.5, 1), (0, 1)][
            rng.integers(7)
        ],
    )


def middle(rng, window, case):
    return written(window, 0.3, 0.7)


def whole(rng, window, case):
    return (window,)


def silent(rng, window, case):
    return ()


def with_errors(sees, border):
    """Sees with a probability, else answers anywhere; borders are off by a share of the length."""

    def ground(rng, window, case):
        seen = perfect(rng, window, case)
        if not seen or rng.random() > sees:
            return anywhere(rng, window, case)
        start, end = sorted(rng.normal((seen[0].start_s, seen[0].end_s), border * seen[0].length_s))
        span = Span(start, end).clamp(window.start_s, window.end_s)
        return written(
            window,
            (span.start_s - window.start_s) / window.length_s,
            (span.end_s - window.start_s) / window.length_s,
        )

    return ground


LEGO = with_errors(0.3, 0.3)
"""About LEGO's published errors (Charades-STA R@1 IoU .5/.7: 29.6/11.9)."""
TIMELENS = with_errors(0.69, 0.25)
"""About those of TimeLens-8B (arXiv 2512.14698, Charades-TimeLens R@1 IoU .5/.7: 63.0/35.2)."""
PUBLISHED = {"LEGO": (LEGO, 0.296, 0.119), "TimeLens-8B": (TIMELENS, 0.63, 0.352)}


def gain(grounder, cases, rule, seeds=SEEDS):
    """Change of mIoU, and the share of accepted spans."""
    changes, accepted = [], []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        for case in cases:
            windows = windows_around(case.localized, case.duration_s)
            readings = [Reading(window, grounder(rng, window, case)) for window in windows]
            refined = refine(case.localized, readings, case.times_s, case.curve, rule)
            changes.append(case.iou(refined.span) - case.iou(case.localized))
            accepted.append(refined.accepted)
    return float(np.mean(changes)), float(np.mean(accepted))


@pytest.mark.parametrize("grounder", [anywhere, habit, middle, whole, silent])
def test_useless_grounder_loses_nothing_to_speak_of(cases, grounder):
    change, _ = gain(grounder, cases, Rule())
    assert change >= -0.01


def test_perfect_grounder_gains(cases):
    change, accepted = gain(perfect, cases, Rule())
    assert change > 0.1
    assert accepted > 0.25


def test_grounder_with_published_errors_does_not_lose(cases):
    change, accepted = gain(LEGO, cases, Rule())
    assert change >= 0
    assert 0.01 < accepted < 0.3


def test_todays_best_gains_more_than_lego(cases):
    change, accepted = gain(TIMELENS, cases, Rule(), MANY_SEEDS)
    assert change > gain(LEGO, cases, Rule(), MANY_SEEDS)[0] + 0.004
    assert 0.05 < accepted < 0.5


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_errors_are_about_the_published_ones(cases, name):
    grounder, half, seven = PUBLISHED[name]
    rng = np.random.default_rng(0)
    ious = []
    for case in cases * 10:
        window = windows_around(case.truth[0], case.duration_s)[0]
        ious += [case.iou(span) for span in grounder(rng, window, case)]
    assert np.mean(np.array(ious) >= 0.5) == pytest.approx(half, abs=0.035)
    assert np.mean(np.array(ious) >= 0.7) == pytest.approx(seven, abs=0.035)


def test_without_the_rule_a_useless_grounder_would_lose_much(cases):
    """What the rule is for: believing every answer."""
    rng = np.random.default_rng(0)
    change = []
    for case in cases:
        span = next(
            iter(anywhere(rng, windows_around(case.localized, case.duration_s)[0], case)),
            case.localized,
        )
        change.append(case.iou(span) - case.iou(case.localized))
    assert np.mean(change) < -0.05


TIMES_S = np.arange(0, 60, 0.5)
CURVE = np.where((TIMES_S >= 20) & (TIMES_S < 26), 0.6, 0.2)
WINDOWS = (Span(5, 35), Span(12, 42))


def readings(first, second):
    return [Reading(WINDOWS[0], first), Reading(WINDOWS[1], second)]


def test_agreeing_and_supported_span_replaces():
    refined = refine(Span(19, 24), readings((Span(20, 26),), (Span(20.5, 26.5),)), TIMES_S, CURVE)
    assert refined.accepted
    assert refined.span == refined.grounded == Span(20.25, 26.25)


def test_habit_moves_with_its_window_and_is_not_believed():
    refined = refine(Span(19, 24), readings((Span(11, 17),), (Span(18, 24),)), TIMES_S, CURVE)
    assert not refined.accepted
    assert refined.span == Span(19, 24)
    assert refined.grounded == Span(11, 17)
    assert "same answer" in refined.reason


def test_agreed_span_that_the_pictures_contradict_is_only_shown():
    refined = refine(Span(19, 24), readings((Span(30, 34),), (Span(30, 34),)), TIMES_S, CURVE)
    assert (refined.accepted, refined.span, refined.grounded) == (False, Span(19, 24), Span(30, 34))
    assert "pictures" in refined.reason


def test_two_readings_of_one_window_do_not_agree():
    same = [Reading(WINDOWS[0], (Span(20, 26),))] * 2
    assert agreement(same) is None


def test_no_answer():
    refined = refine(Span(19, 24), readings((), ()), TIMES_S, CURVE)
    assert (refined.accepted, refined.grounded, refined.reason) == (False, None, "no answer")


def test_curve_and_times_of_different_length():
    with pytest.raises(ValueError, match="one length"):
        refine(Span(0, 1), [], TIMES_S, CURVE[1:])


def test_contrast():
    assert contrast(Span(20, 26), TIMES_S, CURVE) == pytest.approx(0.4)
    assert contrast(Span(0, 60), TIMES_S, CURVE) == 0
    assert contrast(Span(20.1, 20.2), TIMES_S, CURVE) == -np.inf


def test_events_of_overlapping_windows_are_merged_without_union():
    first = Reading(Span(0, 30), (Span(20, 26), Span(2, 4)))
    second = Reading(Span(15, 45), (Span(21, 26),))
    merged = merge_readings([first, second])
    assert [(scored.span, scored.score) for scored in merged] == [
        (Span(20, 26), 2),
        (Span(2, 4), 1),
    ]


@settings(deadline=None)
@given(st.floats(0, 500), st.floats(0.1, 100), st.floats(1, 600))
def test_windows_around_lie_in_the_video_and_differ(start, length, duration):
    span = Span(start, start + length).clamp(0, duration)
    first, second = windows_around(span, duration)
    for window in (first, second):
        assert 0 <= window.start_s <= window.end_s <= duration * (1 + 1e-9)
        assert window.length_s <= 30 + 1e-6
    if span.length_s < 10 and 40 < span.middle_s < duration - 40:
        assert agreement([Reading(w, (span,)) for w in (first, second)]) is not None
        assert span.overlap_s(first) == pytest.approx(span.length_s)
        assert span.overlap_s(second) == pytest.approx(span.length_s)


@settings(deadline=None)
@given(st.floats(0, 4000))
def test_tiles_cover_the_video(duration):
    windows = tile_windows(duration)
    assert (windows == []) == (duration == 0)
    if windows:
        assert windows[0].start_s == 0
        assert windows[-1].end_s == pytest.approx(duration)
        assert all(later.start_s <= earlier.end_s - 14.9 for earlier, later in pairwise(windows))
        assert all(window.length_s <= 30 + 1e-9 for window in windows)
