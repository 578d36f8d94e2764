"""Which patches of a picture a thing covers."""

from __future__ import annotations

from collections.abc import Iterator

from grounding.synthetic.draw import SIDE, Look

PATCH = 8
"""Pixels."""
PATCHES = SIDE // PATCH
"""A side of the picture has so many."""


def covered_patches(look: Look) -> Iterator[int]:
    """Numbers of the patches, row by row, of which the thing's box takes the middle or most
    of it.
    """
    x1, y1, x2, y2 = (value * PATCHES for value in look.box())
    for row in range(PATCHES):
        for column in range(PATCHES):
            if x1 <= column + 0.7 and x2 >= column + 0.3 and y1 <= row + 0.7 and y2 >= row + 0.3:
                yield row * PATCHES + column
