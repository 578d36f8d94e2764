"""The library's list: order, narrowing, and what is left out for whom."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from indexer.admin.videos import VideoPath
from indexer.catalog.video_queries import ListedVideo
from indexer.messages import Message
from indexer.vocabulary import VideoState
from search_ui.routes.shelf import in_order, state_of

NOW = datetime(2024, 5, 1, tzinfo=UTC)
FIRST = ListedVideo(1, None, "b.mp4", VideoState.READY, False, 9.0, 5, NOW, NOW)
SECOND = replace(FIRST, video_id=2, path="A.mp4", duration_s=3.0, recorded_at=None)
THIRD = replace(FIRST, video_id=3, path="c.mp4", recorded_at=NOW.replace(year=2020))


@pytest.mark.parametrize(
    ("order", "falling", "ids"),
    [
        ("title", False, [2, 1, 3]),
        ("length", True, [3, 1, 2]),
        ("recorded", True, [1, 3, 2]),
        ("recorded", False, [3, 1, 2]),
    ],
)
def test_what_lacks_the_key_stands_at_the_end(order, falling, ids):
    found = in_order([FIRST, SECOND, THIRD], order, falling=falling)
    assert [video.video_id for video in found] == ids


def test_numbers_first_then_what_stands_on_cards(local, video_ids):
    found = local.get("/shelf?sort=length&order=falling").json()
    assert set(found["ids"]) == set(video_ids.values())
    assert found["ids"][0] == video_ids["traffic light.mp4"]
    assert {int(id) for id in found["rows"]} == set(found["ids"])
    assert found["counts"] == {"": 3, "work": 0, "problem": 0}
    assert local.get("/shelf?find=SUN").json()["ids"] == [video_ids["sunset.mp4"]]
    rows = local.get(f"/shelf/rows?ids={video_ids['sunset.mp4']},999999,x").json()
    assert list(rows) == [str(video_ids["sunset.mp4"])]
    row = rows[str(video_ids["sunset.mp4"])]
    assert (row["title"], row["state"], row["length"]) == ("sunset", "ready", "0:10")
    assert local.get(row["picture"]).status_code == 200


@pytest.mark.parametrize("query", ["sort=nothing", "state=x", "find=%00"])
def test_what_cannot_be_asked(local, query):
    assert local.get(f"/shelf?{query}").status_code in (400, 422)


def test_others_see_nothing_of_a_collection(signed, video_ids):
    hidden = video_ids["diary.mp4"]
    limited = signed("limited")
    assert hidden not in limited.get("/shelf").json()["ids"]
    assert limited.get("/shelf?collection=private").json()["ids"] == []
    assert limited.get(f"/shelf/rows?ids={hidden}").json() == {}
    assert str(hidden) in signed("viewer").get(f"/shelf/rows?ids={hidden}").json()


def test_ready_is_not_said_of_a_file_of_which_a_part_could_not_be_read(library, video_ids):
    video = library.video(video_ids["sunset.mp4"])
    assert state_of(video) == "ready"
    assert state_of(replace(video, error=Message("cut off"))) == "partly"
    assert state_of(replace(video, paths=(VideoPath("/gone.mp4", True),))) == "offline"
