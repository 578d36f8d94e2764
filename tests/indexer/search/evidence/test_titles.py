"""Names of files beside what is seen."""

from grounding.spans import Span
from indexer.search.evidence import titles
from indexer.search.merge_overlapping import fuse
from indexer.search.types import PassageHit, RankedMoment


def picture(video_id: int, probability: float, start_s: float = 20.0) -> RankedMoment:
    return RankedMoment(video_id, Span(start_s, start_s + 10), 0.3, start_s + 1, probability)


def named(video_id: int) -> PassageHit:
    return PassageHit(video_id, Span(0, 60), "a dog", 1.0)


def answers(pictures, names):
    fused = fuse(pictures, {titles.KIND: names})
    return titles.openings(titles.behind_what_is_seen(fused))


def test_a_name_is_behind_every_picture_that_likely_shows_it():
    pictures = [picture(video, 0.5) for video in range(1, 31)]
    found = answers(pictures, [named(99)])
    assert [m.video_id for m in found] == [*range(1, 31), 99]


def test_a_name_lifts_no_unlikely_moment_above_a_likely_one():
    pictures = [picture(1, 0.6), picture(2, 0.3), picture(3, 0.1), picture(4, 0.05)]
    assert [m.video_id for m in answers(pictures, [named(4)])] == [1, 2, 4, 3]


def test_a_name_helps_among_likely_moments_and_where_nothing_is_seen():
    assert [m.video_id for m in answers([picture(1, 0.6), picture(2, 0.5)], [named(2)])] == [2, 1]
    assert [m.video_id for m in answers([picture(1, 0.1), picture(2, 0.1)], [named(2)])] == [2, 1]
    assert [m.video_id for m in answers([picture(1, 0.9), picture(2, 0.25)], [named(2)])] == [1, 2]


def test_a_name_keeps_the_moment_that_is_seen():
    """It does not become the opening of its video."""
    (found,) = answers([picture(1, 0.6)], [named(1)])
    assert found.span == Span(20, 30)
    assert [evidence.kind for evidence in found.evidence] == ["picture", "title"]
