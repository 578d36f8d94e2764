from grounding.spans import Span
from indexer.search.interleave import interleave
from indexer.search.types import Moment


def moment(video_id: int, start_s: float, statement: str) -> Moment:
    return Moment(
        video_id, "", "", Span(start_s, start_s + 4), 0.5, (), None, "", statement=statement
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
