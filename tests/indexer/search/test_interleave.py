"""One answer to several events: turns, and no two answers that overlap."""

from hypothesis import given
from hypothesis import strategies as st

from grounding.spans import Span
from indexer.search.interleave import interleave
from indexer.search.types import Moment


def moment(video_id: int, start_s: float, statement: str, length_s: float = 4) -> Moment:
    return Moment(
        video_id, "", "", Span(start_s, start_s + length_s), 0.5, (), None, "", statement=statement
    )


def test_the_best_of_each_event_in_turn():
    first = [moment(1, 0, "a"), moment(1, 10, "a"), moment(1, 20, "a")]
    second = [moment(2, 0, "b")]
    assert interleave([first, second]) == [first[0], second[0], first[1], first[2]]


def test_a_moment_that_another_event_has_gives_its_turn_to_the_next():
    first = [moment(1, 0, "a"), moment(1, 10, "a")]
    second = [moment(1, 1, "b"), moment(2, 0, "b")]
    assert interleave([first, second]) == [first[0], second[1], first[1]]


def test_moments_of_one_event_stay_as_they_are():
    only = [moment(1, 0, "a"), moment(1, 1, "a")]
    assert interleave([only]) == only
    assert interleave([[], []]) == []


def test_where_two_events_meet_the_better_one_keeps_its_border():
    first, second = moment(1, 0, "a"), moment(1, 3, "b")
    kept = interleave([[first], [second]])
    assert [one.span for one in kept] == [Span(0, 4), Span(4, 7)]
    before, after = moment(1, 5, "a"), moment(1, 2, "b")
    assert [one.span for one in interleave([[before], [after]])] == [Span(5, 9), Span(2, 5)]


def test_what_two_events_leave_of_a_third_is_no_moment():
    around = [moment(1, 0, "a"), moment(1, 6.2, "b"), moment(1, 2.5, "c", 5.2)]
    assert interleave([[one] for one in around]) == around[:2]


apart = st.lists(
    st.tuples(st.integers(1, 2), st.integers(0, 8), st.floats(0.5, 9.5)),
    max_size=8,
    unique_by=lambda t: t[:2],
)


@given(st.lists(apart, max_size=3))
def test_no_two_answers_overlap(events):
    """Of each event moments that do not overlap, as a search gives them."""
    answers = [
        [moment(video_id, 10 * place, str(number), length_s) for video_id, place, length_s in event]
        for number, event in enumerate(events)
    ]
    kept = interleave(answers)
    for number, one in enumerate(kept):
        assert one.span.length_s > 0
        for other in kept[:number]:
            assert one.video_id != other.video_id or one.span.overlap_s(other.span) == 0
    assert not kept or kept[0] == next(answer for answer in answers if answer)[0]
