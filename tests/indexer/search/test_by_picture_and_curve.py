"""Looking around in a library: likeness, pictures, curves, filters, names as evidence, what a
browser is given.
"""

import io
import math
from datetime import date
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from grounding.spans import Span
from indexer.catalog import watched_folders
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.leasing.chunk_tasks import claim_task
from indexer.catalog.passages import NewPassage, commit_passages, list_passages
from indexer.catalog.people import saved_searches
from indexer.catalog.video_queries import Filters
from indexer.embedders.demo import COLOURS
from indexer.errors import UsageError
from indexer.library import Library
from indexer.messages import Message
from indexer.questions.query_pictures import keep_picture, read_picture
from indexer.search.curve import highest
from indexer.search.evidence import titles
from indexer.search.evidence.titles import period_of
from tests.indexer.media.golden import ffmpeg
from tests.support import colour_video, demo_library


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    folder = tmp_path_factory.mktemp("exploring")
    colour_video(folder / "v" / "DogPark_2023.mp4", [("red", 4), ("green", 6), ("blue", 5)])
    colour_video(folder / "v" / "evening.mp4", [("orange", 4), ("green", 4)])
    colour_video(folder / "v" / "plain.mp4", [("black", 3)])
    ffmpeg(
        "-i",
        folder / "v" / "plain.mp4",
        "-c",
        "copy",
        "-metadata",
        "creation_time=2024-05-17T23:30:00Z",
        folder / "v" / "dated.mp4",
    )
    (folder / "v" / "plain.mp4").unlink()
    library = demo_library(folder / "home")
    library.ingest([folder / "v"], "all")
    return library


def png(*of: object) -> bytes:
    out = io.BytesIO()
    Image.new(*of).save(out, "PNG")  # pyright: ignore[reportArgumentType]
    return out.getvalue()


def id_of(library: Library, name: str) -> int:
    return next(
        video.video_id for video in library.videos() if Path(video.paths[0].path).name == name
    )


def names(library: Library, answer) -> list[str]:
    return [Path(moment.path).name for moment in answer.moments]


def test_more_like_a_moment_leaves_itself_out(library):
    answer = library.more_like(id_of(library, "DogPark_2023.mp4"), Span(4.5, 9.5))
    assert names(library, answer)[0] == "evening.mp4"
    assert answer.moments[0].span.start_s == pytest.approx(4.0, abs=0.5)
    assert answer.matched
    assert all(
        m.span.overlap_s(Span(4.5, 9.5)) == 0 for m in answer.moments if m.path.endswith("2023.mp4")
    )


def test_words_and_a_picture_together(library):
    """What answers the words is there in the order in which it looks like the picture too."""
    name = keep_picture(library.settings, png("RGB", (64, 48), COLOURS["green"]))
    asked = library.search("red or green", top=20)
    both = library.search_picture(name, question="red or green", top=20)
    first = library.search_picture(name, question="red or green", top=1)
    assert first.moments == both.moments[:1]
    assert {(m.video_id, m.span) for m in both.moments} == {
        (m.video_id, m.span) for m in asked.moments
    }
    scores = [moment.score for moment in both.moments]
    assert scores == sorted(scores, reverse=True)
    best, red = both.moments[0], _at(both, id_of(library, "DogPark_2023.mp4"), 2.0)
    assert best.span.start_s == pytest.approx(4.0, abs=0.5), "green, not red"
    assert red.score < best.score
    assert both.statement == asked.statement


def _at(answer, video_id: int, time_s: float):
    return next(
        moment
        for moment in answer.moments
        if moment.video_id == video_id and moment.span.start_s <= time_s < moment.span.end_s
    )


