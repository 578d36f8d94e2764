"""Paths tell what is where."""

from __future__ import annotations

import numpy as np

from indexer.catalog import Catalog, videos
from indexer.catalog.video_paths import attach_path, delete_paths, get_known_paths, set_offline
from tests.indexer.catalog import support


def test_known_paths_tell_what_is_at_a_path_now(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4", content="old")
    support.do_all(catalog, video_id, np.random.default_rng(0))
    newer = support.add_video(catalog, "a.mp4", content="new")
    with catalog.read() as s:
        known = get_known_paths(s, videos.get_video(s, video_id).collection_id)[("local", "a.mp4")]
    assert (known.video_id, known.next_video_id, known.content_hash, known.state) == (
        video_id,
        newer,
        "new",
        "pending",
    )
    assert known.keys["picture"] == "k1"


def test_a_vanished_file_is_offline_and_a_moved_one_forgets_its_old_path(catalog: Catalog):
    video_id, *_ = support.add_ready(catalog, ["a.mp4"], np.random.default_rng(0))
    with catalog.begin() as s:
        path_id = videos.get_video(s, video_id).paths[0].path_id
        set_offline(s, [path_id], True)
        assert videos.get_video(s, video_id).offline
        attach_path(s, video_id, support.stamp("moved.mp4"))
        assert [path.relative_path for path in videos.get_video(s, video_id).paths] == [
            "moved.mp4",
            "a.mp4",
        ]
        delete_paths(s, [path_id])
        assert [path.relative_path for path in videos.get_video(s, video_id).paths] == ["moved.mp4"]
        assert videos.remove_orphans(s, videos.get_video(s, video_id).collection_id) == ()
