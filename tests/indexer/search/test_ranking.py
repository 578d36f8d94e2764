from dataclasses import replace

import numpy as np
import pytest

from grounding.spans import Span
from indexer.search.calibration import passage_probability
from indexer.search.candidates import candidate_chunks, similarities
from indexer.search.merge_overlapping import fuse
from indexer.search.query_vectors import QueryVectors
from indexer.search.ranking import rank_moments, score_frames, window_score
from indexer.search.types import Block, PassageHit, RankedMoment

DIMENSION = 16
QUERY = np.eye(DIMENSION, dtype=np.float32)[0]
ASKED = QueryVectors(QUERY, QUERY)


def block(
    video_id: int,
    similarity: np.ndarray,
    *,
    chunk: int = 0,
    start_s: float = 0.0,
    rate_hz: float = 2.0,
    seed: int = 0,
) -> Block:
    """Frames with given similarity to QUERY; the rest of each unit vector points anywhere."""
    rest = np.random.default_rng((seed, video_id, chunk)).normal(size=(len(similarity), DIMENSION))
    rest[:, 0] = 0
    rest *= np.sqrt(1 - similarity[:, None] ** 2) / np.linalg.norm(rest, axis=1, keepdims=True)
    rest[:, 0] = similarity
    length_s = len(similarity) / rate_hz
    times_s = start_s + np.arange(len(similarity)) / rate_hz
    return Block(
        video_id,
        100 * video_id + chunk,
        start_s,
        start_s + length_s,
        times_s,
        rest.astype(np.float16),
        np.zeros(0),
    )


def curve(count: int, *stretches: tuple[int, int, float], base: float = 0.1) -> np.ndarray:
    values = np.full(count, base)
    for first, last, value in stretches:
        values[first:last] = value
    return values


def test_the_video_that_shows_it_comes_first_with_its_moment():
    blocks = [
        block(1, curve(120)),
        block(2, curve(120, (40, 56, 0.5))),
        block(3, curve(120, (3, 4, 0.55))),
    ]
    ranking = rank_moments(ASKED, blocks)
    first = ranking.moments[0]
    assert first.video_id == 2
    assert first.span.iou(Span(19.75, 27.75)) > 0.9
    assert first.span.start_s <= first.peak_s < first.span.end_s
    scores = [moment.score for moment in ranking.moments]
    assert scores == sorted(scores, reverse=True)


def test_chunks_that_follow_each_other_are_one_stretch():
    """A moment across the border of two chunks is one span; the same chunks far apart are two."""
    near = [
        block(1, curve(60, (50, 60, 0.5)), chunk=0),
        block(1, curve(60, (0, 10, 0.5)), chunk=1, start_s=30),
    ]
    first = rank_moments(ASKED, near).moments[0]
    assert first.span.iou(Span(24.75, 34.75)) > 0.9
    far = [near[0], replace(near[1], start_s=300.0, end_s=330.0, times_s=near[1].times_s + 270)]
    assert all(
        m.span.end_s <= 30 or m.span.start_s >= 300 for m in rank_moments(ASKED, far).moments
    )


def test_at_most_so_many_of_one_video_and_in_all():
    blocks = [
        block(video, curve(200, (20, 30, 0.5), (80, 90, 0.5), (150, 160, 0.5)))
        for video in range(5)
    ]
    ranking = rank_moments(ASKED, blocks, per_video=2)
    assert {
        video: sum(m.video_id == video for m in ranking.moments) for video in range(5)
    } == dict.fromkeys(range(5), 2)
    assert len(rank_moments(ASKED, blocks, per_video=3, limit=7).moments) == 7


def test_a_video_that_is_not_localised_is_still_listed():
    """With more videos than are localised each still appears, so that the place of the right one
    can be counted.
    """
    blocks = [block(video, curve(20, (5, 9, 0.3 + 0.001 * video))) for video in range(40)]
    found = rank_moments(ASKED, blocks, per_video=1, limit=50).moments
    assert sorted({moment.video_id for moment in found}) == list(range(40))
    assert found[0].video_id == 39
    assert all(0 <= moment.span.start_s < moment.span.end_s <= 10 for moment in found)


