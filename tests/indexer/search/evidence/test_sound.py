from pathlib import Path

import numpy as np
import pytest

from grounding.spans import Span
from indexer.errors import UsageError
from indexer.library import Library
from indexer.search.evidence.sound import clearest, probability
from tests.indexer.passages.sounds import dial_tone, music, place, siren
from tests.indexer.talks import Part, make_talk
from tests.support import demo_library

SIREN, TONE, MUSIC = Span(6.0, 11.0), Span(25.0, 31.0), Span(3.0, 18.0)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("media")
    parts = [Part(20.0, "red"), Part(20.0, "blue")]
    street = place(40.0, (6.0, siren(5.0)), (25.0, dial_tone(6.0)))
    make_talk(folder / "one.mp4", parts, sound=street)
    make_talk(folder / "two.mp4", [Part(24.0, "green")], sound=place(24.0, (3.0, music(15.0))))
    make_talk(folder / "three.mp4", [Part(10.0, "yellow")])
    library = demo_library(tmp_path_factory.mktemp("home"), sound=True)
    assert not library.ingest([folder]).failures
    return library


@pytest.mark.parametrize(
    ("question", "name", "span"),
    [
        ("when does a siren wail?", "one", SIREN),
        ("警笛声", "one", SIREN),
        ("a dial tone on the telephone", "one", TONE),
        ("music plays", "two", MUSIC),
        ("Musik", "two", MUSIC),
    ],
)
def test_a_sound_is_found_with_its_times(library: Library, question: str, name: str, span: Span):
    moment = library.search(question, only=["sound"]).moments[0]
    assert Path(moment.path).stem == name
    assert moment.span.iou(span) > 0.5
    assert [item.kind for item in moment.evidence] == ["sound"]
    assert 0.2 < moment.evidence[0].score <= 1


def test_what_was_heard_is_named(library: Library):
    evidence = library.search("a siren", only=["sound"]).moments[0].evidence[0]
    assert "iren" in evidence.text


def test_sound_answers_beside_pictures(library: Library):
    answer = library.search("a siren")
    assert answer.matched
    first = answer.moments[0]
    assert first.span.iou(SIREN) > 0.5
    assert "sound" in {item.kind for item in first.evidence}


def test_what_cannot_be_heard_is_no_sound(library: Library):
    answer = library.search("red")
    assert all(item.kind != "sound" for moment in answer.moments for item in moment.evidence)


def test_a_sound_that_is_not_there_does_not_match(library: Library):
    assert not library.search("a dog barks", only=["sound"]).matched


def test_one_video_is_searched_by_itself(library: Library):
    found = library.search("a siren", only=["sound"])
    video_id = found.moments[0].video_id
    assert library.spans_in_video("a siren", video_id)[0].span.iou(SIREN) > 0.5
    other = next(item.video_id for item in library.videos() if "two" in item.paths[0].path)
    within = library.search("a siren", video_id=other, only=["sound"])
    assert not within.matched


def test_the_curve_of_what_is_heard(library: Library):
    video_id = library.search("a siren", only=["sound"]).moments[0].video_id
    curve = library.sound_curve(video_id, "a siren")
    times_s, values = np.array(curve.times_s), np.array(curve.values)
    inside = (times_s > SIREN.start_s + 0.5) & (times_s < SIREN.end_s - 0.5)
    assert values[inside].min() > 0.6
    assert np.median(values[~inside]) < 0.3
    silent = next(item.video_id for item in library.videos() if "three" in item.paths[0].path)
    assert library.sound_curve(silent, "a siren").times_s == []


def test_sound_is_a_kind_of_evidence(library: Library):
    with pytest.raises(UsageError, match="sound"):
        library.search("a siren", only=["smell"])


def test_an_answer_is_likelier_the_more_it_is_about_sound_and_the_clearer_it_is():
    assert 0 < probability(0.8, 0.7, 1.0) < 1
    assert probability(0.9, 0.7, 1.0) > probability(0.8, 0.7, 1.0)
    assert probability(0.8, 0.9, 1.0) > probability(0.8, 0.7, 1.0)
    assert probability(0.8, 0.7, 0.5) > probability(0.8, 0.7, 1.0)
    assert probability(0.4, 1.0, 1.0) < 0.2


def test_a_sound_is_as_clear_as_its_best_seconds():
    assert clearest(np.array([0.2])) == pytest.approx(0.2)
    curve = np.array([0, 0, 0.9, 0.6, 0.3, 0, 0, 0, 0.8])
    assert clearest(curve) == pytest.approx(0.6)
