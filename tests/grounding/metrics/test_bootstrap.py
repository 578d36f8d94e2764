import math

import numpy as np
import pytest

from grounding.metrics.bootstrap import mean_interval, two_sample_interval
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


def test_two_sample_interval_holds_the_value():
    random = np.random.default_rng(0)
    matches, others = random.normal(1, 1, 60), random.normal(0, 1, 60)
    low, high = two_sample_interval(auroc, matches, others)
    assert low < auroc(matches, others) < high
    assert high - low < 0.3
    assert all(math.isnan(bound) for bound in two_sample_interval(auroc, [], others))
