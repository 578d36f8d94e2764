import numpy as np
import pytest

from grounding.metrics.temporal import average_precision, best_iou
from grounding.spans import ScoredSpan, Span


def scored(*triples: tuple[float, float, float]) -> list[ScoredSpan]:
    return [ScoredSpan(Span(start, end), score) for start, end, score in triples]


def test_best_iou_takes_any_window():
    windows = [Span(0, 2), Span(10, 20)]
    assert best_iou(Span(12, 22), windows) == pytest.approx(8 / 12)
    assert best_iou(Span(2, 10), windows) == 0.0
    assert best_iou(None, windows) == 0.0
    assert best_iou(Span(0, 2), []) == 0.0


def test_a_threshold_that_is_met_exactly_is_a_hit():
    # 5 of 10 seconds: an evaluator that rounds or uses > would call this a miss.
    assert best_iou(Span(0, 5), [Span(0, 10)]) >= 0.5
    assert average_precision(scored((0, 5, 1.0)), [Span(0, 10)], [0.5])[0] == 1.0


def test_iou_is_not_rounded():
    assert best_iou(Span(0, 4.9999), [Span(0, 10)]) < 0.5


def test_average_precision_by_hand():
    """Two windows; hit, miss, hit: precision 1 at recall 1/2 and 2/3 at recall 1, so (1 +
    2/3) / 2.
    """
    windows = [Span(0, 10), Span(50, 60)]
    predictions = scored((0, 10, 0.9), (20, 30, 0.8), (50, 60, 0.7))
    assert average_precision(predictions, windows, [0.5])[0] == pytest.approx(5 / 6)


def test_a_window_is_found_once():
    """The second span on the same window is a miss: precision 1 at recall 1/2, the other window
    never.
    """
    windows = [Span(0, 10), Span(50, 60)]
    assert average_precision(scored((0, 10, 0.9), (0, 10, 0.8)), windows, [0.5])[
        0
    ] == pytest.approx(0.5)


def test_precision_is_interpolated():
    """Miss then hit: precision at the hit is 1/2."""
    assert average_precision(scored((20, 30, 0.9), (0, 10, 0.8)), [Span(0, 10)], [0.5])[
        0
    ] == pytest.approx(0.5)


def test_the_score_orders_and_ten_count():
    late_hit = scored((20, 30, 0.1), (0, 10, 0.9))
    assert average_precision(late_hit, [Span(0, 10)], [0.5])[0] == 1.0
    eleventh = scored(*((20, 30, 1.0) for _ in range(10)), (0, 10, 2.0))
    assert average_precision(eleventh, [Span(0, 10)], [0.5])[0] == 0.0


def test_default_thresholds_are_activitynets():
    # IoU .8: a hit at .5 .55 .6 .65 .7 .75 .8 of ten thresholds.
    np.testing.assert_allclose(average_precision(scored((0, 8, 1.0)), [Span(0, 10)]).mean(), 0.7)


def test_nothing_predicted_or_nothing_true_is_zero():
    assert not average_precision([], [Span(0, 1)]).any()
    assert not average_precision(scored((0, 1, 1.0)), []).any()
