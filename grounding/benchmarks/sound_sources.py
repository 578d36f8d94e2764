"""Where a sound comes from, as VGG-SS counts: cIoU and AUC (Chen et al. 2021, "Localizing visual
sounds the hard way").

The image is a grid of 224 x 224. cIoU of one image: predicted cells that are true / (true cells +
predicted cells that are not). The benchmark's cIoU is the part of the images with at least .5, AUC
the area under that part over thresholds 0, .05, ..., 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grounding.benchmarks.cases import Case, with_truth
from grounding.benchmarks.referring import image_in_square, square_boxes
from grounding.benchmarks.scores import Metric, Scores, mean
from grounding.benchmarks.truth import image_size, true_boxes
from grounding.lego.generate.answers import Box

GRID = 224
THRESHOLDS = np.arange(21) * 0.05


def score_sound_sources(cases: Sequence[Case]) -> Scores:
    """`sound`: all boxes of an answer together are its region; an answer without a box has none."""
    cases, others = with_truth(cases, "boxes", "sound")
    cases, unsized = with_truth(cases, "size", "sound")
    values, unread = [], 0
    for case in cases:
        size = image_size(case) or (1, 1)
        predicted = square_boxes(case.answer or "", size)
        unread += not predicted and case.answer is not None
        values.append(region_iou(grid_of(predicted, size), grid_of(true_boxes(case), size)))
    missing = sum(case.answer is None for case in cases)
    metrics = {
        "cIoU@.5": mean([value >= 0.5 for value in values]),
        "AUC": Metric(area_under(values)),
        "mean cIoU": mean(values),
    }
    return Scores(
        "sound",
        metrics,
        {"rows": len(cases), "missing": missing, "unread": unread, **others, **unsized},
    )


def grid_of(boxes: Sequence[Box], size: Sequence[int]) -> np.ndarray:
    """Boxes of the padded square -> `(224, 224) bool` over the image without its padding; corners
    are cut to whole cells.
    """
    image = image_in_square(size)
    width, height = image.x2 - image.x1, image.y2 - image.y1
    grid = np.zeros((GRID, GRID), bool)
    for box in boxes:
        x1, x2 = (
            int(GRID * min(max((x - image.x1) / width, 0.0), 1.0) + 1e-6) for x in (box.x1, box.x2)
        )
        y1, y2 = (
            int(GRID * min(max((y - image.y1) / height, 0.0), 1.0) + 1e-6) for y in (box.y1, box.y2)
        )
        grid[y1:y2, x1:x2] = True
    return grid


def region_iou(predicted: np.ndarray, true: np.ndarray) -> float:
    """cIoU of one image; 0 where nothing is true."""
    found = np.count_nonzero(predicted & true)
    counted = np.count_nonzero(true) + np.count_nonzero(predicted & ~true)
    return found / counted if counted else 0.0


def area_under(values: Sequence[float]) -> float:
    """Trapezoids under the part of the values that reach each threshold; NaN without values."""
    if not len(values):
        return float("nan")
    reached = [float(np.mean(np.asarray(values) >= threshold - 1e-12)) for threshold in THRESHOLDS]
    return float(np.trapezoid(reached, THRESHOLDS))