def test_moments_like_another_do_not_continue_each_other(tmp_path):
    """A shot has several segments, which all are alike."""
    colour_video(tmp_path / "v" / "long.mp4", [("red", 20), ("blue", 12), ("red", 20)])
    colour_video(tmp_path / "v" / "short.mp4", [("red", 20)])
    library = demo_library(tmp_path / "home")
    library.ingest([tmp_path / "v"])
    long, asked = id_of(library, "long.mp4"), Span(2, 6)
    moments = library.more_like(long, asked, top=50).moments
    assert {moment.video_id for moment in moments[:2]} == {long, id_of(library, "short.mp4")}
    found = [(moment.video_id, moment.span) for moment in moments]
    for (video_id, one), (other_id, other) in combinations([(long, asked), *found], 2):
        first, second = sorted((one, other))
        cut = video_id == long and any(abs(cut_s - first.end_s) < 0.5 for cut_s in (20, 32))
        assert video_id != other_id or second.start_s - first.end_s > 1 or cut


def test_like_an_instant_is_like_its_nearest_frame(library):
    assert (
        names(library, library.more_like(id_of(library, "evening.mp4"), Span(5.1, 5.1)))[0]
        == "DogPark_2023.mp4"
    )


def test_search_by_picture(library):
    name = keep_picture(library.settings, png("RGB", (50, 40), COLOURS["blue"]))
    assert name == keep_picture(library.settings, png("RGB", (50, 40), COLOURS["blue"]))
    best = library.search_picture(name).moments[0]
    assert (Path(best.path).name, best.span.start_s) == (
        "DogPark_2023.mp4",
        pytest.approx(10.0, abs=0.5),
    )


@pytest.mark.parametrize("name", ["../../catalog", "", "a" * 64, "x/y"])
def test_pictures_that_are_not_kept(library, name):
    with pytest.raises(UsageError):
        read_picture(library.settings, name)


def test_large_pictures_are_kept_small(library):
    name = keep_picture(library.settings, png("RGBA", (3000, 1500), "red"))
    assert read_picture(library.settings, name).shape == (320, 640, 3)


def test_curve_is_high_where_the_question_holds(library):
    curve = library.curve(id_of(library, "DogPark_2023.mp4"), question="when is it green?")
    times_s, values = np.array(curve.times_s), np.array(curve.values)
    inside = (times_s >= 4) & (times_s < 10)
    assert values[inside].min() > 0.8
    assert values[~inside].max() < 0.2
    assert curve.cuts_s == pytest.approx([4.0, 10.0], abs=0.05)


def test_curve_of_no_question_has_cuts(library):
    curve = library.curve(id_of(library, "evening.mp4"))
    assert (curve.values, len(curve.cuts_s)) == ([], 1)


def test_highest_keeps_every_peak():
    values = np.zeros(100_000)
    values[[17, 50_000, 99_999]] = 1
    times_s, kept = highest(np.arange(100_000.0), values, 1000)
    assert len(kept) == 1000
    assert times_s[kept == 1].tolist() == [17, 50_000, 99_999]


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        (Filters(), {"DogPark_2023.mp4", "evening.mp4", "dated.mp4"}),
        (Filters(name="dogpark"), {"DogPark_2023.mp4"}),
        (Filters(name="%"), set()),
        (Filters(shortest_s=10), {"DogPark_2023.mp4"}),
        (Filters(longest_s=10), {"evening.mp4", "dated.mp4"}),
        (Filters(recorded_from=date(2024, 5, 17), recorded_to=date(2024, 5, 17)), {"dated.mp4"}),
        (Filters(recorded_from=date(2024, 5, 18)), set()),
    ],
)
def test_filters(library, filters, left):
    assert set(names(library, library.search("green", filters=filters))) == left


def test_names_are_evidence_when_asked_for(library):
    first = library.search("dog park", titles=True).moments[0]
    assert Path(first.path).name == "DogPark_2023.mp4"
    assert {"title"} <= {item.kind for item in first.evidence}
    assert all(
        item.kind != "title"
        for moment in library.search("dog park").moments
        for item in moment.evidence
    )


