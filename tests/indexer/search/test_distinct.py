"""No two answers of one video that overlap or continue each other."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grounding.spans import Span
from indexer.search.distinct import CONTINUED_S, CUT_TOLERANCE_S, drop_repeats
from indexer.search.types import Evidence, FusedMoment
from tests.support import colour_video, demo_library


def moment(
    start_s: float, end_s: float, *kinds: str, video_id: int = 1, probability: float = 0.5
) -> FusedMoment:
    evidence = tuple(Evidence(kind, 0.5) for kind in kinds or ("picture",))
    return FusedMoment(video_id, Span(start_s, end_s), 1.0, start_s, evidence, probability)


def spans(moments, *cuts_s: float) -> list[tuple[float, float]]:
    kept = drop_repeats(moments, lambda ids: {id: np.array(cuts_s) for id in ids})
    return [(one.span.start_s, one.span.end_s) for one in kept]


@pytest.mark.parametrize(
    ("second", "cuts_s", "kept"),
    [
        ((9, 19), (), False),  # overlaps
        ((9, 19), (9.5,), False),
        ((2, 5), (), False),  # lies inside
        ((10, 15), (), False),  # goes on at once
        ((11, 15), (), False),
        ((11.1, 15), (), True),
        ((10, 15), (10.0,), True),  # the next shot
        ((10, 15), (10.05,), True),
        ((10.8, 15), (10.4,), True),
        ((10.8, 15), (4.0, 12.0), False),  # cuts elsewhere
        ((0, 4), (), False),  # comes before
    ],
)
def test_what_repeats_a_better_answer_is_dropped(second, cuts_s, kept):
    better = moment(5, 10) if second == (0, 4) else moment(0, 10)
    found = spans([better, moment(*second)], *cuts_s)
    assert found[0] == (better.span.start_s, 10)
    assert (second in found) == kept


def test_other_videos_and_the_order_stay():
    moments = [moment(0, 10), moment(5, 9, video_id=2), moment(30, 40), moment(10, 20)]
    assert spans(moments) == [(0, 10), (5, 9), (30, 40)]


def test_a_moment_after_a_dropped_one_is_measured_against_what_is_kept():
    assert spans([moment(0, 5), moment(5, 10), moment(10, 15)]) == [(0, 5), (10, 15)]


def test_evidence_of_another_kind_joins_the_better_answer():
    moments = [moment(0, 10), moment(9, 14, "picture", "speech", probability=0.8)]
    (kept,) = drop_repeats(moments, lambda ids: {})
    assert [evidence.kind for evidence in kept.evidence] == ["picture", "speech"]
    assert (kept.span, kept.probability) == (Span(0, 10), 0.8)
    (kept,) = drop_repeats([moment(0, 10), moment(9, 14, probability=0.8)], lambda ids: {})
    assert kept.probability == 0.5


def one_answer(one: FusedMoment, other: FusedMoment, cuts_s: list[float]) -> bool:
    """By definition: they overlap, or the same shot goes on from one to the other."""
    first, second = sorted((one.span, other.span))
    gap_s = second.start_s - first.end_s
    near = first.end_s - CUT_TOLERANCE_S, max(second.start_s, first.end_s) + CUT_TOLERANCE_S
    cut = any(near[0] <= cut_s < near[1] for cut_s in cuts_s)
    return one.video_id == other.video_id and (gap_s < 0 or (gap_s <= CONTINUED_S and not cut))


quarters = st.integers(0, 80).map(lambda value: value / 4)
some_moments = st.lists(
    st.builds(
        lambda video_id, start_s, length_s: moment(
            start_s, start_s + 0.25 + length_s, video_id=video_id
        ),
        st.integers(1, 2),
        quarters,
        quarters,
    ),
    max_size=12,
)


@given(some_moments, st.lists(quarters.map(lambda value: value + 0.01), max_size=12))
def test_kept_answers_are_apart_and_dropped_ones_repeat_a_better_one(moments, cuts_s):
    cuts_s = sorted(cuts_s)
    kept = drop_repeats(moments, lambda ids: {id: np.array(cuts_s) for id in ids})
    assert not any(one_answer(one, other, cuts_s) for one, other in combinations(kept, 2))
    places = [next(n for n, one in enumerate(moments) if one is keep) for keep in kept]
    assert places == sorted(places)
    for number, dropped in enumerate(moments):
        if number not in places:
            better = [keep for keep, place in zip(kept, places, strict=True) if place < number]
            assert any(one_answer(keep, dropped, cuts_s) for keep in better)


def test_cuts_are_read_for_videos_with_neighbours_alone():
    asked = []
    drop_repeats(
        [moment(0, 5), moment(30, 40), moment(0, 5, video_id=2), moment(5.5, 9, video_id=2)],
        lambda ids: asked.append(ids) or {},
    )
    assert asked == [{2}]


def test_a_library_answers_once_in_each_shot(tmp_path):
    colour_video(tmp_path / "media" / "a.mp4", [("red", 20.0), ("blue", 20.0), ("red", 20.0)])
    library = demo_library(tmp_path / "home")
    library.ingest([tmp_path / "media"])
    moments = library.search("when is it red?", top=50).moments
    assert [m.span.iou(Span(0, 20)) > 0.8 or m.span.iou(Span(40, 60)) > 0.8 for m in moments][:2]
    for number, one in enumerate(moments):
        for other in moments[:number]:
            gap_s = max(one.span.start_s, other.span.start_s) - min(
                one.span.end_s, other.span.end_s
            )
            cut = any(abs(cut_s - min(one.span.end_s, other.span.end_s)) < 1 for cut_s in (20, 40))
            assert gap_s > 1 or (gap_s >= 0 and cut)
