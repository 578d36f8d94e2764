"""Probabilities: on the photographs of an embedder, and on margins where it has none."""

import numpy as np
import pytest

from indexer.embedders.base import unit
from indexer.search.calibration import (
    LIKENESS,
    MATCH_PROBABILITY,
    QUESTION_ALONE,
    LogOdds,
    calibrate,
    likeness_of,
    passage_probability,
)

RANDOM = np.random.default_rng(0)
QUERY = np.eye(8, dtype=np.float32)[0]
BACKGROUND = unit(RANDOM.normal(size=(200, 8)))
NEUTRAL = unit(RANDOM.normal(size=(40, 8)))


def photographs(best: float) -> np.ndarray:
    """Two vectors, of which the nearer has this similarity to the query."""
    near = np.zeros((2, 8), np.float32)
    near[:, 0] = best, best - 0.2
    near[:, 1] = np.sqrt(1 - near[:, 0] ** 2)
    return near


NAMES = photographs(0.6)


def test_log_odds_by_hand():
    """2 * .5 - 1 * .4 + .5 * .4 - .8 = 0: even odds."""
    odds = LogOdds(similarity=2.0, best_photograph=-1.0, margin=0.5, constant=-0.8)
    assert odds.probability(0.5, best_photograph=0.4, margin=0.4) == pytest.approx(0.5)
    more = odds.probability(0.9, best_photograph=0.4, margin=0.4)
    assert more == pytest.approx(1 / (1 + np.exp(-0.8)))


def test_what_photographs_show_better_is_less_probable():
    """The same frame answers a question that photographs do not come near to better."""
    rare = calibrate(QUERY, photographs(0.4), NAMES, BACKGROUND, NEUTRAL, 30)
    usual = calibrate(QUERY, photographs(0.8), NAMES, BACKGROUND, NEUTRAL, 30)
    assert rare.best_photograph == pytest.approx(0.4)
    assert rare.probability(0.75) > usual.probability(0.75) + 0.3
    assert rare.matches(0.75)
    assert not usual.matches(0.75)


def test_what_the_classifier_has_a_name_for_has_to_come_nearer():
    named, nameless = (
        calibrate(QUERY, photographs(0.5), photographs(nearest), BACKGROUND, NEUTRAL, 30)
        for nearest in (0.8, 0.4)
    )
    assert (named.nearest_class, nameless.nearest_class) == pytest.approx((0.8, 0.4))
    assert named.probability(0.7) < nameless.probability(0.7) - 0.1


def test_a_nearer_frame_is_more_probable():
    for embedder_photographs in (photographs(0.5), None):
        calibration = calibrate(QUERY, embedder_photographs, NAMES, BACKGROUND, NEUTRAL, 30)
        chances = [calibration.probability(value) for value in np.linspace(0.3, 0.98, 12)]
        assert chances == sorted(chances)
        assert 0 < chances[0] < 0.1
        assert 0.3 < chances[-1] < 1


def test_among_more_chunks_an_answer_is_less_probable():
    few, many = (
        calibrate(QUERY, photographs(0.5), NAMES, BACKGROUND, NEUTRAL, chunks)
        for chunks in (20, 2000)
    )
    assert many.probability(0.6) < 0.7 * few.probability(0.6)


def test_nothing_has_no_chance():
    assert calibrate(QUERY, None, None, BACKGROUND, NEUTRAL, 30).probability(-np.inf) == 0.0


def test_without_photographs_the_margin_is_that_of_neutral_prompts():
    """A query that is as near to the library as a usual neutral prompt has the odds of margin 0."""
    margins = (BACKGROUND @ NEUTRAL.T).max(0) - NEUTRAL @ BACKGROUND.mean(0)
    similarity = float(BACKGROUND.mean(0) @ QUERY + np.median(margins))
    calibration = calibrate(QUERY, None, None, BACKGROUND, NEUTRAL, 30)
    assert calibration.probability(similarity) == pytest.approx(
        QUESTION_ALONE.probability(0.0, size=np.log10(30)), abs=1e-5
    )


def test_likeness_has_a_scale_of_its_own():
    calibration = likeness_of(QUERY, photographs(0.6))
    assert calibration.probability(0.9) == pytest.approx(
        LIKENESS.probability(0.9, best_photograph=0.6)
    )
    assert likeness_of(QUERY, None).probability(0.95) > 0.9
    assert not likeness_of(QUERY, None).matches(0.35)


def test_passages_match_from_about_one_half():
    assert passage_probability(0.4) < MATCH_PROBABILITY < passage_probability(0.6)
    assert passage_probability(1.0) > 0.8
