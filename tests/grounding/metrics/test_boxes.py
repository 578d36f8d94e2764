import pytest
from hypothesis import given
from hypothesis import strategies as st

from grounding.lego.generate.answers import Box
from grounding.metrics.boxes import best_box_iou, box_iou

sides = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)
boxes = st.tuples(sides, sides).map(
    lambda pairs: Box(pairs[0][0], pairs[1][0], pairs[0][1], pairs[1][1])
)


def test_worked_cases():
    """Two squares of area 4 that share 1: 1 / 7; one inside the other: 1 / 4; side by side: 0."""
    assert box_iou(Box(0, 0, 2, 2), Box(1, 1, 3, 3)) == pytest.approx(1 / 7)
    assert box_iou(Box(0, 0, 2, 2), Box(0, 0, 1, 1)) == pytest.approx(1 / 4)
    assert box_iou(Box(0, 0, 1, 1), Box(1, 0, 2, 1)) == 0
    assert box_iou(Box(0, 0, 0, 1), Box(0, 0, 0, 1)) == 0


def test_exactly_half_counts_as_half():
    assert box_iou(Box(0, 0, 1, 1), Box(0, 0, 1, 2)) == 0.5


def test_the_best_of_several_truths():
    truths = [Box(0, 0, 1, 1), Box(5, 5, 6, 6)]
    assert best_box_iou(Box(5, 5, 6, 6), truths) == 1
    assert best_box_iou(None, truths) == 0
    assert best_box_iou(Box(0, 0, 1, 1), []) == 0


@given(boxes, boxes)
def test_symmetric_and_within_bounds(first: Box, second: Box):
    assert box_iou(first, second) == box_iou(second, first)
    assert 0 <= box_iou(first, second) <= 1
