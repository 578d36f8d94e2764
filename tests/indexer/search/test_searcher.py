"""What an answer looks like, over a small library of plain colours."""

import pytest

from tests.support import colour_video, demo_library


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    for name, shots in {
        "a": [("red", 5.0), ("blue", 5.0)],
        "b": [("green", 6.0), ("white", 6.0)],
    }.items():
        colour_video(folder / "media" / f"{name}.mp4", shots)
    library = demo_library(folder / "home")
    library.ingest([folder / "media"])
    return library


def test_scores_fall_from_how_sure_the_answer_is(library):
    answer = library.search("when is it blue?")
    scores = [moment.score for moment in answer.moments]
    assert answer.matched
    assert 0.5 < scores[0] <= 1.0
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0


def test_the_score_of_no_match_lies_below_one_half(library):
    answer = library.search("when does the zebra cross the street?")
    assert not answer.matched
    assert answer.moments[0].score <= 0.5


def test_moments_of_one_video_do_not_overlap_much(library):
    answer = library.search("white", top=50)
    for moment in answer.moments:
        for other in answer.moments:
            if moment is not other and moment.video_id == other.video_id:
                assert moment.span.iou(other.span) <= 0.5