def test_what_is_near_to_every_photograph_answers_less():
    """Both frames are as near to the question; one is a photograph itself."""
    hub, other = np.array([[0.6, 0.8, 0.0]]), np.array([[0.6, 0.0, 0.8]])
    asked, hubs = np.array([0.6]), np.repeat(hub, 20, axis=0)
    assert score_frames(asked, hub) == score_frames(asked, other) == pytest.approx(0.6)
    assert score_frames(asked, hub, hubs) == pytest.approx(0.6 - 0.1)
    half = other.astype(np.float16)
    assert score_frames(asked, half, hubs) == pytest.approx(0.6 - 0.036, abs=1e-3)
    assert score_frames(np.empty(0), np.empty((0, 3)), hubs) == -np.inf


def test_window_score_by_hand():
    """Eight frames are one window: best three .5 .4 .3 mean .4; of ten, the last window's .6 .5 .4
    mean .5.
    """
    values = [0.5, 0.1, 0.4, 0.1, 0.3, 0.1, 0.2, 0.0]
    assert window_score(np.array(values)) == pytest.approx(0.4)
    assert window_score(np.array([*values, 0.5, 0.6])) == pytest.approx(0.5)
    assert window_score(np.array([0.7])) == pytest.approx(0.7)
    assert window_score(np.zeros(0)) == -np.inf


@pytest.mark.parametrize("order", ["C", "F"])
def test_products_with_half_numbers_are_those_of_their_full_numbers(order):
    """Of all signs and sizes, numbers too small for a normal float16 among them."""
    random = np.random.default_rng(0)
    matrix = (random.normal(size=(70, 33)) * 10.0 ** random.integers(-8, 5, (70, 33))).astype(
        np.float16
    )
    matrix[0] = [0.0, -0.0, 6e-8, -6e-8, 65504, -65504, *matrix[0, 6:]]
    query = random.normal(size=33).astype(np.float32)
    expected = matrix.astype(np.float32) @ query
    half, full = similarities(query, [np.asarray(matrix, order=order), matrix.astype(np.float32)])
    np.testing.assert_allclose(half, expected, rtol=1e-5, atol=1e-7 * 65504)
    np.testing.assert_array_equal(full, expected)
    one = np.eye(33, dtype=np.float32)
    for column in range(33):  # each number by itself, exactly
        np.testing.assert_array_equal(
            similarities(one[column], [matrix])[0], matrix[:, column].astype(np.float32)
        )
    assert similarities(query, []) == []


def test_one_high_frame_does_not_beat_a_moment():
    assert window_score(curve(60, (10, 11, 0.6))) < window_score(curve(60, (10, 16, 0.4)))


def test_confidence_tells_an_answer_from_none():
    random = np.random.default_rng(1)
    background = np.concatenate([block(video, curve(60)).vectors for video in range(10)])
    neutral = random.normal(size=(40, DIMENSION)).astype(np.float32)
    neutral /= np.linalg.norm(neutral, axis=1, keepdims=True)
    shown = rank_moments(
        ASKED, [block(1, curve(60, (20, 40, 0.99)))], background=background, neutral=neutral
    )
    absent = rank_moments(ASKED, [block(1, curve(60))], background=background, neutral=neutral)
    assert shown.matched
    assert not absent.matched
    assert shown.confidence > absent.confidence + 0.5
    assert absent.moments
    assert shown.moments[0].probability == shown.confidence


def test_confidence_does_not_depend_on_how_general_a_question_is():
    """A question that is near to every frame by the same amount is no better answered."""
    blocks = [block(1, curve(60, (20, 40, 0.5)))]
    background = np.concatenate([block(video, curve(60)).vectors for video in range(5)])
    near_all = [
        replace(b, vectors=b.vectors + np.float16(0.3) * QUERY.astype(np.float16)) for b in blocks
    ]
    shifted = background + np.float16(0.3) * QUERY.astype(np.float16)
    plain = rank_moments(ASKED, blocks, background=background).confidence
    general = rank_moments(ASKED, near_all, background=shifted).confidence
    assert general == pytest.approx(plain, abs=0.01)


