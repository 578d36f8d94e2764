"""The lanes of a time line: what of each kind of evidence fits a question, and when."""

import pytest

from grounding.spans import Span
from tests.support import colour_video, demo_library

SUBTITLES = (
    "1\n00:00:01,000 --> 00:00:03,000\nThe kettle is humming.\n\n"
    "2\n00:00:06,000 --> 00:00:08,000\nNobody is at home.\n"
)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lanes")
    library = demo_library(folder / "home", speech=True)
    path = colour_video(folder / "kitchen.mp4", [("red", 5.0), ("green", 5.0)])
    path.with_suffix(".srt").write_text(SUBTITLES)
    library.ingest([path])
    return library


def test_a_lane_for_each_kind_that_says_something(library):
    lanes = library.lanes(1, question="when does the kettle hum?")
    assert set(lanes) == {"picture", "speech"}
    (line,) = lanes["speech"].spans
    assert line[:2] == (1.0, 3.0)
    assert 0 < line[2] <= 1
    assert not lanes["speech"].times_s
    assert len(lanes["picture"].times_s) == len(lanes["picture"].values) > 0


def test_pictures_have_a_curve(library):
    lane = library.lanes(1, question="when is it green?")["picture"]
    green = [value for time_s, value in zip(lane.times_s, lane.values, strict=True) if time_s >= 5]
    red = [value for time_s, value in zip(lane.times_s, lane.values, strict=True) if time_s < 5]
    assert min(green) > max(red)


def test_like_a_moment_is_about_pictures_alone(library):
    assert set(library.lanes(1, like=(1, Span(0, 2)))) == {"picture"}


def test_nothing_is_asked(library):
    assert library.lanes(1) == {}
