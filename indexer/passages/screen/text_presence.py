"""A cheap test that chooses the frames in which text is looked for: 2 ms a frame, where looking
takes 150.

Writing is made of strong edges that stand close together. A frame without such cells has no text;
one whose cells look as they did in the frame that was looked at last has the same text.
"""

from __future__ import annotations

import numpy as np

CELL = 12  # pixels of the halved picture: about a letter of a small line at 480
# step of luma between neighbours: writing of contrast 40 passes; at 40 a third fewer frames pass,
# and faint writing is lost
STRONG = 18
DENSE = 0.12  # share of strong edges that a cell with writing has
# share of the edges of a line that stay, whatever moves behind it; other words in its place share
# .6
STEADY = 0.75
FEW = 2  # cells: fewer that changed are no line of text


def edges(image: np.ndarray) -> np.ndarray:
    """(H / 2, W / 2) bool, where the luma of an image (H, W, 3) uint8 RGB changes strongly from
    left to right.
    """
    height, width = image.shape[:2]
    import cv2  # heavy: only for who reads screens

    luma = cv2.resize(
        cv2.cvtColor(image, cv2.COLOR_RGB2GRAY),
        (width // 2, height // 2),
        interpolation=cv2.INTER_AREA,
    )
    return np.abs(np.diff(luma.astype(np.int16), axis=1, append=0)) >= STRONG


def dense_cells(strong: np.ndarray) -> np.ndarray:
    """(rows, columns) bool: the cells in which strong edges stand close together."""
    return _share(strong) >= DENSE


def has_writing(strong: np.ndarray) -> bool:
    """Whether an edge picture of `edges` has cells that could be writing."""
    return int(dense_cells(strong).sum()) >= FEW


def same_writing(strong: np.ndarray, before: np.ndarray) -> bool:
    """Whether what could be writing looks as it did: dense cells of either frame share most of
    their edges.
    """
    if strong.shape != before.shape:
        return False
    both, either = _share(strong & before), _share(strong | before)
    candidates = (_share(strong) >= DENSE) | (_share(before) >= DENSE)
    return int((candidates & (both < 0.5 * either)).sum()) < FEW


def steady(strong: np.ndarray, before: np.ndarray, box: tuple[float, float, float, float]) -> bool:
    """Whether a line that stood in `box` (x0, y0, x1, y1), in pixels of the whole picture, stands
    there still, whatever moves around it.
    """
    if strong.shape != before.shape:
        return False
    x0, y0, x1, y1 = (max(0, round(side / 2)) for side in box)
    now, then = strong[y0:y1, x0:x1], before[y0:y1, x0:x1]
    return int((now & then).sum()) >= STEADY * int((now | then).sum())


def _share(strong: np.ndarray) -> np.ndarray:
    rows, columns = strong.shape[0] // CELL, strong.shape[1] // CELL
    return strong[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL).mean((1, 3))
