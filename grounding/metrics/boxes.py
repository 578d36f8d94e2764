"""Boxes against true boxes. Any unit, as long as both have the same one."""

from __future__ import annotations

from collections.abc import Sequence

from grounding.lego.generate.answers import Box

IOU_THRESHOLD = 0.5
"""Referring expressions: right from an intersection over union of .5 (Yu et al. 2016, "Modeling
context in referring expressions").
"""


def box_iou(first: Box, second: Box) -> float:
    """Intersection over union in [0, 1], unrounded; 0 where a box has no area.

    >>> box_iou(Box(0, 0, 2, 2), Box(1, 0, 3, 2))  # 2 of 6
    0.3333333333333333
    """
    shared = _area(
        Box(
            max(first.x1, second.x1),
            max(first.y1, second.y1),
            min(first.x2, second.x2),
            min(first.y2, second.y2),
        )
    )
    union = _area(first) + _area(second) - shared
    return shared / union if union > 0 else 0.0


def best_box_iou(predicted: Box | None, truths: Sequence[Box]) -> float:
    """IoU with the true box that fits best; 0 without a prediction."""
    return max((box_iou(predicted, truth) for truth in truths), default=0.0) if predicted else 0.0


def _area(box: Box) -> float:
    return max(0.0, box.x2 - box.x1) * max(0.0, box.y2 - box.y1)
