"""Referring expressions: the first box of an answer is right if it overlaps a true one with IoU of
at least .5.

Compared in fractions of the padded square, unrounded on the side of the truth; a box that reaches
into the padding is cut to the image. A first box without area, or wholly in the padding, is wrong:
the next one does not take its place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grounding.benchmarks.cases import Case, with_truth
from grounding.benchmarks.scores import Scores, mean
from grounding.benchmarks.truth import image_size, true_boxes
from grounding.lego.generate.answers import Box, parse_boxes, rewrite_boxes
from grounding.metrics.boxes import IOU_THRESHOLD, best_box_iou

SQUARE_PX = 1000
"""Three decimals: an answer's boxes are read as pixels of a square of this side."""
_WRITTEN_BOX = re.compile(r"\[" + ", ".join([r"(\d\.\d+)"] * 4) + r"\]", re.ASCII)


def score_boxes(cases: Sequence[Case]) -> Scores:
    """`rec`: accuracy at IoU .5, and the mean IoU. An answer without a box is wrong."""
    cases, others = with_truth(cases, "boxes", "rec")
    predicted = [first_box(case.answer or "", image_size(case)) for case in cases]
    ious = [best_box_iou(box, true_boxes(case)) for box, case in zip(predicted, cases)]
    missing = sum(case.answer is None for case in cases)
    counts = {
        "rows": len(cases),
        "missing": missing,
        "unread": sum(box is None for box in predicted) - missing,
        **others,
    }
    return Scores(
        "rec", {"acc@.5": mean([iou >= IOU_THRESHOLD for iou in ious]), "mIoU": mean(ious)}, counts
    )


def square_boxes(text: str, size: Sequence[int] | None) -> list[Box]:
    """The boxes of an answer as fractions of the padded square, cut to the image of that size."""
    cut = [_inside(box, size) if size else box for box in parse_boxes(text, SQUARE_PX, SQUARE_PX)]
    return [box for box in cut if box.x1 < box.x2 and box.y1 < box.y2]


def first_box(text: str, size: Sequence[int] | None) -> Box | None:
    """The box that is written first, cut to the image, which may leave it without area; None for an
    answer without a box.
    """
    # `rewrite_boxes` gives every box one form and nothing else; `parse_boxes` leaves out those
    # without area.
    found = _WRITTEN_BOX.search(rewrite_boxes(text, SQUARE_PX, SQUARE_PX))
    if found is None:
        return None
    box = Box(*map(float, found.groups()))
    return _inside(box, size) if size else box


def image_in_square(size: Sequence[int]) -> Box:
    """Where the image lies in its padded square."""
    width, height = size
    side = max(size)
    left, top = (side - width) // 2 / side, (side - height) // 2 / side
    return Box(left, top, left + width / side, top + height / side)


def _inside(box: Box, size: Sequence[int]) -> Box:
    image = image_in_square(size)
    x1, y1 = max(box.x1, image.x1), max(box.y1, image.y1)
    return Box(x1, y1, max(x1, min(box.x2, image.x2)), max(y1, min(box.y2, image.y2)))
