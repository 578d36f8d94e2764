"""Videos and their paths: same bytes, moved files, other bytes at a known path, gapless
re-indexing.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sqlalchemy import func, select

from indexer.catalog import Catalog, collections, rows, videos
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.tables import Base
from indexer.errors import CatalogError, UsageError
from tests.indexer.catalog import support


def test_a_video_comes_back_as_it_was_added(catalog: Catalog):
    with catalog.begin() as s:
        collection_id = collections.ensure_collection(s, "films")
        info = support.video_info(12.5, title="A\x00 title")
        video_id = videos.add_video(s, collection_id, "abc", 77, info, support.stamp("a/b.mp4"))
    with catalog.read() as s:
        video = videos.get_video(s, video_id)
    assert (video.duration_s, video.width, video.height, video.fps, video.audio_tracks) == (
        12.5,
        640,
        360,
        25.0,
        1,
    )
    assert (video.collection, video.content_hash, video.size_bytes, video.state, video.title) == (
        "films",
        "abc",
        77,
        "pending",
        "A title",
    )
    assert video.created_at.utcoffset() is not None
    assert [(path.root, path.relative_path, path.offline) for path in video.paths] == [
        ("local", "a/b.mp4", False)
    ]


def test_same_bytes_are_one_video_with_two_paths(catalog: Catalog):
    first = support.add_video(catalog, "a.mp4", content="same")
    second = support.add_video(catalog, "b.mp4", content="same")
    elsewhere = support.add_video(catalog, "a.mp4", content="same", collection="other")
    assert first == second != elsewhere
    with catalog.read() as s:
        assert [path.relative_path for path in videos.get_video(s, first).paths] == [
            "a.mp4",
            "b.mp4",
        ]
        assert videos.find_by_hash(s, videos.get_video(s, first).collection_id, "same") == first


def test_two_writers_of_the_same_bytes_get_one_video(catalog: Catalog):
    with catalog.begin() as s:
        collection_id = collections.ensure_collection(s, "films")

    def add(number: int) -> int:
        with catalog.begin() as s:
            return videos.add_video(
                s, collection_id, "same", 1, support.video_info(), support.stamp(f"{number}.mp4")
            )

    with ThreadPoolExecutor(6) as pool:
        ids = set(pool.map(add, range(12)))
    assert len(ids) == 1
    with catalog.read() as s:
        assert len(videos.get_video(s, ids.pop()).paths) == 12


def test_known_paths_tell_what_is_at_a_path_now(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4", content="old")
    support.do_all(catalog, video_id, np.random.default_rng(0))
    newer = support.add_video(catalog, "a.mp4", content="new")
    with catalog.read() as s:
        known = videos.known_paths(s, videos.get_video(s, video_id).collection_id)[
            ("local", "a.mp4")
        ]
    assert (known.video_id, known.next_video_id, known.content_hash, known.state) == (
        video_id,
        newer,
        "new",
        "pending",
    )
    assert known.keys["picture"] == "k1"


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
        videos.attach_path(s, old, support.stamp("a.mp4", mtime_ns=9))
        collection_id = videos.get_video(s, old).collection_id
        assert videos.remove_orphans(s, collection_id) == (new,)
        known = videos.known_paths(s, collection_id)[("local", "a.mp4")]
    assert (known.video_id, known.next_video_id, known.mtime_ns) == (old, None, 9)


def test_ready_bytes_that_appear_at_a_known_path_replace_at_once(catalog: Catalog):
    rng = np.random.default_rng(0)
    first, second = support.add_ready(catalog, ["a.mp4", "b.mp4"], rng)
    with catalog.begin() as s:
        videos.attach_path(s, second, support.stamp("a.mp4"))
        settled = videos.settle_video(s, second)
    assert settled.removed_video_ids == (first,)
    with catalog.read() as s:
        assert [video.id for video in videos.list_videos(s)] == [second]


def test_a_vanished_file_is_offline_and_a_moved_one_forgets_its_old_path(catalog: Catalog):
    video_id, *_ = support.add_ready(catalog, ["a.mp4"], np.random.default_rng(0))
    with catalog.begin() as s:
        path_id = videos.get_video(s, video_id).paths[0].path_id
        videos.set_offline(s, [path_id], True)
        assert videos.get_video(s, video_id).offline
        videos.attach_path(s, video_id, support.stamp("moved.mp4"))
        assert [path.relative_path for path in videos.get_video(s, video_id).paths] == [
            "moved.mp4",
            "a.mp4",
        ]
        videos.forget_paths(s, [path_id])
        assert [path.relative_path for path in videos.get_video(s, video_id).paths] == ["moved.mp4"]
        assert videos.remove_orphans(s, videos.get_video(s, video_id).collection_id) == ()


def test_reindexing_serves_old_rows_until_the_new_ones_are_complete(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id, *_ = support.add_ready(catalog, ["a.mp4"], rng, chunks=3)
    with catalog.begin() as s:
        assert chunk_tasks.plan(s, video_id, [], {"picture": "k2"}) == 3
    for _ in range(2):
        support.do_one(catalog, video_id, rng)
        with catalog.read() as s:
            assert rows.keys_in_use(s) == ["k1"]
            assert rows.live_state(s, "k1").chunks == 3
            assert rows.live_state(s, "k2").chunks == 0
            assert videos.get_video(s, video_id).state == "ingesting"
    support.do_one(catalog, video_id, rng)
    with catalog.read() as s:
        assert rows.keys_in_use(s) == ["k2"]
        assert rows.live_state(s, "k1").chunks == 0
        assert rows.live_state(s, "k2").chunks == 3
        assert rows.video_frames(s, video_id, "k1").vectors.size == 0, "no stale frame may stay"
        assert rows.usage(s).segments == 12, "no stale or doubled segment may stay"
        assert videos.get_video(s, video_id).state == "ready"


def test_going_back_to_the_served_key_drops_the_other(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id, *_ = support.add_ready(catalog, ["a.mp4"], rng)
    with catalog.begin() as s:
        chunk_tasks.plan(s, video_id, [], {"picture": "k2"})
    support.do_one(catalog, video_id, rng)
    with catalog.begin() as s:
        assert chunk_tasks.plan(s, video_id, [], {"picture": "k1"}) == 0
        assert videos.settle_video(s, video_id).state == "ready"
        assert rows.usage(s).segments == 8
        assert chunk_tasks.claim(s, "me", 60, ["picture"]) is None


def test_a_key_that_has_nothing_yet_is_given_up_for_the_next(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4", key="k1")
    with catalog.begin() as s:
        chunk_tasks.plan(s, video_id, [], {"picture": "k2"})
    support.do_one(catalog, video_id, np.random.default_rng(0))
    with catalog.read() as s:
        assert rows.live_state(s, "k2").chunks == 1, (
            "each chunk is searchable as soon as it is committed"
        )


def test_stages_are_swapped_each_for_itself(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id, *_ = support.add_ready(catalog, ["a.mp4"], rng)
    with catalog.begin() as s:
        assert chunk_tasks.plan(s, video_id, [], {"events": "e1"}) == 2
        assert videos.get_video(s, video_id).keys == {
            "picture": "k1",
            "speech": None,
            "screen": None,
            "sound": None,
            "events": "e1",
        }
        assert rows.live_state(s, "k1").chunks == 2
        for _ in range(2):
            item = chunk_tasks.claim(s, "me", 60, ["events"])
            assert item is not None
            rows.commit_passages(
                s, item.work_id, "me", [rows.NewPassage("event", item.span, "a dog runs")], 1.0
            )
        assert videos.settle_video(s, video_id).state == "ready"


def test_removing_a_video_leaves_nothing(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id, *_ = support.add_ready(catalog, ["a.mp4"], rng)
    with catalog.begin() as s:
        chunk_tasks.plan(s, video_id, [], {"speech": "s1"})
        item = chunk_tasks.claim(s, "me", 60, ["speech"])
        assert item is not None
        rows.commit_passages(
            s, item.work_id, "me", [rows.NewPassage("speech", item.span, "hello there")], 1.0
        )
        videos.remove_video(s, video_id)
    with catalog.read() as s:
        left = {
            table.name: s.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
        }
        assert left == dict.fromkeys(left, 0) | {"collection": 1}
    with catalog.begin() as s, pytest.raises(CatalogError, match="no video"):
        videos.remove_video(s, video_id)


def test_ids_are_never_used_again(catalog: Catalog):
    rng = np.random.default_rng(0)
    first, *_ = support.add_ready(catalog, ["a.mp4"], rng)
    with catalog.begin() as s:
        before = {int(id) for lot in rows.all_vectors(s, "k1") for id in lot.ids}
        videos.remove_video(s, first)
    second, *_ = support.add_ready(catalog, ["a.mp4"], rng)
    with catalog.read() as s:
        after = {int(id) for lot in rows.all_vectors(s, "k1") for id in lot.ids}
    assert second != first
    assert not before & after


def test_collections(catalog: Catalog):
    rng = np.random.default_rng(0)
    support.add_ready(catalog, ["a.mp4", "b.mp4"], rng, collection="films")
    support.add_video(catalog, "c.mp4", collection="clips")
    with catalog.begin() as s:
        films = collections.ensure_collection(s, " films ")
        assert [
            (it.name, it.videos, it.ready, it.duration_s) for it in collections.list_collections(s)
        ] == [
            ("clips", 1, 0, 180.0),
            ("films", 2, 2, 360.0),
        ]
        assert collections.find_collections(s, ["films"]) == [films]
        with pytest.raises(CatalogError, match=r"no collection 'film'.*clips, films"):
            collections.find_collections(s, ["film"])
        with pytest.raises(UsageError):
            collections.ensure_collection(s, "  ")
        assert len(collections.remove_collection(s, films)) == 2
        assert [it.name for it in collections.list_collections(s)] == ["clips"]
        assert rows.usage(s).segments == 0
