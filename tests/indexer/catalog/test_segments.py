"""What a picture stage commits comes back as it was, or not at all."""

from __future__ import annotations

import numpy as np
import pytest

from grounding.spans import Span
from indexer.catalog import Catalog
from indexer.catalog.finalize import finalize_video
from indexer.catalog.frames import FrameBlock, get_cuts, get_frame_blocks, get_video_frames
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.segments import NewSegment, commit_picture, get_segments
from indexer.catalog.vectors.live_chunks import get_live_state
from indexer.catalog.vectors.vector_rows import iterate_vectors
from tests.indexer.catalog import support


def claimed(catalog: Catalog, video_id: int) -> chunk_tasks.ClaimedTask:
    with catalog.begin() as s:
        item = chunk_tasks.claim_task(s, support.OWNER, 60, ["picture"], video_id=video_id)
    assert item is not None
    return item


def test_frames_and_segments_come_back(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id = support.add_video(catalog, "a.mp4", chunks=2)
    blocks = {}
    for _ in range(2):
        item = claimed(catalog, video_id)
        blocks[item.chunk_id] = support.block(rng, item, count=5)
        segment = NewSegment(
            Span(item.start_s, item.start_s + 4),
            blocks[item.chunk_id].vectors[2],
            item.start_s + 1.5,
        )
        with catalog.begin() as s:
            assert commit_picture(
                s, item.task_id, support.OWNER, blocks[item.chunk_id], [segment], 2.0
            )
            finalize_video(s, video_id)
    with catalog.read() as s:
        stored = get_frame_blocks(s, blocks, "k1")
        whole = get_video_frames(s, video_id, "k1")
        cuts = get_cuts(s, [video_id, 10**12])
        lots = list(iterate_vectors(s, "k1", batch=1))
        found = get_segments(s, [int(lots[1].ids[0]), 10**12, int(lots[0].ids[0])])
    for chunk_id, block in blocks.items():
        np.testing.assert_array_equal(stored[chunk_id].times_s, block.times_s)
        np.testing.assert_array_equal(stored[chunk_id].cuts_s, block.cuts_s)
        np.testing.assert_array_equal(
            stored[chunk_id].vectors, block.vectors.astype(np.float16).astype(np.float32)
        )
    np.testing.assert_array_equal(
        whole.times_s, np.concatenate([block.times_s for block in blocks.values()])
    )
    assert list(cuts) == [video_id]
    np.testing.assert_array_equal(cuts[video_id], whole.cuts_s)
    assert whole.vectors.shape == (10, support.DIMENSION)
    assert [len(lot) for lot in lots] == [1, 1]
    assert [(row.span, row.thumbnail_s, row.video_id) for row in found] == [
        (Span(90, 94), 91.5, video_id),
        (Span(0, 4), 1.5, video_id),
    ]


def test_a_chunk_without_frames_or_segments_is_done_all_the_same(catalog: Catalog):
    video_id = support.add_video(catalog, "black.mp4", chunks=1)
    item = claimed(catalog, video_id)
    nothing = FrameBlock(np.empty(0), np.empty((0, support.DIMENSION), np.float32), np.empty(0))
    with catalog.begin() as s:
        assert commit_picture(s, item.task_id, support.OWNER, nothing, [], 0.1)
        assert finalize_video(s, video_id).state == "ready"
        assert get_live_state(s, "k1").chunks == 1
        assert get_video_frames(s, video_id, "k1").vectors.shape == (0, support.DIMENSION)
        assert list(iterate_vectors(s, "k1")) == []


def test_vectors_that_float16_cannot_hold_are_refused_and_nothing_is_written(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4", chunks=1)
    item = claimed(catalog, video_id)
    broken = FrameBlock(
        np.zeros(1), np.full((1, support.DIMENSION), np.nan, np.float32), np.empty(0)
    )
    with pytest.raises(ValueError, match="not finite"), catalog.begin() as s:
        commit_picture(s, item.task_id, support.OWNER, broken, [], 0.1)
    with catalog.read() as s:
        assert get_live_state(s, "k1").chunks == 0


def test_shapes_must_agree(catalog: Catalog):
    with pytest.raises(ValueError, match=r"times \(N,\)"):
        FrameBlock(np.zeros(2), np.zeros((3, 4), np.float32), np.empty(0))
    video_id = support.add_video(catalog, "a.mp4", chunks=1)
    item = claimed(catalog, video_id)
    wrong = NewSegment(item.span, np.ones(3, np.float32), 0.0)
    with pytest.raises(ValueError, match=r"shape \(3,\)"), catalog.begin() as s:
        commit_picture(
            s,
            item.task_id,
            support.OWNER,
            support.block(np.random.default_rng(0), item),
            [wrong],
            0.1,
        )


def test_thousands_of_segments_are_fetched_in_the_order_asked(catalog: Catalog):
    rng = np.random.default_rng(0)
    video_id = support.add_video(catalog, "a.mp4", chunks=1)
    item = claimed(catalog, video_id)
    with catalog.begin() as s:
        support.commit(s, item, rng, segments=40_000 if catalog.is_sqlite else 4_000)
    with catalog.read() as s:
        ids = np.concatenate([lot.ids for lot in iterate_vectors(s, "k1")])
        rng.shuffle(ids)
        assert [row.id for row in get_segments(s, ids)] == ids.tolist()
