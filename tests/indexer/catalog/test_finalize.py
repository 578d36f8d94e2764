"""A video is ready when all of it is done, and supersedes then; keys are swapped when complete."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.catalog import Catalog, videos
from indexer.catalog.database.usage import measure_usage
from indexer.catalog.finalize import finalize_video
from indexer.catalog.frames import get_video_frames
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.passages import NewPassage, commit_passages
from indexer.catalog.vectors.live_chunks import get_live_state
from indexer.catalog.vectors.served_keys import list_picture_keys
from indexer.catalog.video_paths import attach_path, get_known_paths
from indexer.errors import CatalogError
from tests.indexer.catalog import support


def test_other_bytes_supersede_only_when_they_are_ready(catalog: Catalog):
    rng = np.random.default_rng(0)
    old = support.add_video(catalog, "a.mp4", content="old")
    support.do_all(catalog, old, rng)
    new = support.add_video(catalog, "a.mp4", content="new")
    assert support.do_one(catalog, new, rng)
    with catalog.read() as s:
        assert videos.get_video(s, old).state == "ready", (
            "half of the new one must not replace the old one"
        )
        assert [path.relative_path for path in videos.get_video(s, new).paths] == ["a.mp4"], (
            "a video that waits knows its file"
        )
    support.do_all(catalog, new, rng)
    with catalog.read() as s:
        assert videos.get_video(s, new).state == "ready"
        with pytest.raises(CatalogError, match=f"no video {old}"):
            videos.get_video(s, old)


def test_superseded_bytes_with_another_path_stay(catalog: Catalog):
    rng = np.random.default_rng(0)
    old = support.add_video(catalog, "a.mp4", content="old")
    support.add_video(catalog, "copy.mp4", content="old")
    support.do_all(catalog, old, rng)
    new = support.add_video(catalog, "a.mp4", content="new")
    support.do_all(catalog, new, rng)
    with catalog.read() as s:
        assert [path.relative_path for path in videos.get_video(s, old).paths] == ["copy.mp4"]
        assert [path.relative_path for path in videos.get_video(s, new).paths] == ["a.mp4"]


def test_bytes_that_change_twice_leave_one_video(catalog: Catalog):
    rng = np.random.default_rng(0)
    support.add_video(catalog, "a.mp4", content="one")
    support.add_video(catalog, "a.mp4", content="two")
    last = support.add_video(catalog, "a.mp4", content="three")
    support.do_all(catalog, last, rng)
    with catalog.read() as s:
        assert [video.id for video in videos.list_videos(s)] == [last]


def test_bytes_that_come_back_are_served_at_once(catalog: Catalog):
    old, *_ = support.add_ready(catalog, ["a.mp4"], np.random.default_rng(0), content="old")
    new = support.add_video(catalog, "a.mp4", content="new")
    with catalog.begin() as s:
        attach_path(s, old, support.stamp("a.mp4", mtime_ns=9))
        collection_id = videos.get_video(s, old).collection_id
        assert videos.remove_orphans(s, collection_id) == (new,)
        known = get_known_paths(s, collection_id)[("local", "a.mp4")]
    assert (known.video_id, known.next_video_id, known.mtime_ns) == (old, None, 9)


def test_ready_bytes_that_appear_at_a_known_path_replace_at_once(catalog: Catalog):
    rng = np.random.default_rng(0)
    first, second = support.add_ready(catalog, ["a.mp4", "b.mp4"], rng)
    with catalog.begin() as s:
        attach_path(s, second, support.stamp("a.mp4"))
        finalized = finalize_video(s, second)
    assert finalized.removed_video_ids == (first,)
    with catalog.read() as s:
        assert [video.id for video in videos.list_videos(s)] == [second]


def test_reindexing_serves_old_rows_until_the_new_ones_are_complete(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id, *_ = support.add_ready(catalog, ["a.mp4"], rng, chunks=3)
    with catalog.begin() as s:
        assert plan_tasks(s, video_id, [], {"picture": "k2"}) == 3
    for _ in range(2):
        support.do_one(catalog, video_id, rng)
        with catalog.read() as s:
            assert list_picture_keys(s) == ["k1"]
            assert get_live_state(s, "k1").chunks == 3
            assert get_live_state(s, "k2").chunks == 0
            assert videos.get_video(s, video_id).state == "ingesting"
    support.do_one(catalog, video_id, rng)
    with catalog.read() as s:
        assert list_picture_keys(s) == ["k2"]
        assert get_live_state(s, "k1").chunks == 0
        assert get_live_state(s, "k2").chunks == 3
        assert get_video_frames(s, video_id, "k1").vectors.size == 0, "no stale frame may stay"
        assert measure_usage(s).segments == 12, "no stale or doubled segment may stay"
        assert videos.get_video(s, video_id).state == "ready"


def test_going_back_to_the_served_key_drops_the_other(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id, *_ = support.add_ready(catalog, ["a.mp4"], rng)
    with catalog.begin() as s:
        plan_tasks(s, video_id, [], {"picture": "k2"})
    support.do_one(catalog, video_id, rng)
    with catalog.begin() as s:
        assert plan_tasks(s, video_id, [], {"picture": "k1"}) == 0
        assert finalize_video(s, video_id).state == "ready"
        assert measure_usage(s).segments == 8
        assert chunk_tasks.claim_task(s, "me", 60, ["picture"]) is None


def test_a_key_that_has_nothing_yet_is_given_up_for_the_next(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4", key="k1")
    with catalog.begin() as s:
        plan_tasks(s, video_id, [], {"picture": "k2"})
    support.do_one(catalog, video_id, np.random.default_rng(0))
    with catalog.read() as s:
        assert get_live_state(s, "k2").chunks == 1, (
            "each chunk is searchable as soon as it is committed"
        )


def test_stages_are_swapped_each_for_itself(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id, *_ = support.add_ready(catalog, ["a.mp4"], rng)
    with catalog.begin() as s:
        assert plan_tasks(s, video_id, [], {"events": "e1"}) == 2
        assert videos.get_video(s, video_id).keys == {
            "picture": "k1",
            "speech": None,
            "screen": None,
            "events": "e1",
        }
        assert get_live_state(s, "k1").chunks == 2
        for _ in range(2):
            item = chunk_tasks.claim_task(s, "me", 60, ["events"])
            assert item is not None
            commit_passages(
                s, item.task_id, "me", [NewPassage("event", item.span, "a dog runs")], 1.0
            )
        assert finalize_video(s, video_id).state == "ready"
