"""What stages commit comes back as it was; what is live is told cheaply and truly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grounding.spans import Span
from indexer.catalog import Catalog, videos
from indexer.catalog.database.usage import measure_usage
from indexer.catalog.finalize import finalize_video
from indexer.catalog.frames import FrameBlock, get_frame_blocks, get_video_frames
from indexer.catalog.leasing import chunk_tasks
from indexer.catalog.leasing.chunk_planning import plan_tasks
from indexer.catalog.passages import NewPassage, commit_passages, list_passages
from indexer.catalog.segments import NewSegment, commit_picture, get_segments
from indexer.catalog.vectors.live_chunks import LiveState, get_live_chunks, get_live_state
from indexer.catalog.vectors.vector_rows import iterate_vectors
from indexer.errors import CatalogError
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


def test_vectors_of_different_length_under_one_key_are_an_error(catalog: Catalog):
    rng = np.random.default_rng(0)
    for name, dimension in (("a.mp4", 8), ("b.mp4", 12)):
        item = claimed(catalog, support.add_video(catalog, name, chunks=1))
        vectors = support.unit_vectors(rng, 2, dimension)
        with catalog.begin() as s:
            frames = FrameBlock(np.arange(2.0), vectors, np.empty(0))
            commit_picture(
                s, item.task_id, support.OWNER, frames, support.new_segments(item, vectors), 0.1
            )
    with catalog.read() as s, pytest.raises(CatalogError, match=r"\[8, 12\] numbers"):
        list(iterate_vectors(s, "k1"))


def test_passages_come_back_with_their_words(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4", chunks=1)
    passage = NewPassage(
        "speech", Span(1, 3), "hi you", "en", np.float32(0.5), [(1.0, 1.5, "hi"), (1.5, 3.0, "you")]
    )  # pyright: ignore[reportArgumentType]
    with catalog.begin() as s:
        plan_tasks(s, video_id, [], {"speech": "s1"})
        item = chunk_tasks.claim_task(s, "me", 60, ["speech"])
        assert item is not None
        assert commit_passages(s, item.task_id, "me", [passage], 0.5)
    with catalog.read() as s:
        (stored,) = list_passages(s, video_id)
    assert (stored.kind, stored.span, stored.text, stored.language, stored.confidence) == (
        "speech",
        Span(1, 3),
        "hi you",
        "en",
        0.5,
    )
    assert stored.words == ((1.0, 1.5, "hi"), (1.5, 3.0, "you"))


def test_usage_says_what_an_hour_of_video_costs(catalog: Catalog):
    support.add_ready(catalog, ["a.mp4"], np.random.default_rng(0), chunks=4)
    with catalog.read() as s:
        usage = measure_usage(s)
    assert (usage.segments, usage.frames, usage.video_s) == (16, 24, 360.0)
    assert usage.kinds == {"segments": 16 * 32, "frames": 24 * 32 + 24 * 8 + 4 * 8, "passages": 0}
    assert usage.mb_per_hour == pytest.approx(usage.database_bytes / 1e6 * 10)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.sampled_from(["add", "do", "remove", "rekey", "nothing"]), min_size=3, max_size=8),
    st.integers(0, 99),
)
def test_the_fingerprint_changes_exactly_when_live_chunks_change(
    sqlite_catalog: Catalog, steps: list[str], seed: int
):
    catalog, rng = sqlite_catalog, np.random.default_rng(seed)

    def look() -> tuple[LiveState, list]:
        with catalog.read() as s:
            return get_live_state(s, "k1"), [column.tolist() for column in get_live_chunks(s, "k1")]

    state, live = look()
    for number, step in enumerate(steps):
        with catalog.read() as s:
            ids = [video.id for video in videos.list_videos(s)]
        if step == "add" or not ids:
            support.add_video(catalog, f"{seed}-{number}-{rng.integers(10**9)}.mp4")
        elif step == "do":
            support.do_one(catalog, int(rng.choice(ids)), rng)
        elif step == "remove":
            with catalog.begin() as s:
                videos.remove_video(s, int(rng.choice(ids)))
        elif step == "rekey":
            with catalog.begin() as s:
                plan_tasks(s, int(rng.choice(ids)), [], {"picture": str(rng.choice(["k1", "k2"]))})
        new_state, new_live = look()
        assert (new_state == state) == (new_live == live)
        assert new_state.chunks == len(new_live[0])
        state, live = new_state, new_live