def test_nothing_to_rank():
    ranking = rank_moments(ASKED, [])
    assert ranking.moments == ()
    assert not ranking.matched


def test_candidate_chunks_serve_videos_before_chunks():
    video_ids = np.array([1, 1, 1, 2, 3])
    chunk_ids = np.array([10, 11, 12, 20, 30])
    scores = np.array([0.9, 0.8, 0.7, 0.3, 0.2])
    assert candidate_chunks(chunk_ids, video_ids, scores, limit=5) == [10, 20, 30, 11, 12]
    assert candidate_chunks(chunk_ids, video_ids, scores, limit=2) == [10, 11]
    assert candidate_chunks(np.zeros(0, int), np.zeros(0, int), np.zeros(0)) == []


def moment(video_id: int, start_s: float, end_s: float, probability: float = 0.0) -> RankedMoment:
    return RankedMoment(video_id, Span(start_s, end_s), 0.3, (start_s + end_s) / 2, probability)


def test_fusion_joins_what_agrees():
    pictures = [moment(1, 0, 10, 0.5), moment(2, 20, 30, 0.3)]
    speech = [PassageHit(2, Span(22, 26), "there it is", 1.0)]
    first, second = fuse(pictures, {"speech": speech})
    # the span of the most probable evidence
    assert (first.video_id, first.span) == (2, Span(22, 26))
    assert first.probability == passage_probability(1.0)
    assert {e.kind: e.text for e in first.evidence} == {"picture": "", "speech": "there it is"}
    assert (second.video_id, second.probability) == (1, 0.5)


def test_fusion_keeps_apart_what_does_not_overlap_and_never_unites_spans():
    pictures = [moment(1, 0, 10), moment(1, 9, 19)]
    speech = [
        PassageHit(1, Span(40, 50), "later", 1.0),
        PassageHit(3, Span(0, 10), "elsewhere", 1.0),
    ]
    fused = fuse(pictures, {"speech": speech})
    assert sorted((m.video_id, m.span.start_s, m.span.end_s) for m in fused) == [
        (1, 0, 10),
        (1, 9, 19),
        (1, 40, 50),
        (3, 0, 10),
    ]
    assert [m.video_id for m in fuse(pictures, {})] == [1, 1]


def test_a_kind_counts_once_for_one_answer():
    speech = [PassageHit(1, Span(1, 3), "one", 1.0), PassageHit(1, Span(4, 6), "two", 0.9)]
    best = fuse([moment(1, 0, 10, 0.3)], {"speech": speech})[0]
    assert [evidence.kind for evidence in best.evidence] == ["speech", "picture"]


def test_answers_are_in_the_order_of_their_probabilities():
    """Whatever the kind: a word by chance stays behind what is clearly seen, among what is unlikely
    too.
    """
    pictures = [moment(1, 0, 10, 0.6), moment(2, 0, 10, 0.1), moment(3, 0, 10, 0.02)]
    passages = {
        "speech": [PassageHit(4, Span(0, 4), "just what was asked", 1.0)],
        "screen": [PassageHit(5, Span(0, 4), "some of its words", 0.6)],
        "sound": [PassageHit(6, Span(0, 4), "a bark", 0.05)],
    }
    fused = fuse(pictures, passages)
    assert [m.video_id for m in fused] == [4, 1, 5, 2, 6, 3]
    shown = [m.probability for m in fused]
    assert shown == sorted(shown, reverse=True)


def test_a_question_that_names_a_kind_is_in_favour_of_it():
    pictures = [moment(1, 0, 10, 0.4)]
    speech = [PassageHit(2, Span(0, 4), "half of it", 0.6)]
    assert fuse(pictures, {"speech": speech})[0].video_id == 1
    assert fuse(pictures, {"speech": speech}, "speech")[0].video_id == 2
