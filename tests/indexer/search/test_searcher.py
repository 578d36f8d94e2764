"""What an answer looks like, over a small library of plain colours."""

import numpy as np
import pytest
from sqlalchemy import event

from grounding.spans import Span
from indexer.catalog.vectors import live_value
from indexer.search.calibration import MATCH_PROBABILITY
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
    assert 0.3 < scores[0] <= 1.0
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0


def test_the_score_of_no_match_is_low(library):
    answer = library.search("when does the zebra cross the street?")
    assert not answer.matched
    assert answer.moments[0].score < 0.2


def test_other_collections_change_no_probability_of_one(tmp_path):
    """Nothing in them can be taken for an answer."""
    colour_video(tmp_path / "one" / "a.mp4", [("red", 5.0), ("blue", 5.0)])
    shots = [("green", 4.0), ("white", 4.0), ("yellow", 4.0), ("purple", 4.0)]
    colour_video(tmp_path / "two" / "b.mp4", shots)
    library = demo_library(tmp_path / "home")
    library.ingest([tmp_path / "one"], "one")
    alone = library.search("blue", collections=["one"])
    library.ingest([tmp_path / "two"], "two")
    beside = demo_library(tmp_path / "home").search("blue", collections=["one"])
    assert [m.score for m in beside.moments] == pytest.approx([m.score for m in alone.moments])
    assert library.search("blue").moments[0].score != pytest.approx(alone.moments[0].score)


def test_a_library_that_grows_is_scored_as_one_that_was_just_opened(tmp_path, monkeypatch):
    """A little at a time too: what is usual in it follows each video."""
    monkeypatch.setattr(live_value, "PAUSES", 0)
    monkeypatch.setattr(live_value, "PAUSES_OF_LONG", 0)
    colours = ["red", "blue", "green", "white", "yellow", "purple"]
    for number in range(12):
        shots = [(colour, 1.0 + number / 25) for colour in colours[number % 5 :][:2]]
        colour_video(tmp_path / "first" / f"{number}.mp4", shots)
    library = demo_library(tmp_path / "home")
    library.ingest([tmp_path / "first"])
    before = library.search("blue").moments[0].score
    colour_video(tmp_path / "one more" / "a.mp4", [("blue", 3.0), ("orange", 2.0)])
    demo_library(tmp_path / "home").ingest([tmp_path / "one more"])
    library.publish(force=False)
    grown = [moment.score for moment in library.search("white", top=5).moments]
    opened = demo_library(tmp_path / "home").search("white", top=5)
    assert grown == [moment.score for moment in opened.moments]
    assert library.search("blue").moments[0].score != before


@pytest.mark.parametrize("question", ["when is it blue?", "when does the zebra cross?", "white"])
def test_a_match_is_an_answer_with_a_likely_moment(library, question):
    answer = library.search(question, top=50)
    likely = [moment for moment in answer.moments if moment.score >= MATCH_PROBABILITY]
    assert answer.matched == bool(likely)
    assert answer.confidence == max(moment.score for moment in answer.moments)


def test_moments_of_one_video_do_not_overlap_much(library):
    answer = library.search("white", top=50)
    for moment in answer.moments:
        for other in answer.moments:
            if moment is not other and moment.video_id == other.video_id:
                assert moment.span.iou(other.span) <= 0.5


def test_two_events_give_a_moment_each(library):
    answer = library.search("When is it blue and when is it green?", top=4)
    first, second = answer.moments[:2]
    assert (first.statement, second.statement) == ("it is blue", "it is green")
    assert first.span.iou(Span(5, 10)) > 0.8
    assert second.span.iou(Span(0, 6)) > 0.8
    assert first.video_id != second.video_id
    assert answer.matched
    assert answer.statement == "it is blue; it is green"


def test_an_event_that_nothing_shows_is_named(library):
    answer = library.search("When is it blue and when does a zebra cross the street?")
    assert answer.matched
    assert any("zebra" in note for note in answer.notes)
    assert not any("blue" in note for note in answer.notes)


def test_a_moment_that_answers_both_events_is_shown_once(library):
    answer = library.search("When is it blue and when is the blue back?", top=50)
    blue = [moment for moment in answer.moments if moment.span.iou(Span(5, 10)) > 0.5]
    assert len(blue) == len({moment.video_id for moment in blue})


def test_a_negated_question_is_not_answered_with_the_opposite(library):
    [red] = {m.video_id for m in library.search("red", top=1).moments}
    shown = library.search("when is it red?", video_id=red).moments[0]
    absent = library.search("when is it not red?", video_id=red)
    assert shown.span.overlap_s(Span(0, 5)) > 4
    assert absent.moments[0].span.overlap_s(Span(0, 5)) < 1
    assert any("'it is red'" in note for note in absent.notes)


def test_a_question_for_a_number_says_that_nothing_is_counted(library):
    answer = library.search("How many times is it blue?")
    assert any("not counted" in note for note in answer.notes)
    assert answer.moments[0].span.iou(Span(5, 10)) > 0.8


def test_the_curve_of_two_events_is_as_high_at_one_as_at_the_other(library):
    [video] = {m.video_id for m in library.search("blue", top=1).moments}
    one = np.array(library.curve(video, question="When is it blue?").values)
    both = np.array(library.curve(video, question="When is it blue and when is it red?").values)
    assert np.ptp(one) == 1
    assert np.ptp(both) == 0


def test_a_search_asks_the_catalog_a_few_times_only(library):
    """What is served is read once, whatever kinds of evidence there are."""
    library.search("when is it blue?", titles=True)
    statements: list[str] = []

    def note(connection, cursor, statement, *rest) -> None:
        statements.append(statement)

    event.listen(library.catalog.engine, "before_cursor_execute", note)
    try:
        library.search("when is it red?", titles=True)
    finally:
        event.remove(library.catalog.engine, "before_cursor_execute", note)
    assert len(statements) <= 20, statements
