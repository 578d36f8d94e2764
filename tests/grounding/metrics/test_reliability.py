"""Calibration error against hand counts, and what chance alone makes of it."""

import numpy as np
import pytest

from grounding.metrics.reliability import calibration_error, calibration_error_by_chance


def test_two_groups_by_hand():
    """Promised .2 and .7 on average, held 1/2 and 1/2: (.3 + .2) / 2."""
    promised, held = [0.1, 0.6, 0.3, 0.8], [0, 0, 1, 1]
    assert calibration_error(promised, held, groups=2) == pytest.approx(0.25)


def test_the_order_of_rows_does_not_matter():
    random = np.random.default_rng(0)
    promised = random.random(97)
    held = random.random(97) < promised
    order = random.permutation(97)
    assert calibration_error(promised, held) == pytest.approx(
        calibration_error(promised[order], held[order])
    )


def test_fewer_rows_than_groups_and_none():
    assert calibration_error([0.5, 1.0], [0, 1]) == pytest.approx(0.25)
    assert np.isnan(calibration_error([], []))


def test_chance_is_small_with_many_rows_and_what_overconfidence_exceeds():
    random = np.random.default_rng(1)
    promised = random.random(4000)
    held = random.random(4000) < promised**2
    few, many = (calibration_error_by_chance(promised[:n], draws=50) for n in (100, 4000))
    assert many < 0.03 < few
    assert calibration_error(promised, held) > 5 * many
