import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grounding.spans import Span
from indexer.stages.segments import build_segments, plan_chunks, plan_segments


@given(st.floats(0.04, 20_000), st.floats(60, 120))
def test_chunks_cover_the_video_without_gap_or_overlap_and_last_one_to_two_minutes(
    duration_s, chunk_s
):
    chunks = plan_chunks(duration_s, chunk_s)
    assert chunks[0].start_s == 0
    assert chunks[-1].end_s == pytest.approx(duration_s)
    assert all(a.end_s == b.start_s for a, b in itertools.pairwise(chunks))
    assert all(chunk.length_s <= 120 + 1e-6 for chunk in chunks)
    assert duration_s < 60 or all(chunk.length_s >= 60 - 1e-6 for chunk in chunks)


@given(st.floats(0.1, 120), st.lists(st.floats(0, 120), max_size=20))
def test_segments_cover_the_chunk_never_cross_a_cut_and_keep_their_bounds(length_s, cuts_s):
    chunk = Span(100.0, 100.0 + length_s)
    cuts = sorted(
        {100 + cut for cut in cuts_s if 0 < cut < length_s and 100 < 100 + cut < chunk.end_s}
    )
    segments = plan_segments(chunk, cuts, 2.0, 8.0)
    assert segments[0].start_s == chunk.start_s
    assert segments[-1].end_s == chunk.end_s
    assert all(a.end_s == b.start_s for a, b in itertools.pairwise(segments))
    assert set(cuts) <= {segment.start_s for segment in segments}
    edges = {chunk.start_s, chunk.end_s, *cuts}
    for segment in segments:
        whole_shot = segment.start_s in edges and segment.end_s in edges
        assert segment.length_s <= 8 + 1e-6
        assert segment.length_s >= 2 - 1e-6 or whole_shot


def test_a_segment_has_the_unit_mean_of_its_frames_and_the_frame_nearest_to_its_middle():
    vectors = np.eye(4, dtype=np.float32)
    segments = build_segments([Span(0, 2), Span(2, 4)], np.array([0.0, 1.0, 2.0, 3.0]), vectors)
    assert [segment.span for segment in segments] == [Span(0, 2), Span(2, 4)]
    assert np.allclose(segments[0].vector, [0.5**0.5, 0.5**0.5, 0, 0])
    assert np.allclose(segments[1].vector, [0, 0, 0.5**0.5, 0.5**0.5])
    assert [segment.thumbnail for segment in segments] == [1, 3]


def test_a_span_without_a_frame_joins_the_one_before_it():
    segments = build_segments(
        [Span(0, 4), Span(4, 8), Span(8, 12)], np.array([0.0, 9.0]), np.eye(2, dtype=np.float32)
    )
    assert [segment.span for segment in segments] == [Span(0, 8), Span(8, 12)]


def test_no_frame_is_no_segment():
    assert build_segments([Span(0, 4)], np.empty(0), np.empty((0, 3), np.float32)) == []
