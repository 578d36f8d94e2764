import math

import pytest

from grounding.metrics.retrieval import auroc, false_alarms, first_rank, recall_at, reciprocal_rank


def test_rank_counts_videos_not_moments():
    assert first_rank(["a", "a", "a", "b", "c"], "c") == 3
    assert first_rank(["a"], "c") is None
    assert [recall_at(rank, 5) for rank in (1, 5, 6, None)] == [1.0, 1.0, 0.0, 0.0]
    assert [reciprocal_rank(rank) for rank in (1, 4, None)] == [1.0, 0.25, 0.0]


def test_auroc_by_hand():
    assert auroc([2, 3], [0, 1]) == 1.0
    assert auroc([0, 1], [2, 3]) == 0.0
    assert auroc([1, 1], [1, 1, 1]) == 0.5
    assert auroc([3, 1], [2]) == 0.5
    assert math.isnan(auroc([], [1.0]))


def test_false_alarms_at_ninety_percent_by_hand():
    """Ten matches: the threshold that keeps nine is the second lowest, .2; two of four others reach
    it.
    """
    matches = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert false_alarms(matches, [0.15, 0.19, 0.2, 0.9]) == pytest.approx(0.5)
    assert false_alarms(matches, [0.05]) == 0.0
    assert math.isnan(false_alarms(matches, []))
