"""Videos and their paths: same bytes, moved files, other bytes at a known path, gapless
re-indexing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sqlalchemy import func, select

from indexer.catalog import Catalog, collections, videos
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.passages import NewPassage, commit_passages
from indexer.catalog.tables.metadata import metadata
from indexer.catalog.vectors.vector_rows import iterate_vectors
from indexer.errors import CatalogError
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


def test_removing_a_video_leaves_nothing(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id, *_ = support.add_ready(catalog, ["a.mp4"], rng)
    with catalog.begin() as s:
        plan_tasks(s, video_id, [], {"speech": "s1"})
        item = chunk_tasks.claim_task(s, "me", 60, ["speech"])
        assert item is not None
        commit_passages(
            s, item.task_id, "me", [NewPassage("speech", item.span, "hello there")], 1.0
        )
        videos.remove_video(s, video_id)
    with catalog.read() as s:
        left = {
            table.name: s.scalar(select(func.count()).select_from(table))
            for table in metadata.sorted_tables
        }
        assert left == dict.fromkeys(left, 0) | {"collection": 1}
    with catalog.begin() as s, pytest.raises(CatalogError, match="no video"):
        videos.remove_video(s, video_id)


def test_ids_are_never_used_again(catalog: Catalog):
    rng = np.random.default_rng(0)
    first, *_ = support.add_ready(catalog, ["a.mp4"], rng)
    with catalog.begin() as s:
        before = {int(id) for lot in iterate_vectors(s, "k1") for id in lot.ids}
        videos.remove_video(s, first)
    second, *_ = support.add_ready(catalog, ["a.mp4"], rng)
    with catalog.read() as s:
        after = {int(id) for lot in iterate_vectors(s, "k1") for id in lot.ids}
    assert second != first
    assert not before & after