def test_recording_date_is_evidence(library):
    first = library.search("what was recorded in May 2024?", titles=True).moments[0]
    assert Path(first.path).name == "dated.mp4"


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("on 2023-05-17", (date(2023, 5, 17), date(2023, 5, 17))),
        ("in December 2023", (date(2023, 12, 1), date(2023, 12, 31))),
        ("in February 2024", (date(2024, 2, 1), date(2024, 2, 29))),
        ("in 1999", (date(1999, 1, 1), date(1999, 12, 31))),
        ("2023年", (date(2023, 1, 1), date(2023, 12, 31))),
        ("room 2023", None),
        ("2023-99-99", None),
    ],
)
def test_period_of(text, days):
    assert period_of(text) == days


def test_passages_of_a_video_come_in_the_order_of_time(library):
    video_id = id_of(library, "evening.mp4")
    with library.catalog.begin() as session:
        plan_tasks(session, video_id, [Span(0, 8)], {"speech": "test"})
        work = claim_task(session, "me", 60, ("speech",), video_id=video_id)
        spoken = [
            NewPassage("speech", Span(4, 6), "the grass is green"),
            NewPassage("speech", Span(1, 2), "what an orange sky"),
        ]
        assert commit_passages(session, work.task_id, "me", spoken, 0.1)
    from indexer.catalog.finalize import finalize_video

    with library.catalog.begin() as session:
        finalize_video(session, video_id)
    with library.catalog.read() as session:
        assert [row.text for row in list_passages(session, video_id)] == [
            "what an orange sky",
            "the grass is green",
        ]
    assert library.search("grass", filters=Filters(name="evening")).moments[0].evidence
    found = library.search("grass", filters=Filters(name="Dog"))
    assert all(item.kind != "speech" for moment in found.moments for item in moment.evidence)


def test_playback(library, tmp_path):
    own = demo_library(tmp_path / "home")
    colour_video(tmp_path / "v" / "a.mp4", [("red", 1)])
    ffmpeg("-i", tmp_path / "v" / "a.mp4", "-c:v", "mpeg4", tmp_path / "v" / "b.avi")
    own.ingest([tmp_path / "v"], "all")
    a, b = id_of(own, "a.mp4"), id_of(own, "b.avi")
    assert (own.playback(a).state, own.playback(b).state) == ("ready", "wait")
    own.make_proxy(b, lambda share: None)
    made = own.playback(b)
    assert (made.state, made.path.name) == ("ready", "proxy.mp4")
    (tmp_path / "v" / "b.avi").unlink()
    assert own.playback(b).state == "ready", "the proxy plays while the file is away"
    (tmp_path / "v" / "a.mp4").unlink()
    assert own.playback(a).state == "gone"
    own.remove(video_ids=[b])
    assert not made.path.exists()


def test_recent_searches_are_bounded_and_apart(library):
    with library.catalog.begin() as session:
        for number in range(30):
            saved_searches.add_recent_search(session, None, f"q{number}", f"/?q={number}")
        saved_searches.add_recent_search(session, None, "again", "/?q=15")
        saved_searches.save_search(session, None, "saved", "/?q=15")
        recent = saved_searches.list_searches(session, None, saved=False)
        assert len(recent) == saved_searches.RECENT_SEARCHES
        assert [item.title for item in recent[:2]] == ["again", "q29"]
        assert [item.title for item in saved_searches.list_searches(session, None, saved=True)] == [
            "saved"
        ]


def test_watched_folders(library):
    with library.catalog.begin() as session:
        watched_folders.watch_folder(session, "all", "/media")
        watched_folders.watch_folder(session, "all", "/media")
        (folder,) = watched_folders.list_watched_folders(session)
        watched_folders.note_scan(session, folder.id, Message("it was away"))
        (seen,) = watched_folders.list_watched_folders(session)
        assert seen.scanned_at is not None
        assert str(seen.error) == "it was away"
        watched_folders.unwatch_folder(session, folder.id)
        assert watched_folders.list_watched_folders(session) == []


@pytest.mark.parametrize("count", range(1, 12))
def test_no_name_with_enough_words_is_passed_over(count):
    """Whichever words a name misses: one of those that are looked up stands in it."""
    words = {f"{'w' * (number + 2)}{number}" for number in range(count)}
    telling = set(titles._telling(words))
    for missed in combinations(words, count - math.ceil(titles.SHARE * count)):
        assert telling - set(missed)
