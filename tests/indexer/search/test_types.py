"""Where an answer ends, and what is left for those who want more."""

import pytest

from grounding.spans import Span
from indexer.search.types import Answer, Evidence, Moment


def moment(number: int, score: float, statement: str = "a dog", kind: str = "picture") -> Moment:
    evidence = (Evidence(kind, score),)
    path = f"/{number}.mp4"
    return Moment(
        number, path, "mine", Span(0, 5), score, evidence, None, path, False, None, statement
    )


def answer(*moments: Moment, matched: bool = True) -> Answer:
    return Answer("a dog", "a dog", matched, 1.0, moments, moments[0].score)


def ids(moments: tuple[Moment, ...]) -> list[int]:
    return [moment.video_id for moment in moments]


@pytest.mark.parametrize(
    ("score", "word"), [(0.0, "weak"), (0.19, "weak"), (0.2, "likely"), (0.5, "strong")]
)
def test_a_score_has_a_word(score, word):
    assert moment(1, score).likelihood == word


def test_an_answer_ends_where_moments_become_unlikely():
    found = answer(moment(1, 0.6), moment(2, 0.1), moment(3, 0.3), moment(4, 0.05))
    assert (ids(found.shown), ids(found.weaker)) == ([1, 3], [2, 4])


def test_the_nearest_are_shown_where_nothing_matches():
    found = answer(moment(1, 0.1), moment(2, 0.05), matched=False)
    assert (ids(found.shown), ids(found.weaker)) == ([1, 2], [])


def test_each_thing_that_was_asked_has_a_moment():
    found = answer(
        moment(1, 0.6, "a dog"),
        moment(2, 0.1, "a zebra"),
        moment(3, 0.1, "a dog"),
        moment(4, 0.1, "a zebra"),
    )
    assert (ids(found.shown), ids(found.weaker)) == ([1, 2], [3, 4])


def test_a_video_that_is_called_what_was_asked_is_shown():
    found = answer(moment(1, 0.6), moment(2, 0.0, kind="title"))
    assert (ids(found.shown), ids(found.weaker)) == ([1, 2], [])
