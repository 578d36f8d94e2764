import numpy as np
import pytest

from grounding.metrics.highlights import highlight_hit, highlight_precision, saliency_table


def test_table_has_a_row_for_each_clip():
    table = saliency_table([1, 3], [[1, 2, 3], [4, 4, 0]], 10)
    np.testing.assert_array_equal(table, [[0, 0, 0], [1, 2, 3], [0, 0, 0], [4, 4, 0], [0, 0, 0]])


def test_hit_needs_one_annotator():
    table = np.array([[0, 0, 0], [2, 1, 4], [3, 3, 3]])
    assert highlight_hit([0.1, 0.9, 0.5], table, 4) == 1.0
    assert highlight_hit([0.1, 0.2, 0.5], table, 4) == 0.0
    assert (
        highlight_hit([0.1, 0.2, 0.3, 0.9], table, 2) == 0.0
    )  # a clip that the video does not have


def test_precision_by_hand():
    """Ranking clips 0 1 2 3; relevant 1 and 3: precision 1/2 at the first, 2/4 at the second."""
    table = np.array([[0], [4], [0], [4]])
    assert highlight_precision([4.0, 3.0, 2.0, 1.0], table, 4) == pytest.approx(0.5)


def test_precision_is_the_mean_over_annotators():
    """First annotator: clip 0 alone, ranked first: 1. Second: clip 2 alone, ranked third: 1/3."""
    table = np.array([[4, 0], [0, 0], [0, 4]])
    assert highlight_precision([3.0, 2.0, 1.0], table, 4) == pytest.approx((1 + 1 / 3) / 2)


def test_equal_scores_enter_together():
    """Three clips tied, one relevant: one step, precision 1/3, whatever the order in the file."""
    assert highlight_precision([1.0, 1.0, 1.0], np.array([[4], [0], [0]]), 4) == pytest.approx(
        1 / 3
    )
    assert highlight_precision([1.0, 1.0, 1.0], np.array([[0], [0], [4]]), 4) == pytest.approx(
        1 / 3
    )


def test_all_relevant_is_one_none_is_zero_and_short_predictions_are_padded():
    assert highlight_precision([0.0, 1.0], np.array([[4], [4]]), 4) == 1.0
    assert highlight_precision([0.0, 1.0], np.array([[0], [0]]), 4) == 0.0
    assert highlight_precision([1.0], np.array([[4], [0], [0]]), 4) == 1.0
