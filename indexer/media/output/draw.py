"""Boxes drawn on a picture."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from indexer.artefacts import write_atomically

COLOUR = (255, 64, 64)


def draw_boxes(image: np.ndarray, boxes: Sequence[tuple[int, int, int, int]], path: Path) -> None:
    """Writes a PNG of the image (H, W, 3) uint8 with boxes (x1, y1, x2, y2) in pixels. Raises
    StorageError.
    """
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    for box in boxes:
        draw.rectangle(box, outline=COLOUR, width=max(2, min(picture.size) // 200))
    content = BytesIO()
    picture.save(content, "PNG")
    write_atomically(path, content.getvalue())
