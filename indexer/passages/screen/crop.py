"""Lines of text, cut out of their frames."""

from __future__ import annotations

import math

import numpy as np


def crop_line(image: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The line inside `corners` (4, 2), turned upright; a column of text lies on its side
    afterwards.
    """
    import cv2  # heavy: only for who reads screens

    top, right = (float(np.linalg.norm(corners[a] - corners[b])) for a, b in ((0, 1), (1, 2)))
    width, height = max(2, math.ceil(top)), max(2, math.ceil(right))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    crop = cv2.warpPerspective(
        image,
        cv2.getPerspectiveTransform(corners.astype(np.float32), target),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.ascontiguousarray(np.rot90(crop)) if height >= 1.5 * width else crop
