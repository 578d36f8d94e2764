import math

import numpy as np
import pytest

from grounding.metrics.bootstrap import cluster_interval, mean_interval
from grounding.metrics.retrieval import auroc


def test_interval_of_a_share_is_near_the_binomial_one():
    # 100 trials, 40 hits: 1.96 * sqrt(.4 * .6 / 100) = .096
    low, high = mean_interval([1.0] * 40 + [0.0] * 60)
    assert low == pytest.approx(0.4 - 0.096, abs=0.02)
    assert high == pytest.approx(0.4 + 0.096, abs=0.02)


def test_interval_repeats_and_collapses():
    values = np.random.default_rng(0).random(20)
    assert mean_interval(values) == mean_interval(values)
    assert mean_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)
    assert all(math.isnan(bound) for bound in mean_interval([]))


def test_clusters_of_one_row_are_like_rows():
    right = np.array([1.0] * 40 + [0.0] * 60)
    low, high = cluster_interval(lambda rows: right[rows].mean(), range(100))
    assert low == pytest.approx(0.4 - 0.096, abs=0.02)
    assert high == pytest.approx(0.4 + 0.096, abs=0.02)


def test_rows_that_fail_together_widen_the_interval():
    # 10 videos of 10 rows each, all right or all wrong: 1.96 * sqrt(.4 * .6 / 10) = .30
    right = np.array([1.0] * 40 + [0.0] * 60)
    low, high = cluster_interval(lambda rows: right[rows].mean(), [row // 10 for row in range(100)])
    assert low == pytest.approx(0.4 - 0.30, abs=0.05)
    assert high == pytest.approx(0.4 + 0.30, abs=0.05)


def test_cluster_interval_of_a_statistic_of_two_groups_holds_the_value():
    random = np.random.default_rng(0)
    scores = np.concatenate([random.normal(1, 1, 60), random.normal(0, 1, 60)])
    match = np.arange(120) < 60

    def of(rows: np.ndarray) -> float:
        return auroc(scores[rows[match[rows]]], scores[rows[~match[rows]]])

    low, high = cluster_interval(of, [row % 60 for row in range(120)])
    assert low < of(np.arange(120)) < high
    assert high - low < 0.3


def test_draws_without_a_value_are_left_out_and_no_rows_have_no_interval():
    low, high = cluster_interval(lambda rows: np.nan if 0 in rows else 1.0, range(3))
    assert (low, high) == (1.0, 1.0)
    assert all(math.isnan(bound) for bound in cluster_interval(lambda rows: 1.0, []))
